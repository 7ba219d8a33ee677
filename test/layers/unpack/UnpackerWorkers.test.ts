import { createHash } from "node:crypto"
import { execFile } from "node:child_process"
import { readdirSync, readlinkSync } from "node:fs"
import * as fs from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import threads from "node:worker_threads"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Option, Stream } from "effect"
import { assert } from "vitest"
import { type OpenOptions, Unpacker } from "../../../src/services/Unpacker.ts"
import { drafting, unpackerContract } from "../../contracts/unpacker.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { endWorker } from "../../fixtures/endWorker.ts"
import { isLong } from "../../fixtures/long.ts"
import { part, partName, spooled, zipOf } from "../../fixtures/archive/zipCorpus.ts"

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

/** Begins to digest an object in a worker, and stops, as often as it is told to. */
const STOPPING = `
  import("node:fs").then(async ({ readFileSync }) => {
    const [built, file, times] = process.argv.slice(1)
    const UnpackerWorkers = await import(built)
    const { Effect, Stream } = await import("effect")
    const object = readFileSync(file)
    const program = Effect.gen(function* () {
      const unpacker = yield* UnpackerWorkers.make({ smallArchive: 0 })
      for (let n = 0; n < Number(times); n++) {
        const body = Stream.concat(Stream.make(object), Stream.never)
        yield* Effect.timeoutOption(unpacker.digest("object", body, "jsonl.gz"), 60 + (n % 20) * 4)
      }
      return "stopped"
    })
    // Workers alone do not keep the process alive.
    const alive = setInterval(() => {}, 1000)
    process.stdout.write(await Effect.runPromise(Effect.scoped(program)))
    clearInterval(alive)
  })
`

/** An object as a store returns it. */
const body = (object: Uint8Array) =>
  Stream.range(0, Math.ceil(object.length / 50_000) - 1).pipe(
    Stream.map((at) => object.subarray(at * 50_000, (at + 1) * 50_000))
  )

/** The paths of the files that this process has open. */
function openFiles(): ReadonlyArray<string> {
  const folder = `/proc/${process.pid}/fd`
  return readdirSync(folder).flatMap((fd) => {
    try {
      return [readlinkSync(join(folder, fd))]
    } catch {
      return []
    }
  })
}

const textOf = (path = "absent") => Effect.promise(() => fs.readFile(path, "utf8"))

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

  const open = (options: OpenOptions, read = archive.read) =>
    Effect.flatMap(Unpacker, (unpacker) => unpacker.open({ ...archive, read }, "jsonl", options))

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
                lends: [...hours.values()].every(({ lent }) => lent !== undefined),
                hashes: [...hours.values()].map(({ sha256 }) => sha256)
              }
            })
          )
          // Where zlib's threads inflate, they may still read memory when it is used again.
          assert.deepStrictEqual(
            each.map(({ calls, lends }) => [calls, lends]),
            [
              ["used", true],
              ["switched off", false]
            ]
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
      const endAll = Effect.promise(() => Promise.all(workers.map(endWorker)))
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

  it.live.runIf(isLong)("is stopped at any moment of its work without harm to the process", () =>
    Effect.promise(async () => {
      const folder = await fs.mkdtemp(join(tmpdir(), "amplitude-lake-"))
      try {
        // Each member is inflated by an engine of its own.
        const members = Buffer.concat(Array.from({ length: 50_000 }, () => gzipSync("{}\n")))
        const file = join(folder, "object")
        await fs.writeFile(file, members)
        const args = ["-e", STOPPING, BUILT, file, "100"]
        assert.deepEqual(await promisify(execFile)(process.execPath, args), {
          stdout: "stopped",
          stderr: ""
        })
      } finally {
        await fs.rm(folder, { recursive: true })
      }
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

  describe("drafts", () => {
    const workers = UnpackerWorkers.layer({ smallArchive: 0 })
    const withoutWorkers = made(function () {
      throw new Error("ERR_WORKER_INIT_FAILED")
    } as unknown as typeof threads.Worker)

    for (const kind of ["in workers", "where no worker starts"]) {
      it.scoped(`are written ${kind}, for those hours that want one`, () =>
        Effect.gen(function* () {
          if (kind !== "in workers") yield* withoutWorkers
          const { draftFor, drafts } = yield* drafting
          const { hours } = yield* open({
            draftFor: (hour) => (hour.endsWith("7") ? Effect.succeedNone : draftFor(hour))
          })
          for (const { draft, hour } of hours.values()) {
            if (hour.endsWith("7")) assert.isUndefined(draft)
            else assert.strictEqual(yield* textOf(draft), `{"hour":${Number(hour.slice(-2))}}\n`)
          }
          assert.lengthOf(yield* drafts, 4)
        }).pipe(Effect.provide(workers))
      )
    }

    it.scoped("are not made for a small archive", () =>
      Effect.gen(function* () {
        const { hours } = yield* open({ draftFor: () => Effect.die("made") })
        for (const hour of hours.values()) assert.notProperty(hour, "draft")
      }).pipe(Effect.provide(UnpackerWorkers.layer()))
    )

    it.scoped.skipIf(process.platform !== "linux")(
      "change nothing of the digest if they cannot be opened, or the disk is full",
      () =>
        Effect.gen(function* () {
          const plain = yield* open({})
          for (const path of ["/dev/full", join(yield* temporaryFolder, "absent")]) {
            const { hours } = yield* open({ draftFor: () => Effect.succeedSome(path) })
            for (const [hour, { body, lent, ...digest }] of hours) {
              const expected = { ...plain.hours.get(hour), body, lent }
              assert.deepStrictEqual({ ...digest, body, lent }, expected)
            }
            assert.strictEqual(hours.size, 5)
          }
        }).pipe(Effect.provide(workers))
    )

    it.scoped.skipIf(process.platform !== "linux")(
      "are closed once an unpacking is interrupted",
      () =>
        Effect.gen(function* () {
          const { draftFor, drafts } = yield* drafting
          const asked = yield* Deferred.make<void>()
          const paths: Array<string> = []
          const opening = yield* open(
            {
              draftFor: (hour) =>
                Effect.tap(draftFor(hour), (path) => paths.push(Option.getOrThrow(path)))
            },
            (...given) =>
              paths.length === 0
                ? archive.read(...given)
                : Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never)
          ).pipe(Effect.fork)
          yield* Deferred.await(asked)
          const before = openFiles()
          assert.isTrue(paths.some((path) => before.includes(path)))
          yield* Fiber.interrupt(opening)
          const after = openFiles()
          assert.isFalse(paths.some((path) => after.includes(path)))
          assert.deepStrictEqual(yield* drafts, [])
        }).pipe(Effect.provide(workers))
    )

    it.scoped("are removed with the verdict on an archive whose worker ends", () =>
      Effect.gen(function* () {
        const all: Array<threads.Worker> = []
        yield* made(
          class extends threads.Worker {
            constructor(...given: ConstructorParameters<typeof threads.Worker>) {
              super(...given)
              all.push(this)
            }
          }
        )
        const { draftFor, drafts } = yield* drafting
        const endAll = Effect.promise(() => Promise.all(all.map(endWorker)))
        const error = yield* Effect.flip(
          open({ draftFor }, (...given) => Effect.zipRight(endAll, archive.read(...given)))
        )
        assert.strictEqual(error.reason, "Unreadable")
        assert.deepStrictEqual(yield* drafts, [])
      }).pipe(Effect.provide(workers))
    )
  })

  describe("digest", () => {
    const lines = Array.from(
      { length: 4000 },
      (_, n) => `{"n":${n},"x":"${`${n}`.repeat(3000)}"}\n`
    )
    const text = Buffer.from(lines.join(""))
    const digested = (unpacker: Unpacker["Type"], format: "jsonl" | "jsonl.gz") =>
      Effect.gen(function* () {
        const hash = createHash("sha256")
        const onLines = (taken: Uint8Array) => Effect.sync(() => hash.update(taken))
        const object = format === "jsonl" ? text : gzipSync(text)
        const digest = yield* unpacker.digest("object", body(object), format, { onLines })
        const alone = yield* unpacker.digest("object", body(object), format)
        assert.deepStrictEqual(alone, digest)
        return { digest, taken: hash.digest("hex") }
      })

    it.scoped.runIf(isLong)(
      "passes on in a worker what it would in this thread, more than is sent ahead",
      () =>
        Effect.gen(function* () {
          assert.isAbove(text.length, 40 * 1024 ** 2)
          const here = yield* UnpackerWorkers.make({ smallArchive: 1e9 })
          for (const inflate of ["fast", "portable"] as const) {
            const there = yield* UnpackerWorkers.make({ smallArchive: 0, inflate })
            for (const format of ["jsonl", "jsonl.gz"] as const) {
              assert.deepStrictEqual(yield* digested(there, format), yield* digested(here, format))
            }
          }
        })
    )

    it.scoped("is done with an object whose store fails or that nobody takes, and goes on", () =>
      Effect.gen(function* () {
        const unpacker = yield* UnpackerWorkers.make({ smallArchive: 0 })
        const cut = Stream.concat(Stream.take(body(text), 3), Stream.fail("gone"))
        const fails = unpacker.digest("object", cut, "jsonl", { onLines: () => Effect.void })
        assert.strictEqual(yield* Effect.flip(fails), "gone")
        const taken = yield* Deferred.make<void>()
        const waits = yield* Effect.fork(
          unpacker.digest("object", body(text), "jsonl", {
            onLines: () => Effect.zipRight(Deferred.succeed(taken, undefined), Effect.never)
          })
        )
        yield* Deferred.await(taken)
        yield* Fiber.interrupt(waits)
        assert.strictEqual((yield* digested(unpacker, "jsonl")).digest.events, lines.length)
      })
    )

    it.scoped.runIf(isLong)(
      "gives no verdict on an object whose worker ends, and reads on without workers",
      () =>
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
          const unpacker = yield* UnpackerWorkers.make({ smallArchive: 0 })
          const onLines = () => Effect.promise(() => Promise.all(workers.map(endWorker)))
          const error = yield* Effect.flip(
            unpacker.digest("object", body(text), "jsonl", { onLines })
          )
          assert.strictEqual(error.reason, "Unreadable")
          yield* made(function () {
            throw new Error("ERR_WORKER_INIT_FAILED")
          } as unknown as typeof threads.Worker)
          assert.strictEqual(
            (yield* digested(unpacker, "jsonl.gz")).digest.size,
            gzipSync(text).length
          )
        })
    )
  })
})
