import { createHash } from "node:crypto"
import { syncBuiltinESMExports } from "node:module"
import threads from "node:worker_threads"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber } from "effect"
import { assert } from "vitest"
import { Unpacker } from "../../../src/services/Unpacker.ts"
import { unpackerContract } from "../../contracts/unpacker.ts"
import { part, partName, spooled, zipOf } from "../../fixtures/zipCorpus.ts"

// As it was built, since a worker thread of node 20 loads no TypeScript.
const BUILT = new URL("../../../dist/layers/unpack/UnpackerWorkers.js", import.meta.url).href
const UnpackerWorkers: typeof import("../../../src/layers/unpack/UnpackerWorkers.ts") =
  await import(/* @vite-ignore */ BUILT)

unpackerContract("UnpackerWorkers", UnpackerWorkers.layer({ smallArchive: 0 }))

/** Has workers made by another class meanwhile. */
const made = (Other: typeof threads.Worker) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { Worker } = threads
      threads.Worker = Other
      syncBuiltinESMExports()
      return Worker
    }),
    (Worker) =>
      Effect.sync(() => {
        threads.Worker = Worker
        syncBuiltinESMExports()
      })
  )

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

  for (const smallArchive of [0, 1e9]) {
    it.scoped(
      `digests the same by documented calls only, ${smallArchive === 0 ? "in workers" : "in this thread"}`,
      () =>
        Effect.gen(function* () {
          const found = ["fast", "portable"] as const
          const each = yield* Effect.forEach(found, (inflate) =>
            Effect.gen(function* () {
              const unpacker = yield* UnpackerWorkers.make({ smallArchive, inflate })
              const { hours } = yield* unpacker.open(archive, "jsonl")
              return {
                calls: yield* unpacker.undocumentedCalls,
                hashes: [...hours.values()].map(({ sha256 }) => sha256)
              }
            })
          )
          assert.deepStrictEqual(
            each.map(({ calls }) => calls),
            ["used", "switched off"]
          )
          assert.lengthOf(each[0]?.hashes ?? [], 5)
          assert.deepStrictEqual(each[0]?.hashes, each[1]?.hashes)
        })
    )
  }

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

  it.scoped("keeps the pieces of a large part apart, in whatever memory they are given", () =>
    Effect.gen(function* () {
      const texts = [5, 6].map((hour) =>
        Array.from(
          { length: 30 },
          (_, n) => `{"hour":${hour},"n":${n},"x":"${`${n}`.repeat(1e5)}"}\n`
        )
      )
      const entries = texts.map((lines, index) => ({
        name: partName(5 + index, 0),
        data: gzipSync(lines.join(""), { level: 0 })
      }))
      const large = spooled(zipOf({ entries }))
      const unpacker = yield* Unpacker
      for (const read of [
        large.read,
        (position: number, length: number, into?: Uint8Array) =>
          Effect.map(large.read(position, length), (bytes) => {
            if (into === undefined) return bytes
            into.set(bytes)
            return into.subarray(0, bytes.length)
          })
      ]) {
        const { hours } = yield* unpacker.open({ ...large, read }, "jsonl")
        assert.deepStrictEqual(
          [...hours.values()].map(({ sha256 }) => sha256),
          texts.map((lines) => createHash("sha256").update(lines.join("")).digest("hex"))
        )
      }
    }).pipe(Effect.provide(UnpackerWorkers.layer({ smallArchive: 0 })))
  )

  it.scoped("gives no verdict on an archive whose worker ends, and goes on with others", () =>
    Effect.gen(function* () {
      const workers: Array<threads.Worker> = []
      yield* made(
        class extends threads.Worker {
          constructor(...given: ConstructorParameters<typeof threads.Worker>) {
            super(...given)
            workers.push(this)
          }
        }
      )
      const endAll = Effect.promise(() => Promise.all(workers.map((it) => it.terminate())))
      yield* Effect.gen(function* () {
        const unpacker = yield* Unpacker
        let isOver = false
        const read: typeof archive.read = (position, length) => {
          if (workers.length === 0 || isOver) return archive.read(position, length)
          isOver = true
          return Effect.zipRight(endAll, archive.read(position, length))
        }
        const error = yield* Effect.flip(
          Effect.scoped(unpacker.open({ ...archive, read }, "jsonl"))
        )
        assert.strictEqual(error.reason, "Unreadable")
        assert.deepStrictEqual(yield* events, [1, 1, 1, 1, 1])
        // These have nothing to do when they end.
        yield* endAll
        assert.deepStrictEqual(yield* events, [1, 1, 1, 1, 1])
      }).pipe(Effect.provide(UnpackerWorkers.layer({ smallArchive: 0 })))
    })
  )

  it.scoped("digests in this thread if the system gives no other", () =>
    Effect.gen(function* () {
      yield* made(function () {
        throw new Error("ERR_WORKER_INIT_FAILED")
      } as unknown as typeof threads.Worker)
      assert.deepStrictEqual(
        yield* Effect.provide(events, UnpackerWorkers.layer({ smallArchive: 0 })),
        [1, 1, 1, 1, 1]
      )
    })
  )
})
