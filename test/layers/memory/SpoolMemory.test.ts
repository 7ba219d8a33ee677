import { describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { assert } from "vitest"
import * as SpoolMemory from "../../../src/layers/memory/SpoolMemory.ts"
import { Spool } from "../../../src/services/Spool.ts"
import { archiveName, readText, spoolContract } from "../../contracts/spool.ts"

spoolContract("SpoolMemory", SpoolMemory.layer())

describe("SpoolMemory", () => {
  it.scoped("copies the bytes it is given and the bytes it gives", () =>
    Effect.gen(function* () {
      const spool = yield* Spool
      const bytes = new TextEncoder().encode("mine")
      const archive = yield* spool.save(archiveName("a"), Stream.make(bytes), Option.none())
      bytes.fill(0)
      const given = yield* archive.read(0, 4)
      given.fill(0)
      assert.strictEqual(yield* readText(archive), "mine")
    }).pipe(Effect.provide(SpoolMemory.layer()))
  )
})
