import { describe, it } from "@effect/vitest"
import { Effect, Exit } from "effect"
import { assert } from "vitest"
import * as UnpackerMemory from "../../../src/layers/memory/UnpackerMemory.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import { unpack, unpackerContract } from "../../contracts/unpacker.ts"
import { STRIDE } from "../../fixtures/long.ts"
import { part, zipOf } from "../../fixtures/archive/zipCorpus.ts"

unpackerContract("UnpackerMemory", UnpackerMemory.layer())

describe("UnpackerMemory", () => {
  for (const method of [0, 8] as const) {
    it.effect(
      `judges an archive of method ${method} with one bit flipped as UnpackerZip does`,
      () =>
        Effect.gen(function* () {
          const zip = zipOf({
            entries: [
              part(5, 0, '{"a":1}\n', { method }),
              part(21, 0, '{"b":2}\n{"c":3}', { method })
            ]
          })
          let refused = 0
          for (let at = 0; at < zip.length; at += STRIDE) {
            const flipped = Buffer.from(zip)
            flipped[at] = (flipped[at] ?? 0) ^ (1 << ((at * 3) % 8))
            const opened = unpack(flipped, "jsonl")
            const mine = yield* Effect.exit(Effect.provide(opened, UnpackerMemory.layer()))
            const other = yield* Effect.exit(Effect.provide(opened, UnpackerZip.layer()))
            if (Exit.isSuccess(mine) && Exit.isSuccess(other)) {
              assert.deepStrictEqual(mine.value, other.value, `byte ${at}`)
              continue
            }
            const reasons = [yield* Effect.flip(mine), yield* Effect.flip(other)].map(
              ({ reason }) => reason
            )
            // A line may be looked at before the CRC-32 of its member, or after it.
            const found = reasons.map((it) => (it === "NotJsonLines" ? "Corrupt" : it))
            assert.strictEqual(found[0], found[1], `byte ${at}: ${reasons.join(", ")}`)
            refused += 1
          }
          assert.isAbove((refused * STRIDE) / zip.length, 0.7)
        })
    )
  }
})
