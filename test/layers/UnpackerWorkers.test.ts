import { describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber } from "effect"
import { assert } from "vitest"
import { Unpacker } from "../../src/services/Unpacker.ts"
import { unpackerContract } from "../contracts/unpacker.ts"
import { part, spooled, zipOf } from "../fixtures/zipCorpus.ts"

// As it was built, since a worker thread of node 20 loads no TypeScript.
const BUILT = new URL("../../dist/layers/UnpackerWorkers.js", import.meta.url).href
const UnpackerWorkers: typeof import("../../src/layers/UnpackerWorkers.ts") = await import(
  /* @vite-ignore */ BUILT
)

unpackerContract("UnpackerWorkers", UnpackerWorkers.layer({ smallArchive: 0 }))

describe("UnpackerWorkers", () => {
  const archive = spooled(
    zipOf({ entries: [5, 6, 7, 8, 9].map((hour) => part(hour, 0, `{"hour":${hour}}\n`)) })
  )
  const events = Effect.scoped(
    Effect.gen(function* () {
      const unpacker = yield* Unpacker
      const { hours } = yield* unpacker.open(archive, "jsonl")
      return [...hours.values()].map((hour) => hour.events)
    })
  )

  it.scoped(
    "goes on with its workers after reads that fail, that are no reads, and that nobody waits for",
    () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const open = (read: typeof archive.read) =>
          Effect.exit(Effect.scoped(unpacker.open({ ...archive, read }, "jsonl")))
        // The directory is read here; the parts come before it.
        const end = archive.size - 400
        const late =
          (read: typeof archive.read): typeof archive.read =>
          (position, length) =>
            position + length > end ? archive.read(position, length) : read(position, length)

        const died = yield* open(late(() => Effect.die("defect")))
        assert(Exit.isFailure(died) && Cause.isDie(died.cause))

        const asked = yield* Deferred.make<void>()
        const waiting = yield* Effect.fork(
          open(late(() => Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)))
        )
        yield* Deferred.await(asked)
        yield* Fiber.interrupt(waiting)

        assert.deepStrictEqual(yield* Effect.all([events, events, events], { concurrency: 3 }), [
          [1, 1, 1, 1, 1],
          [1, 1, 1, 1, 1],
          [1, 1, 1, 1, 1]
        ])
      }).pipe(Effect.provide(UnpackerWorkers.layer({ smallArchive: 0 })))
  )
})
