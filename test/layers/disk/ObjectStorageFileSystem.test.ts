import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Fiber, Layer, Logger, Option, Stream, TestClock } from "effect"
import { assert } from "vitest"
import * as ObjectStorageFileSystem from "../../../src/layers/disk/ObjectStorageFileSystem.ts"
import { ObjectStorage, type ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import {
  bufferAgainAndAgain,
  keysBelow,
  objectOf,
  objectStorageContract,
  textOf
} from "../../contracts/objectStorage.ts"
import {
  deadRun,
  earlierRun,
  foreignRun,
  liveRun,
  lookupsOf,
  modeOf,
  onSlowDisk,
  pathsBelow,
  smallDisk,
  syncsOf,
  temporaryFolder
} from "../../fixtures/disk.ts"
import { isLong } from "../../fixtures/long.ts"

objectStorageContract(
  "ObjectStorageFileSystem",
  Layer.unwrapScoped(
    Effect.map(temporaryFolder, (root) =>
      ObjectStorageFileSystem.layer({ root: join(root, "data"), prefix: "python-import/" })
    )
  ),
  100
)

/** Runs a program with a store of its own in a folder, as one run does. */
const inStore =
  (root: string, prefix?: string) =>
  <A, E>(program: Effect.Effect<A, E, ObjectStorage>) =>
    Effect.provide(program, ObjectStorageFileSystem.layer({ root, prefix }))

const put = (...object: Parameters<typeof objectOf>) =>
  Effect.flatMap(ObjectStorage, (storage) => storage.put(objectOf(...object)))

const headOf = (key: string) =>
  Effect.flatMap(ObjectStorage, (storage) => Effect.map(storage.head(key), Option.getOrThrow))

const listed = Effect.flatMap(ObjectStorage, (storage) =>
  Effect.map(Stream.runCollect(storage.list), Chunk.toReadonlyArray)
)

const write = (path: string, text: string) =>
  Effect.promise(async () => {
    await fs.mkdir(dirname(path), { recursive: true })
    await fs.writeFile(path, text)
  })

/** The paths that a store keeps for itself, without folders. */
const innerFiles = (root: string) =>
  Effect.promise(async () => {
    const entries = await fs.readdir(join(root, ".amplitude-lake"), {
      recursive: true,
      withFileTypes: true
    })
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
  })

/** A draft that has been written. */
const drafted = (text: string) =>
  Effect.gen(function* () {
    const { draft } = yield* ObjectStorage
    assert(draft !== undefined)
    const path = yield* draft
    yield* Effect.promise(() => fs.appendFile(path, text))
    return path
  })

describe("ObjectStorageFileSystem", () => {
  it.scoped("writes nothing for those who only read", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "absent")
      yield* inStore(root)(
        Effect.gen(function* () {
          const storage = yield* ObjectStorage
          assert.deepStrictEqual(yield* listed, [])
          assert.isTrue(Option.isNone(yield* storage.head("a.jsonl")))
          yield* Effect.flip(Stream.runDrain(storage.get("a.jsonl")))
          yield* storage.remove("a.jsonl")
        })
      )
      assert.deepStrictEqual(yield* pathsBelow(dirname(root)), [])
    })
  )

  it.scoped("keeps files and folders for their owner alone, and no run's folder", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "data")
      yield* inStore(root, "python-import/")(put("dt=2025-11-10/hour=21/events.jsonl", "{}\n"))
      const paths = yield* pathsBelow(root)
      const file = "python-import/dt=2025-11-10/hour=21/events.jsonl"
      assert.include(paths, file)
      for (const path of [".", ...paths]) {
        const isFile = path === file || path.endsWith(".json")
        assert.strictEqual(yield* modeOf(join(root, path)), isFile ? 0o600 : 0o700, path)
      }
      assert.deepStrictEqual(yield* pathsBelow(join(root, ".amplitude-lake/runs")), [])
    })
  )

  it.scoped("names the folder as it was given, with the prefix", () =>
    Effect.gen(function* () {
      const place = Effect.map(ObjectStorage, ({ place }) => place)
      assert.strictEqual(
        yield* inStore("s3_dev", "python-import/")(place),
        "folder s3_dev/python-import/"
      )
      assert.strictEqual(yield* inStore("data/")(place), "folder data/")
    })
  )

  it.scoped("keeps prefixes apart", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* inStore(root)(put("a/b_x.jsonl", "1"))
      yield* inStore(root)(put("a/c_x.jsonl", "2"))
      yield* inStore(root)(put("a/b_d/y.jsonl", "3"))
      assert.deepStrictEqual(yield* inStore(root, "a/b_")(keysBelow("")), ["d/y.jsonl", "x.jsonl"])
      assert.deepStrictEqual(yield* inStore(root, "a/")(keysBelow("")), [
        "b_d/y.jsonl",
        "b_x.jsonl",
        "c_x.jsonl"
      ])
      assert.strictEqual(yield* inStore(root, "a/b_")(textOf("x.jsonl")), "1")
      for (const prefix of ["../", "/", ".hidden/", "a//"]) {
        const storage = inStore(root, prefix)
        const check = Effect.flatMap(ObjectStorage, ({ check }) => check)
        assert.strictEqual((yield* Effect.flip(storage(check))).reason, "Misconfigured")
        assert.strictEqual((yield* Effect.flip(storage(listed))).reason, "Misconfigured")
      }
    })
  )

  it.scoped("lists by one look at each file and one at its metadata", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const keys = Array.from({ length: 150 }, (_, at) => `${1000 + at}.jsonl`)
      yield* inStore(root)(Effect.forEach(keys, (key) => put(key, key)))
      const { calls, result } = yield* inStore(root)(lookupsOf(listed))
      // The one of `fs.promises` reads the store's folder.
      assert.deepStrictEqual(calls, { readdir: 1, lstatSync: 150, readdirSync: 150 })
      assert.deepStrictEqual(result.map(({ key }) => key).sort(), keys)
      const one = result.find(({ key }) => key === "1007.jsonl")
      const { metadata: _, ...head } = yield* inStore(root)(headOf("1007.jsonl"))
      assert.deepStrictEqual(one, head)
    })
  )

  it.scoped("lists a file that was edited, or is of another program, as a lookup sees it", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* inStore(root)(Effect.forEach(["a", "b", "c"], (key) => put(`${key}.jsonl`, key)))
      yield* write(join(root, "b.jsonl"), "longer")
      yield* write(join(root, "d.jsonl"), "of another program")
      yield* inStore(root)(
        Effect.gen(function* () {
          const infos = (yield* listed).toSorted((one, other) => one.key.localeCompare(other.key))
          assert.deepStrictEqual(
            infos.map(({ hasMetadata, key }) => [key, hasMetadata]),
            [
              ["a.jsonl", true],
              ["b.jsonl", true],
              ["c.jsonl", true],
              ["d.jsonl", false]
            ]
          )
          for (const info of infos) {
            const { metadata: _, ...head } = yield* headOf(info.key)
            assert.deepStrictEqual(info, head)
          }
        })
      )
    })
  )

  for (const key of ["", "/a", "a//b", "../outside", "a/../b", ".hidden", "a/.b", "a/", "a\0b"]) {
    it.scoped(`refuses the key ${JSON.stringify(key)}`, () =>
      Effect.gen(function* () {
        const root = join(yield* temporaryFolder, "data")
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          for (const call of [
            storage.head(key),
            Stream.runDrain(storage.get(key)),
            storage.put(objectOf(key, "x")),
            storage.remove(key)
          ]) {
            const error = yield* Effect.flip<unknown, ObjectStorageError, never>(call)
            assert.strictEqual(error.reason, "Failed")
          }
        }).pipe(inStore(root, "a/"))
        assert.deepStrictEqual(yield* pathsBelow(dirname(root)), [])
      })
    )
  }

  it.scoped(
    "writes the very bytes that it hashes, to a disk that is slow and takes less than it is given",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const { bytes, body } = bufferAgainAndAgain()
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          assert.isTrue(yield* storage.put({ ...objectOf("a.jsonl", bytes), body }))
        }).pipe(inStore(root), onSlowDisk)
        const written = yield* Effect.promise(() => fs.readFile(join(root, "a.jsonl")))
        assert.strictEqual(Buffer.compare(written, bytes), 0)
      })
  )

  it.scoped.skipIf(process.platform !== "linux")(
    "makes bytes and metadata durable before the object is seen, and then its name",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* inStore(root)(
          Effect.gen(function* () {
            yield* put("d/a.jsonl", "x")
            const syncs = yield* syncsOf(
              root,
              () => existsSync(join(root, "d/b.jsonl")),
              put("d/b.jsonl", "y", { events: "1" })
            )
            assert.deepStrictEqual(syncs, [
              { path: ".amplitude-lake/run/2", seen: false },
              { path: ".amplitude-lake/run/3", seen: false },
              { path: ".amplitude-lake/metadata/d", seen: false },
              { path: ".amplitude-lake/metadata/d/b.jsonl", seen: false },
              { path: "d", seen: true }
            ])
          })
        )
      })
  )

  it.scoped("does not run the body of an object that is there", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const storage = yield* ObjectStorage
        yield* put("a.jsonl", "x")
        const body = Stream.die("the body was run")
        assert.isFalse(yield* storage.put({ ...objectOf("a.jsonl", "y"), body }))
      }).pipe(inStore(root))
    })
  )

  it.scoped("leaves no file of a body that fails, is untrue or is interrupted", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const storage = yield* ObjectStorage
        const object = objectOf("a/b.jsonl", "x")
        yield* Effect.flip(storage.put({ ...object, body: Stream.fail("cut") }))
        yield* Effect.flip(storage.put({ ...object, size: 7 }))
        const reached = yield* Deferred.make<void>()
        const body = Stream.concat(
          object.body,
          Stream.fromEffect(Effect.zipRight(Deferred.succeed(reached, undefined), Effect.never))
        )
        const fiber = yield* Effect.fork(storage.put({ ...object, body }))
        yield* Deferred.await(reached)
        assert.lengthOf(yield* innerFiles(root), 1)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* innerFiles(root), [])
        assert.deepStrictEqual(yield* keysBelow(""), [])
      }).pipe(inStore(root))
    })
  )

  describe("draft", () => {
    const unread = { body: Stream.die("the body was read") }

    it.scoped("becomes the object, for its owner only, and is gone then", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          const object = objectOf("a/b.jsonl", "text", { events: "1" })
          const draft = yield* drafted("text")
          assert.isTrue(yield* storage.put({ ...object, ...unread, draft }))
          assert.strictEqual(yield* textOf("a/b.jsonl"), "text")
          const { metadata, size } = yield* headOf("a/b.jsonl")
          assert.deepStrictEqual({ metadata, size }, { metadata: { events: "1" }, size: 4 })
          assert.strictEqual(yield* modeOf(join(root, "a/b.jsonl")), 0o600)
          assert.isFalse(existsSync(draft))
          assert.isTrue(yield* storage.put({ ...object, key: "c.jsonl", draft }), "used again")
          assert.strictEqual(yield* textOf("c.jsonl"), "text")
        }).pipe(Effect.scoped, inStore(root))
      })
    )

    it.scoped("replaces an object, or loses to one", () =>
      Effect.gen(function* () {
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          yield* put("a.jsonl", "old")
          const lost = { ...objectOf("a.jsonl", "text"), draft: yield* drafted("text") }
          assert.isFalse(yield* storage.put(lost))
          const { etag } = yield* headOf("a.jsonl")
          assert.isTrue(yield* storage.put({ ...lost, ...unread }, { replacing: etag }))
          assert.strictEqual(yield* textOf("a.jsonl"), "text")
        }).pipe(Effect.scoped, inStore(yield* temporaryFolder))
      })
    )

    it.scoped("is passed over, with a warning, if its size is not the announced one", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const logs: Array<string> = []
        const logger = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ message }) => void logs.push(String(message)))
        )
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          for (const written of ["tex", "texts", undefined]) {
            const draft = yield* drafted(written ?? "text")
            if (written === undefined) yield* Effect.promise(() => fs.rm(draft))
            assert.isTrue(yield* storage.put({ ...objectOf("a.jsonl", "text"), draft }))
            assert.strictEqual(yield* textOf("a.jsonl"), "text")
            assert.isFalse(existsSync(draft))
            yield* storage.remove("a.jsonl")
          }
        }).pipe(Effect.scoped, inStore(root), Effect.provide(logger))
        assert.deepStrictEqual(logs, [
          'The draft of "a.jsonl" has 3 bytes instead of the announced 4; the hour is written again',
          'The draft of "a.jsonl" has 5 bytes instead of the announced 4; the hour is written again',
          'The draft of "a.jsonl" is gone; the hour is written again'
        ])
      })
    )

    it.scoped("is ignored if it is another store's, or somebody else's file", () =>
      Effect.gen(function* () {
        const other = yield* ObjectStorageFileSystem.make({ root: yield* temporaryFolder })
        const file = join(yield* temporaryFolder, "file")
        yield* write(file, "TEXT")
        const draft = yield* Effect.provideService(drafted("TEXT"), ObjectStorage, other)
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          assert.isTrue(yield* storage.put({ ...objectOf("a.jsonl", "text"), draft }))
          assert.isTrue(yield* storage.put({ ...objectOf("b.jsonl", "text"), draft: file }))
          for (const key of ["a.jsonl", "b.jsonl"]) assert.strictEqual(yield* textOf(key), "text")
        }).pipe(inStore(yield* temporaryFolder))
        assert.isTrue(existsSync(draft))
      })
    )

    it.scoped("gives its space back with its scope, or as soon as a put with it fails", () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          yield* write(join(root, "a"), "a file where a folder is needed")
          yield* Effect.scoped(
            Effect.gen(function* () {
              const object = { ...objectOf("a/b.jsonl", "text"), draft: yield* drafted("text") }
              const failed = yield* Effect.flip(storage.put(object))
              assert.strictEqual(failed.reason, "Misconfigured")
              assert.deepStrictEqual(yield* innerFiles(root), [])
              yield* drafted("text")
              assert.lengthOf(yield* innerFiles(root), 1)
            })
          )
          assert.deepStrictEqual(yield* innerFiles(root), [])
        }).pipe(inStore(root))
      })
    )
  })

  it.scoped(
    "leaves no metadata of puts that lost, nor of objects that were removed or replaced",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* Effect.gen(function* () {
          const storage = yield* ObjectStorage
          const writers = Array.from({ length: 10 }, (_, writer) => String(writer))
          yield* Effect.forEach(writers, (writer) => put("a/b.jsonl", writer, { writer }), {
            concurrency: "unbounded"
          })
          assert.lengthOf(yield* innerFiles(root), 1)
          const { etag } = yield* headOf("a/b.jsonl")
          yield* storage.put(objectOf("a/b.jsonl", "new"), { replacing: etag })
          assert.lengthOf(yield* innerFiles(root), 1)
          yield* storage.remove("a/b.jsonl")
          assert.deepStrictEqual(yield* innerFiles(root), [])
        }).pipe(inStore(root))
      })
  )

  it.scoped.runIf(isLong)(
    "puts and removes one key from two runs at once, and never shows it without metadata",
    () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        const turns = Array.from({ length: 60 }, (_, turn) => turn)
        const run = (by: string) =>
          Effect.forEach(turns, (turn) =>
            Effect.gen(function* () {
              const storage = yield* ObjectStorage
              yield* put("a.jsonl", "the same", { by })
              const head = yield* storage.head("a.jsonl")
              if (Option.isSome(head)) assert.containsAllKeys(head.value.metadata, ["by"])
              if (turn % 2 === 0) yield* storage.remove("a.jsonl")
            })
          ).pipe(inStore(root))
        yield* Effect.all([run("one"), run("other")], { concurrency: "unbounded" })
        yield* inStore(root)(Effect.flatMap(ObjectStorage, ({ remove }) => remove("a.jsonl")))
        assert.deepStrictEqual(yield* innerFiles(root), [])
      })
  )

  it.scoped("shows a file of another program without metadata, and never overwrites it", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* write(join(root, "2025-11-10_21.jsonl"), "{}\n")
      yield* Effect.gen(function* () {
        assert.isFalse(yield* put("2025-11-10_21.jsonl", "{}\n", { hour: "2025-11-10T21" }))
        const [info] = yield* listed
        const head = yield* headOf("2025-11-10_21.jsonl")
        assert.deepStrictEqual(head, { ...info, metadata: {} } as typeof head)
        assert.isFalse(head.hasMetadata)
        assert.strictEqual(head.size, 3)
      }).pipe(inStore(root))
    })
  )

  for (const [title, change] of [
    ["cut", (path: string) => fs.truncate(path, 3)],
    ["emptied", (path: string) => fs.truncate(path, 0)],
    ["written again", (path: string) => fs.rm(path).then(() => fs.writeFile(path, "other"))]
  ] as const) {
    it.scoped(`keeps the metadata of a file that was ${title}, so that it is noticed`, () =>
      Effect.gen(function* () {
        const root = yield* temporaryFolder
        yield* Effect.gen(function* () {
          yield* put("a.jsonl", '{"a":1}\n', { events: "1" })
          const before = yield* headOf("a.jsonl")
          yield* Effect.promise(() => change(join(root, "a.jsonl")))
          const after = yield* headOf("a.jsonl")
          assert.deepStrictEqual(after.metadata, { events: "1" })
          assert.notStrictEqual(after.size, before.size)
          assert.notStrictEqual(after.etag, before.etag)
          assert.strictEqual((yield* listed)[0]?.etag, after.etag)
        }).pipe(inStore(root))
      })
    )
  }

  it.scoped("keeps the metadata when its whole folder is copied elsewhere", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "data")
      const copy = `${root}-copied`
      yield* inStore(root)(put("a/b.jsonl", "{}\n", { events: "1" }))
      const before = yield* inStore(root)(headOf("a/b.jsonl"))
      yield* Effect.promise(() => fs.cp(root, copy, { recursive: true }))
      assert.deepStrictEqual(yield* inStore(copy)(headOf("a/b.jsonl")), before)
    })
  )

  it.scoped("chooses by the bytes which metadata fits, if a kill left another", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "data")
      const copy = `${root}-copied`
      const folder = ".amplitude-lake/metadata/a.jsonl"
      for (const [by, text] of [
        ["killed", "one"],
        ["winner", "two"],
        ["longer", "three"]
      ] as const) {
        yield* inStore(join(root, by))(put("a.jsonl", text, { by }))
        yield* Effect.promise(() =>
          fs.cp(join(root, by, folder), join(copy, folder), { recursive: true })
        )
      }
      assert.lengthOf(yield* innerFiles(copy), 3)
      for (const [by, text] of [
        ["killed", "one"],
        ["winner", "two"]
      ] as const) {
        yield* write(join(copy, "a.jsonl"), text)
        assert.deepStrictEqual((yield* inStore(copy)(headOf("a.jsonl"))).metadata, { by })
      }
      // A file number that is used again tells less than the size.
      const longer = (yield* pathsBelow(join(copy, folder))).find((name) => name.includes("~5~"))
      yield* Effect.promise(async () => {
        const { ino } = await fs.stat(join(copy, "a.jsonl"))
        const path = join(copy, folder, longer ?? "")
        await fs.rename(path, path.replace(/\d+\.json$/, `${ino}.json`))
      })
      assert.deepStrictEqual((yield* inStore(copy)(headOf("a.jsonl"))).metadata, { by: "winner" })
    })
  )

  it.scoped("refuses metadata that no put wrote", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* inStore(root)(put("a.jsonl", "{}\n", { events: "1" }))
      const folder = join(root, ".amplitude-lake/metadata/a.jsonl")
      const [name = ""] = yield* pathsBelow(folder)
      yield* Effect.promise(() => fs.truncate(join(folder, name), 20))
      assert.strictEqual((yield* Effect.flip(inStore(root)(headOf("a.jsonl")))).reason, "Corrupt")
    })
  )

  it.scoped("skips anything but a regular file and says so", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* inStore(root)(put("real.jsonl", "{}\n"))
      yield* Effect.promise(() => fs.symlink(join(root, "real.jsonl"), join(root, "link.jsonl")))
      yield* write(join(root, ".DS_Store"), "x")
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => {
        lines.push(String(message))
      })
      yield* Effect.gen(function* () {
        const storage = yield* ObjectStorage
        assert.deepStrictEqual(yield* keysBelow(""), ["real.jsonl"])
        assert.strictEqual(lines.filter((line) => line.includes("link.jsonl")).length, 1)
        assert.strictEqual((yield* Effect.flip(storage.head("link.jsonl"))).reason, "Failed")
        assert.strictEqual((yield* Effect.flip(put("link.jsonl", "x"))).reason, "Failed")
        yield* Effect.flip(storage.remove("link.jsonl"))
      }).pipe(inStore(root), Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
      assert.strictEqual(yield* inStore(root)(textOf("real.jsonl")), "{}\n")
    })
  )

  it.scoped("lists what dead runs were writing, and removes only that, nothing of live runs", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const runs = join(root, ".amplitude-lake", "runs")
      const dead = yield* deadRun
      const live = yield* liveRun
      yield* inStore(root)(put("a.jsonl", "stands"))
      yield* write(join(runs, dead, "0"), "draft")
      yield* Effect.promise(() => fs.link(join(root, "a.jsonl"), join(runs, dead, "1")))
      yield* write(join(runs, live, "0"), "of the living")
      const before = yield* pathsBelow(root)
      const unfinished = Effect.map(ObjectStorage, (store) => store.unfinished ?? assert.fail())
      const found = Effect.flatMap(unfinished, ({ list }) =>
        Effect.map(Stream.runCollect(list(0)), Chunk.toArray)
      ).pipe(inStore(root))
      const [left, ...more] = yield* found
      assert.isDefined(left)
      assert.deepStrictEqual(more, [])
      assert.deepInclude(left, { path: join(runs, dead), size: 5, isOrphan: true })
      assert.deepStrictEqual(yield* pathsBelow(root), before)

      yield* inStore(root)(Effect.flatMap(unfinished, ({ abort }) => abort(left)))
      assert.deepStrictEqual(yield* found, [])
      assert.isTrue(existsSync(join(runs, live, "0")))
      assert.strictEqual(yield* inStore(root)(textOf("a.jsonl")), "stands")
    })
  )

  it.scoped("removes the leftovers of dead runs at the first write, and nothing of live runs", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const runs = join(root, ".amplitude-lake/runs")
      const dead = yield* deadRun
      const live = yield* liveRun
      yield* Effect.forEach([dead, earlierRun, live, foreignRun, "unknown"], (name) =>
        write(join(runs, name, "0"), "half")
      )
      yield* TestClock.setTime(Date.now())
      yield* inStore(root)(listed)
      assert.lengthOf(yield* innerFiles(root), 5)
      yield* inStore(root)(put("a.jsonl", "x"))
      assert.sameMembers(
        (yield* pathsBelow(runs)).filter((path) => !path.includes("/")),
        [live, foreignRun, "unknown"]
      )
      yield* TestClock.adjust("29 minutes")
      yield* inStore(root)(put("b.jsonl", "x"))
      assert.include(yield* pathsBelow(runs), foreignRun)
      yield* TestClock.adjust("2 minutes")
      yield* inStore(root)(put("c.jsonl", "x"))
      assert.notInclude(yield* pathsBelow(runs), foreignRun)
      assert.include(yield* pathsBelow(runs), join(live, "0"))
    })
  )

  it.scoped("removes the metadata that a dead run left without an object, and no other", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const inner = join(root, ".amplitude-lake")
      yield* inStore(root)(put("a.jsonl", "x"))
      const [kept = ""] = yield* pathsBelow(join(inner, "metadata/a.jsonl"))
      const draft = join(inner, "runs", yield* deadRun, "0")
      yield* write(draft, "y")
      const { ino } = yield* Effect.promise(() => fs.lstat(draft, { bigint: true }))
      yield* write(join(inner, "metadata/b.jsonl", `${"0".repeat(64)}~1~${ino}.json`), "{}")
      yield* inStore(root)(put("c.jsonl", "x"))
      assert.notInclude(yield* pathsBelow(join(inner, "metadata")), "b.jsonl")
      assert.include(yield* pathsBelow(join(inner, "metadata/a.jsonl")), kept)
    })
  )

  it.scoped("shows every minute that its run lives", () =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      yield* Effect.gen(function* () {
        yield* put("a.jsonl", "x")
        const [name = ""] = yield* pathsBelow(join(root, ".amplitude-lake/runs"))
        const folder = join(root, ".amplitude-lake/runs", name)
        const seen = Effect.promise(() => fs.stat(folder))
        for (let beat = 0; beat < 2; beat++) {
          yield* Effect.promise(() => fs.utimes(folder, 1, 1))
          yield* Effect.repeat(Effect.zipRight(TestClock.adjust("1 minute"), seen), {
            until: ({ mtimeMs }) => mtimeMs !== 1_000
          })
        }
      }).pipe(inStore(root))
    })
  )

  it.scoped("says what to do if nothing can land", () =>
    Effect.gen(function* () {
      const root = join(yield* temporaryFolder, "data")
      const check = Effect.flatMap(ObjectStorage, ({ check }) => check)
      yield* inStore(root, "python-import/")(check)
      assert.deepStrictEqual(yield* innerFiles(root), [])
      assert.deepStrictEqual(yield* pathsBelow(join(root, "python-import")), [])
      yield* write(join(root, "file"), "x")
      for (const [place, prefix] of [
        [join(root, "file"), ""],
        [join(root, "file/below"), ""],
        [root, "file/"]
      ] as const) {
        const error = yield* Effect.flip(inStore(place, prefix)(check))
        assert.strictEqual(error.reason, "Misconfigured")
        assert.include(error.message, join(root, "file"))
      }
      const error = yield* Effect.flip(inStore(root)(put("file/a.jsonl", "x")))
      assert.strictEqual(error.reason, "Misconfigured")
      const listing = yield* Effect.flip(inStore(join(root, "file"))(listed))
      assert.strictEqual(listing.reason, "Misconfigured")
    })
  )

  it.scoped("distinguishes a full disk, a read-only disk and one without links", (context) =>
    Effect.gen(function* () {
      const root = yield* temporaryFolder
      const small = yield* Effect.option(smallDisk(join(root, "small"), "size=1m"))
      if (Option.isNone(small)) return context.skip("this user may not mount a disk")
      const check = Effect.flatMap(ObjectStorage, ({ check }) => check)

      yield* Effect.gen(function* () {
        const full = yield* Effect.flip(put("a.jsonl", new Uint8Array(3_000_000)))
        assert.strictEqual(full.reason, "NoSpace")
        assert.include(full.message, join(small.value, "a.jsonl"))
        assert.deepStrictEqual(yield* innerFiles(small.value), [])
        assert.isTrue(yield* put("a.jsonl", "fits"))
      }).pipe(inStore(small.value))

      const readOnly = yield* smallDisk(join(root, "read only"), "size=1m,ro")
      const denied = yield* Effect.flip(inStore(readOnly)(check))
      assert.strictEqual(denied.reason, "AccessDenied")
      assert.include(denied.message, readOnly)

      yield* smallDisk(join(root, "other"), "size=1m")
      const apart = yield* Effect.flip(inStore(root, "other/")(check))
      assert.strictEqual(apart.reason, "Misconfigured")
      assert.include(apart.detail, "hard links")
    })
  )

  it.scoped("fails rather than lists a part if a folder cannot be read", (context) =>
    Effect.gen(function* () {
      if (process.getuid?.() === 0) return context.skip("everything can be read by root")
      const root = yield* temporaryFolder
      yield* inStore(root)(put("a/b.jsonl", "x"))
      yield* Effect.promise(() => fs.chmod(join(root, "a"), 0))
      const error = yield* Effect.flip(inStore(root)(listed))
      yield* Effect.promise(() => fs.chmod(join(root, "a"), 0o700))
      assert.strictEqual(error.reason, "AccessDenied")
    })
  )
})
