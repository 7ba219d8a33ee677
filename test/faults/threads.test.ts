import assert from "node:assert/strict"
import { syncBuiltinESMExports } from "node:module"
import threads from "node:worker_threads"
import { describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger, LogLevel, Option } from "effect"
import * as ObjectStorageFileSystem from "../../src/layers/disk/ObjectStorageFileSystem.ts"
import * as SpoolMemory from "../../src/layers/memory/SpoolMemory.ts"
import { verifyHours } from "../../src/programs/inspect/verifyHours.ts"
import { allHours } from "../../src/programs/runPipeline.ts"
import { addHours } from "../../src/services/Hour.ts"
import { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import { Spool, type SpooledArchive } from "../../src/services/Spool.ts"
import { temporaryFolder } from "../fixtures/disk.ts"
import { endWorker } from "../fixtures/endWorker.ts"
import { isLong } from "../fixtures/long.ts"
import { event, hour, keysOf, makeWorld, runOptions, textOf } from "../fixtures/world.ts"

// As it was built, since a worker thread of node 20 loads no TypeScript.
const BUILT = new URL("../../dist/layers/unpack/UnpackerWorkers.js", import.meta.url).href
const UnpackerWorkers: typeof import("../../src/layers/unpack/UnpackerWorkers.ts") = await import(
  /* @vite-ignore */ BUILT
)

const HOURS = Array.from({ length: 5 }, (_, index) => addHours(hour("2025-11-10T00"), index))

/** How a thread ends: when it is told to, or by an error of its own. */
const ENDINGS: Readonly<Record<string, (worker: threads.Worker) => unknown>> = {
  told: endWorker,
  // It is no task, so that the thread throws.
  throwing: (worker) => worker.postMessage({})
}

/** The threads that are made meanwhile. */
const recorded = Effect.acquireRelease(
  Effect.sync(() => {
    const { Worker } = threads
    const made: Array<threads.Worker> = []
    threads.Worker = class extends Worker {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given)
        made.push(this)
      }
    }
    syncBuiltinESMExports()
    return { Worker, made }
  }),
  ({ Worker }) =>
    Effect.sync(() => {
      threads.Worker = Worker
      syncBuiltinESMExports()
    })
)

/** A lake whose threads end when its archive is read for this time: which run saw it, and what it came to. */
const endAt = Effect.fnUntraced(function* (
  kind: "memory" | "folder",
  end: (worker: threads.Worker) => unknown,
  last: number
) {
  const { made } = yield* recorded
  const inner = yield* SpoolMemory.make()
  let [reads, ended] = [0, 0]
  const readable = (archive: SpooledArchive): SpooledArchive => ({
    ...archive,
    read: (position, length, into) =>
      Effect.suspend(() => {
        if (reads++ === last) {
          ended = made.length
          return Effect.zipRight(
            Effect.promise(() => Promise.all(made.map(end))),
            archive.read(position, length, into)
          )
        }
        return archive.read(position, length, into)
      })
  })
  const spool = Spool.of({
    ...inner,
    save: (...given) => Effect.map(inner.save(...given), readable),
    claim: (name) => Effect.map(inner.claim(name), Option.map(readable))
  })
  const world = yield* makeWorld({
    amplitude: { hours: Object.fromEntries(HOURS.map((at) => [at, [event(at)]])) }
  })
  // For a folder, threads write the hours while they verify them.
  const to =
    kind === "memory"
      ? world.store
      : yield* ObjectStorageFileSystem.make({ root: yield* temporaryFolder })
  let drafted = 0
  const store = ObjectStorage.of({
    ...to,
    put: (object, options) =>
      Effect.suspend(() => {
        if (object.draft !== undefined) drafted += 1
        return to.put(object, options)
      })
  })
  const layer = Layer.mergeAll(
    world.layer,
    Layer.succeed(ObjectStorage, store),
    Layer.succeed(Spool, spool),
    UnpackerWorkers.layer({ smallArchive: 0 })
  )
  const options = runOptions(HOURS[0], HOURS.at(-1), { retryBase: Duration.millis(1) })
  const run = Effect.provide(allHours(options), layer)

  const first = yield* run
  const landed = yield* keysOf(store)
  for (const key of landed) {
    const at = `${key.slice(0, 10)}T${key.slice(11, 13)}`
    assert.equal(yield* textOf(store, key), event(at), `half of ${key} landed`)
  }
  const failed = first.failed.map((it) => it.hour)
  assert.deepEqual([...first.landed, ...failed].sort(), HOURS)
  assert.equal(first.exitCode, failed.length === 0 ? 0 : landed.length === 0 ? 5 : 3)
  for (const { error } of first.failed) assert.equal(error, "UnpackerError.Unreadable")

  const second = yield* run
  assert.equal(second.exitCode, 0)
  const verified = yield* Effect.provide(
    verifyHours({ start: hour(HOURS[0] ?? ""), end: HOURS.at(-1) }),
    layer
  )
  assert.deepEqual([verified.exitCode, verified.failed], [0, []])
  assert.equal((yield* world.requests).length, 1, "the archive is requested again")
  assert.equal(drafted, kind === "folder" ? HOURS.length : 0)
  return { reads, isHit: ended > 0, isFailed: failed.length > 0 }
}, Effect.scoped)

describe("D10 a thread that ends", () => {
  const cases = Object.entries(ENDINGS).flatMap(([name, end]) =>
    (["memory", "folder"] as const).map((kind) => ({ name, end, kind }))
  )
  for (const { name, end, kind } of cases) {
    it.live(
      `loses and halves no hour, and the next run goes on from the spool: ${name}, ${kind}`,
      () =>
        Effect.gen(function* () {
          const whole = yield* endAt(kind, end, Number.POSITIVE_INFINITY)
          const ends = isLong
            ? Array.from({ length: whole.reads }, (_, at) => at)
            : [Math.floor(whole.reads / 3)]
          const seen = []
          for (const last of ends) seen.push(yield* endAt(kind, end, last))
          assert.ok(
            seen.some(({ isHit }) => isHit),
            "no thread was there to end"
          )
          assert.ok(
            seen.some(({ isFailed }) => isFailed),
            "no thread ended amid an hour"
          )
        }).pipe(Logger.withMinimumLogLevel(LogLevel.None)),
      { timeout: 240_000 }
    )
  }
})
