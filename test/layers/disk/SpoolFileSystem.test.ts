import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Scope, Stream } from "effect"
import { assert } from "vitest"
import * as SpoolFileSystem from "../../../src/layers/disk/SpoolFileSystem.ts"
import { type ArchiveName, Spool } from "../../../src/services/Spool.ts"
import { archiveName, claimed, readText, saveText, spoolContract } from "../../contracts/spool.ts"
import {
  beforeSync,
  deadRun,
  liveRun,
  modeOf,
  onSlowDisk,
  pathsBelow,
  smallDisk,
  syncsOf,
  temporaryFolder
} from "../../fixtures/disk.ts"

spoolContract(
  "SpoolFileSystem",
  Layer.unwrapScoped(
    Effect.map(temporaryFolder, (root) => SpoolFileSystem.layer({ root: join(root, "spool") }))
  )
)

/** Runs a program with a spool of its own in a folder, as one run does. */
const inSpool =
  (root: string) =>
  <A, E, R>(program: Effect.Effect<A, E, R>) =>
    Effect.provide(program, SpoolFileSystem.layer({ root }))

/** Saves some text under a name, durably. */
const flushedText = (name: ArchiveName, text: string) =>
  Effect.tap(saveText(name, text), (archive) =>
    Effect.flatMap(Spool, (spool) => spool.flush(archive))
  )

const listed = Effect.flatMap(Spool, (spool) => spool.list("eu-3fa9c1"))

const name = archiveName("eu-3fa9c1", "2025-11-10T00", "2025-11-10T23")
const file = "eu-3fa9c1~2025-11-10T00~2025-11-10T23~1762905600000.zip"

const write = (path: string, text: string) =>
  Effect.promise(async () => {
    await fs.mkdir(dirname(path), { recursive: true })
    await fs.writeFile(path, text)
  })

describe("SpoolFileSystem", () => {
  it.scoped("writes nothing for those who only list", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "absent")
      assert.deepStrictEqual(yield* inSpool(root)(listed), [])
      assert.deepStrictEqual(yield* pathsBelow(dirname(root)), [])
    })
  )

  it.scoped("names a free archive by source, window and time, for its owner alone", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "spool")
      yield* Effect.gen(function* () {
        const { path } = yield* flushedText(name, "kept")
        assert.strictEqual(yield* modeOf(path), 0o600)
        assert.strictEqual(yield* modeOf(dirname(path)), 0o700)
        assert.deepStrictEqual(yield* Effect.promise(() => fs.readdir(root)), ["runs"])
      }).pipe(Effect.scoped, inSpool(root))
      assert.deepStrictEqual(yield* pathsBelow(root), [file, "runs"])
      assert.strictEqual(yield* modeOf(join(root, file)), 0o600)
      assert.strictEqual(yield* modeOf(root), 0o700)
      assert.deepStrictEqual(yield* inSpool(root)(listed), [name])
    })
  )

  it.scoped.skipIf(process.platform !== "linux")(
    "makes an archive durable before it is called whole, and then its name",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* Effect.gen(function* () {
          yield* saveText(name, "before")
          const folder = join(
            root,
            "runs",
            (yield* Effect.promise(() => fs.readdir(join(root, "runs"))))[0] ?? ""
          )
          const isWhole = () => existsSync(join(folder, "1", file))
          assert.deepStrictEqual(yield* syncsOf(root, isWhole, flushedText(name, "x")), [
            { path: "run", seen: false },
            { path: `run/1/${file}.part`, seen: false },
            { path: "run/1", seen: true }
          ])
        }).pipe(Effect.scoped, inSpool(root))
        const putBack = syncsOf(
          root,
          () => existsSync(join(root, file)),
          Effect.scoped(claimed(name))
        )
        assert.deepStrictEqual((yield* inSpool(root)(putBack)).at(-1), { path: "", seen: true })
      })
  )

  it.scoped.skipIf(process.platform !== "linux")(
    "flushes an archive before it goes back, if nobody has",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const syncs = syncsOf(
          root,
          () => existsSync(join(root, file)),
          Effect.scoped(saveText(name, "x"))
        )
        assert.deepStrictEqual((yield* inSpool(root)(syncs)).slice(-3), [
          { path: `run/0/${file}.part`, seen: false },
          { path: "run/0", seen: false },
          { path: "", seen: true }
        ])
      })
  )

  it.scoped.skipIf(process.platform !== "linux")(
    "ends a flush that is interrupted, and puts the archive back",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const [begun, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const flushing = Effect.gen(function* () {
          const spool = yield* Spool
          const archive = yield* saveText(name, "kept")
          const fiber = yield* Effect.fork(spool.flush(archive))
          yield* Deferred.await(begun)
          const interruption = yield* Effect.fork(Fiber.interrupt(fiber))
          yield* Effect.yieldNow()
          yield* Deferred.succeed(goOn, undefined)
          yield* Fiber.join(interruption)
          yield* spool.flush(archive)
        }).pipe(Effect.scoped, inSpool(root))
        const before = async (path: string) => {
          if (!path.endsWith(".part")) return
          await Effect.runPromise(Deferred.succeed(begun, undefined))
          await Effect.runPromise(Deferred.await(goOn))
        }
        yield* beforeSync(before, flushing)
        assert.deepStrictEqual(yield* pathsBelow(root), [file, "runs"])
        const text = yield* Effect.promise(() => fs.readFile(join(root, file), "utf8"))
        assert.strictEqual(text, "kept")
      })
  )

  it.scoped.skipIf(process.platform !== "linux")(
    "leaves nothing of an archive that the disk has lost, though a later flush would succeed",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const lost = Effect.gen(function* () {
          const spool = yield* Spool
          const archive = yield* saveText(name, "lost")
          const error = yield* Effect.flip(spool.flush(archive))
          assert.strictEqual(error.method, "save")
          assert.match(error.message, /\.zip\.part" in the spool: Failed: EIO/)
          assert.deepStrictEqual(yield* Effect.flip(spool.flush(archive)), error)
        }).pipe(Effect.scoped, inSpool(root))
        let losses = 0
        const before = async (path: string) => {
          // Linux reports a lost write to one flush only.
          if (path.endsWith(".part") && (losses += 1) === 1) {
            throw Object.assign(new Error("EIO: i/o error, fsync"), { code: "EIO" })
          }
        }
        yield* beforeSync(before, lost)
        assert.deepStrictEqual(yield* pathsBelow(root), ["runs"])
      })
  )

  it.scoped("removes an archive at once that is flushed while it is dropped", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const spool = yield* Spool
        for (let round = 0; round < 50; round++) {
          const archive = yield* saveText(name, "x")
          yield* Effect.all([Effect.exit(spool.flush(archive)), spool.drop(archive)], {
            concurrency: "unbounded"
          })
          const left = yield* Effect.promise(() => fs.readdir(dirname(archive.path)))
          assert.deepStrictEqual(left, [])
        }
      }).pipe(Effect.scoped, inSpool(root))
    })
  )

  it.scoped("removes a dropped archive at once, flushed or not", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const spool = yield* Spool
        for (const archive of [yield* saveText(name, "x"), yield* flushedText(name, "y")]) {
          yield* spool.drop(archive)
          const left = yield* Effect.promise(() => fs.readdir(dirname(archive.path)))
          assert.deepStrictEqual(left, [])
        }
      }).pipe(Effect.scoped, inSpool(root))
    })
  )

  it.scoped("leaves no file when a body fails or is interrupted, though the scope stays open", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const spool = yield* Spool
        const files = Effect.map(pathsBelow(root), (paths) =>
          paths.filter((path) => path.endsWith(".part") || path.endsWith(".zip"))
        )
        const half = Stream.make(new Uint8Array(2_000_000))
        const failing = Stream.concat(half, Stream.fail("cut"))
        yield* Effect.flip(spool.save(name, failing, Option.none()))
        assert.deepStrictEqual(yield* files, [])
        const reached = yield* Deferred.make<void>()
        const hanging = Stream.concat(
          half,
          Stream.fromEffect(Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never))
        )
        const fiber = yield* Effect.fork(spool.save(name, hanging, Option.none()))
        yield* Deferred.await(reached)
        assert.lengthOf(yield* files, 1)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* files, [])
      }).pipe(inSpool(root))
    })
  )

  it.scoped(
    "frees the whole archives of dead runs, drops the halves, and leaves live runs alone",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const dead = yield* deadRun
        const live = yield* liveRun
        const later = archiveName("eu-3fa9c1", "2025-11-11T00")
        const laterFile = "eu-3fa9c1~2025-11-11T00~2025-11-11T00~1762905600000.zip"
        yield* write(join(root, "runs", dead, "0", file), "of the dead")
        yield* write(join(root, "runs", dead, "1", `${laterFile}.part`), "half")
        // What a dead run had itself taken over from another.
        yield* write(join(root, "runs", dead, "2", "0", laterFile), "of the dead's dead")
        yield* write(
          join(root, "runs", live, "0", file.replace("2025-11-10T23", "2025-11-12T23")),
          ""
        )
        yield* write(join(root, "unknown.zip"), "")
        yield* write(join(root, file.replace("2025-11-10T23", "2025-11-09T23")), "")

        assert.deepStrictEqual(yield* inSpool(root)(listed), [name, later])
        assert.deepStrictEqual(
          (yield* pathsBelow(root)).filter((path) => path.endsWith(".part")),
          []
        )
        yield* Effect.gen(function* () {
          assert.strictEqual(yield* readText(yield* claimed(name)), "of the dead")
          assert.strictEqual(yield* readText(yield* claimed(later)), "of the dead's dead")
        }).pipe(Effect.scoped, inSpool(root))
        assert.deepStrictEqual(yield* Effect.promise(() => fs.readdir(join(root, "runs"))), [live])
        assert.includeMembers(yield* pathsBelow(root), [file, laterFile])
      })
  )

  it.scoped(
    "lists the leftovers of dead runs without a change, and prunes only partial archives",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const dead = yield* deadRun
        const live = yield* liveRun
        yield* write(join(root, "runs", dead, "0", file), "whole")
        yield* write(join(root, "runs", dead, "1", `${file}.part`), "half")
        yield* write(join(root, "runs", live, "0", `${file}.part`), "of the living")
        yield* write(join(root, "notes.txt"), "mine")
        const before = yield* pathsBelow(root)
        const surveyed = inSpool(root)(Effect.flatMap(Spool, (spool) => spool.survey))
        const { archives, halves } = yield* surveyed
        assert.deepStrictEqual(
          archives.map(({ path, size }) => [path, size]),
          [[join(root, "runs", dead, "0", file), 5]]
        )
        assert.deepStrictEqual(halves, [
          { path: join(root, "runs", dead, "1", `${file}.part`), size: 4 }
        ])
        assert.deepStrictEqual(yield* pathsBelow(root), before)

        yield* inSpool(root)(Effect.flatMap(Spool, (spool) => spool.prune))
        const after = yield* surveyed
        assert.deepStrictEqual(
          [after.archives.map(({ path }) => path), after.halves],
          [[join(root, file)], []]
        )
        assert.includeMembers(yield* pathsBelow(root), [
          "notes.txt",
          join("runs", live, "0", `${file}.part`)
        ])
      })
  )

  it.scoped("frees the archive of a run that died after this one began", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const dead = yield* deadRun
      yield* Effect.gen(function* () {
        yield* saveText(archiveName("eu-3fa9c1"), "own")
        yield* write(join(root, "runs", dead, "0", file), "of the dead")
        assert.strictEqual(yield* readText(yield* claimed(name)), "of the dead")
      }).pipe(Effect.scoped, inSpool(root))
    })
  )

  it.scoped("reads and writes whole on a disk that does a part at a time", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const archive = yield* saveText(name, "0123456789")
        assert.strictEqual(yield* readText(archive), "0123456789")
        assert.strictEqual((yield* archive.read(7, 9)).length, 3)
      }).pipe(onSlowDisk, Effect.scoped, inSpool(root))
    })
  )

  it.effect("lets one of two runs have a dead run's archive", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* write(join(root, "runs", yield* deadRun, "0", file), "one")
      const gate = yield* Effect.makeSemaphore(0)
      const run = Effect.gen(function* () {
        const spool = yield* Spool
        const claim = yield* spool.claim(name)
        // Holds on until both have tried.
        yield* gate.release(1)
        yield* gate.take(2)
        yield* gate.release(2)
        return claim
      }).pipe(Effect.scoped, inSpool(root))
      const claims = yield* Effect.all([run, run], { concurrency: "unbounded" })
      assert.strictEqual(claims.filter(Option.isSome).length, 1)
      assert.deepStrictEqual(yield* inSpool(root)(listed), [name])
    }).pipe(Effect.scoped)
  )

  it.scoped("keeps an archive whose scope outlives the spool's", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const scope = yield* Scope.make()
      const spool = yield* Scope.extend(saveText(name, "kept"), scope).pipe(inSpool(root))
      assert.deepStrictEqual(yield* inSpool(root)(listed), [name])
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(basename(spool.path), file)
      assert.deepStrictEqual(yield* inSpool(root)(listed), [name])
    })
  )

  it.scoped.skipIf(process.platform !== "linux")(
    "waits for an archive that is being flushed when the spool closes",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const [begun, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const closing = Effect.gen(function* () {
          const scope = yield* Scope.make()
          const fiber = yield* Effect.gen(function* () {
            yield* Scope.extend(saveText(name, "kept"), scope)
            const fiber = yield* Effect.forkDaemon(Scope.close(scope, Exit.void))
            yield* Deferred.await(begun)
            yield* Effect.forkDaemon(
              Effect.zipRight(Effect.sleep(0), Deferred.succeed(goOn, undefined))
            )
            return fiber
          }).pipe(inSpool(root))
          yield* Fiber.join(fiber)
        })
        const before = async (path: string) => {
          if (!path.endsWith(".part")) return
          await Effect.runPromise(Deferred.succeed(begun, undefined))
          await Effect.runPromise(Deferred.await(goOn))
        }
        yield* beforeSync(before, closing)
        assert.deepStrictEqual(yield* pathsBelow(root), [file, "runs"])
      })
  )

  it.scoped("checks the free space first, and names the needed and the free bytes", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const spool = yield* Spool
        const body = Stream.die("the body was run")
        const needed = 2 ** 52
        const error = yield* Effect.flip(spool.save(name, body, Option.some(needed)))
        assert.strictEqual(error.reason, "NoSpace")
        assert.include(error.message, root)
        assert.match(error.detail, new RegExp(`needs ${needed} bytes and \\d+ are free`))
        assert.deepStrictEqual(
          (yield* pathsBelow(root)).filter((path) => path.includes(".zip")),
          []
        )
      }).pipe(inSpool(root))
    })
  )

  it.scoped("distinguishes a full disk from a read-only one", (context) =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const small = yield* Effect.option(smallDisk(join(root, "small"), "size=3m"))
      if (Option.isNone(small)) return context.skip("this user may not mount a disk")
      yield* Effect.gen(function* () {
        const spool = yield* Spool
        const body = Stream.repeatEffect(Effect.sync(() => new Uint8Array(65_536)))
        const error = yield* Effect.flip(spool.save(name, body, Option.none()))
        assert.strictEqual(error.reason, "NoSpace")
        assert.match(error.detail, /after [23]\d{6} bytes;/)
        assert.include(error.path, small.value)
        assert.deepStrictEqual(
          (yield* pathsBelow(small.value)).filter((path) => path.includes(".zip")),
          []
        )
        assert.strictEqual(yield* readText(yield* saveText(name, "fits")), "fits")
      }).pipe(Effect.scoped, inSpool(small.value))

      const readOnly = yield* smallDisk(join(root, "read only"), "size=1m,ro")
      const denied = yield* Effect.flip(inSpool(readOnly)(Effect.scoped(saveText(name, "x"))))
      assert.strictEqual(denied.reason, "AccessDenied")
    })
  )
})
