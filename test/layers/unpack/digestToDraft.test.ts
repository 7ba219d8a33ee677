import files from "node:fs"
import * as fs from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import { describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { assert } from "vitest"
import { digestHour } from "../../../src/layers/unpack/hourDigest.ts"
import { makeUnpacker } from "../../../src/layers/unpack/makeUnpacker.ts"
import { withReader } from "../../../src/layers/unpack/reader.ts"
import { digestToDraft } from "../../../src/layers/unpack/digestToDraft.ts"
import { drafting } from "../../contracts/unpacker.ts"
import { part, spooled, zipOf } from "../../fixtures/archive/zipCorpus.ts"

interface Faults {
  /** How many bytes a write takes at most. */
  readonly most?: number
  /** How many bytes are written before a write fails. */
  readonly room?: number
  readonly sync?: Error
}

/** Records the calls that write files meanwhile. */
const recorded = <A, E, R>(
  { most = Number.POSITIVE_INFINITY, room = Number.POSITIVE_INFINITY, sync: broken }: Faults,
  program: Effect.Effect<A, E, R>
) => {
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
        if (broken !== undefined) throw broken
        return Reflect.apply(sync, handle, [])
      }
    })
  }
  let left = room
  const written = (fd: number, bytes: Uint8Array, at: number, length: number, position: number) => {
    calls.push("write")
    if (left === 0) throw Object.assign(new Error("no space left"), { code: "ENOSPC" })
    const count = writeSync(fd, bytes, at, Math.min(most, left, length), position)
    left -= count
    return count
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

const unpacker = makeUnpacker(
  (archive, hour, draft) =>
    digestToDraft(draft, (file) =>
      withReader(archive, (read) => digestHour(read, { ...hour, file }))
    ),
  "fast"
)

/** The one hour of an archive, what became of its draft, and the calls. */
const written = Effect.fnUntraced(function* (faults: Faults) {
  const { draftFor } = yield* drafting
  let path = ""
  const open = unpacker.open(spooled(zipOf({ entries: [part(5, 0, LINES)] })), "jsonl", {
    draftFor: (hour) => Effect.tap(draftFor(hour), (it) => (path = Option.getOrThrow(it)))
  })
  const { calls, result } = yield* recorded(faults, open)
  const [hour] = result.hours.values()
  assert(hour !== undefined)
  assert.strictEqual(hour.events, 2000)
  return { calls, hour, path, text: yield* Effect.promise(() => fs.readFile(path, "utf8")) }
}, Effect.scoped)

describe("digestToDraft", () => {
  it.effect("writes all bytes, flushes them to disk once, and closes the file", () =>
    Effect.gen(function* () {
      for (const most of [Number.POSITIVE_INFINITY, 1000]) {
        const { calls, hour, path, text } = yield* written({ most })
        assert.strictEqual(hour.draft, path)
        assert.strictEqual(text, LINES)
        const writes = calls.filter((call) => call === "write")
        assert.deepStrictEqual(calls, [...writes, "sync", "close"])
        assert.isAtLeast(writes.length, LINES.length / most)
      }
    })
  )

  it.effect("gives up, empties and closes a draft that cannot be written or flushed", () =>
    Effect.gen(function* () {
      const broken = { sync: Object.assign(new Error("i/o error"), { code: "EIO" }) }
      for (const [faults, last] of [
        [{ room: 0 }, "write"],
        [{ room: 100 }, "write"],
        [broken, "sync"]
      ] as const) {
        const { calls, hour, text } = yield* written(faults)
        assert.notProperty(hour, "draft")
        assert.strictEqual(text, "")
        assert.deepStrictEqual(calls.slice(-2), [last, "close"])
      }
    })
  )

  it.scoped("removes all drafts before an archive is refused", () =>
    Effect.gen(function* () {
      const { draftFor, drafts } = yield* drafting
      const parts = [part(5, 0, LINES), part(6, 0, LINES), part(7, 0, "<p>")]
      let made = 0
      const opened = unpacker.open(spooled(zipOf({ entries: parts })), "jsonl", {
        draftFor: (hour) => Effect.tap(draftFor(hour), () => (made += 1))
      })
      assert.strictEqual((yield* Effect.flip(opened)).reason, "NotJsonLines")
      assert.strictEqual(made, 3)
      assert.deepStrictEqual(yield* drafts, [])
    })
  )
})
