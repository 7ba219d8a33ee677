import files from "node:fs"
import * as fs from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Cause, Effect } from "effect"
import { assert } from "vitest"
import { digestHere, makeUnpacker } from "../../../src/layers/unpack/makeUnpacker.ts"
import { withReader } from "../../../src/layers/unpack/reader.ts"
import { Unwritable, writeHour } from "../../../src/layers/unpack/writeHour.ts"
import { part, spooled, zipOf } from "../../fixtures/archive/zipCorpus.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"

/** Records the calls that write files meanwhile; each write takes `most` bytes at most, or fails. */
const recorded = <A, E, R>(most: number | Error, program: Effect.Effect<A, E, R>) => {
  const calls: Array<string> = []
  const { writeSync } = files
  const { open } = files.promises
  const opened: typeof open = async (...given) => {
    const handle = await open(...given)
    const { close, sync } = handle
    return Object.assign(handle, {
      close: () => {
        calls.push("close")
        return Reflect.apply(close, handle, [])
      },
      sync: () => {
        calls.push("sync")
        return Reflect.apply(sync, handle, [])
      }
    })
  }
  const written = (fd: number, bytes: Uint8Array, at: number) => {
    calls.push("write")
    if (most instanceof Error) throw most
    return writeSync(fd, bytes, at, Math.min(most, bytes.length - at))
  }
  return Effect.acquireUseRelease(
    setCalls(opened, written as typeof writeSync),
    () => Effect.map(program, (result) => ({ calls, result })),
    () => setCalls(open, writeSync)
  )
}

const setCalls = (open: typeof fs.open, writeSync: typeof files.writeSync) =>
  Effect.sync(() => {
    Object.assign(files.promises, { open })
    Object.assign(files, { writeSync })
    syncBuiltinESMExports()
  })

const LINES = Array.from({ length: 2000 }, (_, n) => `{"n":${n}}\n`).join("")

/** Writes the hour of an archive to a file in this thread. */
const write = Effect.fnUntraced(function* (file: string) {
  const writes = makeUnpacker(
    digestHere("fast"),
    "fast",
    undefined,
    (archive, parts, format, hour) => (file) =>
      withReader(archive, (read) =>
        writeHour(read, { path: archive.path, parts, format, hour, inflate: "fast", file })
      )
  )
  const { hours } = yield* writes.open(spooled(zipOf({ entries: [part(5, 0, LINES)] })), "jsonl")
  const [hour] = hours.values()
  assert(hour?.writeTo !== undefined)
  const found = yield* hour.writeTo(file)
  assert.deepStrictEqual(found, { size: hour.size, sha256: hour.sha256 })
}, Effect.scoped)

describe("writeHour", () => {
  it.scoped("writes all bytes, flushes them to disk once, and closes the file", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "object")
      yield* Effect.promise(() => fs.writeFile(file, ""))
      for (const most of [Number.POSITIVE_INFINITY, 1000]) {
        const { calls } = yield* recorded(most, write(file))
        assert.strictEqual(yield* Effect.promise(() => fs.readFile(file, "utf8")), LINES)
        const writes = calls.filter((call) => call === "write")
        assert.deepStrictEqual(calls, [...writes, "sync", "close"])
        assert.isAtLeast(writes.length, LINES.length / most)
      }
    })
  )

  it.scoped("closes a file that it cannot write", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "object")
      yield* Effect.promise(() => fs.writeFile(file, ""))
      const full = Object.assign(new Error("no space left"), { code: "ENOSPC" })
      const { calls, result } = yield* recorded(full, Effect.flip(Effect.sandbox(write(file))))
      const error = Cause.squash(result)
      assert(error instanceof Unwritable)
      assert.strictEqual(error.thrown.code, "ENOSPC")
      assert.deepStrictEqual(calls, ["write", "close"])
    })
  )

  it.scoped("creates no file", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryFolder, "object")
      const cause = yield* Effect.flip(Effect.sandbox(write(file)))
      const error = Cause.squash(cause)
      assert(error instanceof Unwritable)
      assert.strictEqual(error.thrown.code, "ENOENT")
      assert.isFalse(files.existsSync(file))
    })
  )
})
