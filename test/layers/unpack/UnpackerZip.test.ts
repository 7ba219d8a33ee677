import { describe, it } from "@effect/vitest"
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js"
import { Cause, Chunk, Deferred, Effect, Either, Exit, Fiber, Stream } from "effect"
import { gunzipSync, gzipSync } from "node:zlib"
import { assert } from "vitest"
import { fromPromise } from "../../../src/layers/unpack/reader.ts"
import { digestHour, newBudget } from "../../../src/layers/unpack/hourDigest.ts"
import { readDirectory } from "../../../src/layers/unpack/zipDirectory.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { Unpacker } from "../../../src/services/Unpacker.ts"
import { expectedDigest, unpack, unpackerContract } from "../../contracts/unpacker.ts"
import { isLong, STRIDE } from "../../fixtures/long.ts"
import {
  entryBytes,
  folder,
  part,
  partName,
  sparse,
  spooled,
  zip64Extra,
  zipOf
} from "../../fixtures/archive/zipCorpus.ts"

unpackerContract("UnpackerZip", UnpackerZip.layer())

/** The parts' lines by name, as another reader gives them: one that refuses whatever two readers could read differently. */
async function readByZipJs(zip: Uint8Array): Promise<ReadonlyMap<string, string>> {
  const reader = new ZipReader(new Uint8ArrayReader(zip), {
    strictness: "strict",
    checkSignature: true,
    checkOverlappingEntry: true,
    useWebWorkers: false
  })
  const found = new Map<string, string>()
  for (const entry of await reader.getEntries()) {
    if (entry.directory) continue
    found.set(entry.filename, gunzipSync(await entry.getData(new Uint8ArrayWriter())).toString())
  }
  await reader.close()
  return found
}

describe("UnpackerZip", () => {
  const lines = { 5: '{"a":1}\n', 21: '{"b":2}\n{"c":3}\n' }

  for (const method of [0, 8] as const) {
    for (const descriptor of [undefined, "signed"] as const) {
      const zip = zipOf({
        entries: [
          folder(),
          part(5, 0, lines[5], { method, descriptor }),
          part(21, 0, lines[21], { method, descriptor })
        ]
      })
      const kind = `${method === 0 ? "stored" : "deflated"} archive ${descriptor === undefined ? "without" : "with"} descriptors`

      it.effect(`refuses every beginning of a ${kind}`, () =>
        Effect.gen(function* () {
          assert.isBelow(zip.length, 1500)
          for (let length = 0; length < zip.length; length += STRIDE) {
            const { reason } = yield* Effect.flip(unpack(zip.subarray(0, length), "jsonl"))
            assert.include(["Truncated", "NotZip"], reason, `cut at ${length}`)
          }
        }).pipe(Effect.provide(UnpackerZip.layer()))
      )

      it.effect(`refuses a ${kind} with one bit flipped, or reads its original lines`, () =>
        Effect.gen(function* () {
          let refused = 0
          let compared = 0
          for (let at = 0; at < zip.length; at += STRIDE) {
            const bit = (at * 5) % 8
            const flipped = Buffer.from(zip)
            flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
            const found = yield* Effect.either(unpack(flipped, "jsonl"))
            if (Either.isLeft(found)) {
              refused += 1
              continue
            }
            const read = [...found.right].map(([hour, object]) => [hour, object.toString()])
            const message = `byte ${at}, bit ${bit}`
            assert.deepStrictEqual(
              read,
              [
                ["2025-11-10T05", lines[5]],
                ["2025-11-10T21", lines[21]]
              ],
              message
            )
            const other = yield* Effect.option(Effect.tryPromise(() => readByZipJs(flipped)))
            if (other._tag === "Some") {
              compared += 1
              const same = [...other.value.values()]
              assert.deepStrictEqual(same, [lines[5], lines[21]], message)
            }
          }
          // What may be flipped unseen: versions, times, attributes, gzip's own time, system and level.
          assert.isAbove((refused * STRIDE) / zip.length, 0.7)
          assert.isAbove(compared * STRIDE, 10)
        }).pipe(Effect.provide(UnpackerZip.layer()))
      )
    }
  }

  it.effect("finds an entry behind four gigabytes", () =>
    Effect.gen(function* () {
      const size = 4.5 * 1024 ** 3
      const large = entryBytes(
        {
          name: partName(5, 0),
          data: new Uint8Array(0),
          zip64: true,
          local: { extra: zip64Extra(size, size) },
          listed: { extra: zip64Extra(size, size, 0) }
        },
        0
      )
      const start = large.bytes.length + size
      const rest = zipOf(
        { entries: [part(21, 0, lines[21], { zip64: true })], zip64: true },
        start,
        [large.listed]
      )
      const archive = sparse(start + rest.length, [
        [0, large.bytes],
        [start, rest]
      ])
      const parts = yield* readDirectory(archive)
      assert.deepStrictEqual(
        parts.map((found) => [found.name, found.offset, found.size]),
        [
          [partName(5, 0), 0, size],
          [partName(21, 0), start, gzipSync(lines[21]).length]
        ]
      )
      const [, behind] = parts
      assert(behind !== undefined)
      const data = yield* archive.read(behind.dataStart, behind.compressedSize)
      assert.strictEqual(gunzipSync(data).toString(), lines[21])
    })
  )

  it.effect.runIf(isLong)("reads more entries than 16 bits count", () =>
    Effect.gen(function* () {
      const count = 66_000
      const data = gzipSync('{"a":1}\n', { level: 0 })
      const zip = zipOf({
        entries: Array.from({ length: count }, (_, number) => ({
          name: partName(number % 24, number),
          data
        })),
        zip64: true
      })
      const parts = yield* readDirectory(spooled(zip))
      assert.strictEqual(parts.length, count)
      assert.strictEqual(parts.at(-1)?.number, count - 1)
    })
  )

  it.effect("refuses an entry that is quoted at the end of another's data", () =>
    Effect.gen(function* () {
      const name = partName(5, 0)
      const before = gzipSync(lines[5])
      const quoted = entryBytes(part(21, 0, lines[21]), 30 + name.length + before.length)
      const data = Buffer.concat([before, quoted.bytes])
      const zip = zipOf({ entries: [{ name, data }] }, 0, [quoted.listed])
      const { reason, entry } = yield* Effect.flip(readDirectory(spooled(zip)))
      assert.deepStrictEqual([reason, entry], ["Corrupt", partName(21, 0)])
    })
  )

  it.effect(
    "passes over what a desktop packed beside the parts, only if it may have been packed again",
    () =>
      Effect.gen(function* () {
        const junk = ["__MACOSX/100/._100_2025-11-10_5#0.json.gz", "100/.DS_Store", "Thumbs.db"]
        const zip = zipOf({
          entries: [
            part(5, 0, lines[5]),
            ...junk.map((name) => ({ name, data: Buffer.from("junk") })),
            part(21, 0, lines[21])
          ]
        })
        const found = yield* readDirectory(spooled(zip), { repacked: true })
        assert.deepStrictEqual(
          found.map(({ name }) => name),
          [partName(5, 0), partName(21, 0)]
        )
        const error = yield* Effect.flip(readDirectory(spooled(zip)))
        assert.strictEqual(error.reason, "UnexpectedEntry")
        const other = zipOf({ entries: [{ name: "5#0.json.gz", data: Buffer.from("junk") }] })
        const refused = yield* Effect.flip(readDirectory(spooled(other), { repacked: true }))
        assert.include(
          refused.detail,
          "if the archive was packed again, use it as it was downloaded"
        )
      })
  )

  it.effect("names both projects, also where their parts have the same hour and number", () =>
    Effect.gen(function* () {
      const mine = part(5, 0, lines[5])
      const name = mine.name.replaceAll(/\d{6,}/g, "200022")
      assert.notStrictEqual(name, mine.name)
      const zip = zipOf({ entries: [mine, { ...mine, name }] })
      const { detail } = yield* Effect.flip(readDirectory(spooled(zip)))
      assert.include(detail, "It holds several projects")
    })
  )

  it.effect("refuses a directory larger than any archive has", () =>
    Effect.gen(function* () {
      const directorySize = 300 * 1024 ** 2
      const end = { entries: 1, entriesHere: 1, directoryStart: 0, directorySize }
      const rest = zipOf({ entries: [], end }, directorySize)
      const archive = sparse(directorySize + rest.length, [[directorySize, rest]])
      assert.strictEqual((yield* Effect.flip(readDirectory(archive))).reason, "LimitExceeded")
    })
  )

  it.effect("refuses more lines than any archive has, over all hours", () =>
    Effect.gen(function* () {
      const zip = zipOf({ entries: [part(5, 0, lines[5]), part(21, 0, lines[21])] })
      const parts = yield* readDirectory(spooled(zip))
      const budget = newBudget()
      budget[0] = BigInt(lines[5].length + lines[21].length - 1)
      const read = async (position: number, length: number) =>
        zip.subarray(position, position + length)
      const digested = (own: typeof parts) =>
        fromPromise(() =>
          digestHour(read, {
            path: "test",
            parts: own,
            format: "jsonl",
            budget,
            inflate: "portable"
          })
        )
      assert.strictEqual((yield* digested(parts.slice(0, 1))).events, 1)
      const { reason } = yield* Effect.flip(digested(parts.slice(1)))
      assert.strictEqual(reason, "LimitExceeded")
    })
  )

  it.effect("reports a defect of the spool as a defect", () =>
    Effect.gen(function* () {
      const archive = { ...spooled(zipOf({ entries: [] })), read: () => Effect.die("defect") }
      const exit = yield* Effect.exit(readDirectory(archive))
      assert(Exit.isFailure(exit) && Cause.isDie(exit.cause))
    })
  )

  it.scoped(
    "fails a body whose archive is cut, or exchanged for another, after it was opened",
    () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const zip = zipOf({ entries: [part(5, 0, lines[5])] })
        const other = zipOf({ entries: [part(5, 0, lines[5].replace("1", "2"))] })
        let now: Uint8Array = zip
        const archive = {
          ...spooled(zip),
          read: (position: number, length: number) =>
            Effect.sync(() => now.subarray(position, position + length))
        }
        for (const format of ["jsonl", "jsonl.gz"] as const) {
          now = zip
          const body = (yield* unpacker.open(archive, format)).hours.get(
            Hour.make("2025-11-10T05")
          )?.body
          assert(body !== undefined)
          now = zip.subarray(0, 80)
          assert.strictEqual((yield* Effect.flip(Stream.runDrain(body))).reason, "Truncated")
          now = other
          assert.strictEqual((yield* Effect.flip(Stream.runDrain(body))).reason, "Corrupt")
        }
      }).pipe(Effect.provide(UnpackerZip.layer()))
  )

  it.scoped("stops reading once its body is closed", () =>
    Effect.gen(function* () {
      const unpacker = yield* Unpacker
      const line = `{"a":"${"x".repeat(999)}"}\n`
      const zip = zipOf({
        entries: [
          { name: partName(5, 0), data: gzipSync(line.repeat(12_000), { level: 0 }) },
          part(5, 1, line)
        ]
      })
      let reads = 0
      const archive = {
        ...spooled(zip),
        read: (position: number, length: number) =>
          Effect.sync(() => {
            reads += 1
            return zip.subarray(position, position + length)
          })
      }
      const { hours } = yield* unpacker.open(archive, "jsonl")
      const [hour] = hours.values()
      assert(hour !== undefined)
      const all = reads
      reads = 0
      const first = yield* Stream.runCollect(Stream.take(hour.body, 1))
      assert.isAbove(Chunk.unsafeHead(first).length, 0)
      const after = reads
      assert.isBelow(after, 4)
      assert.isAbove(all, 10)
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.strictEqual(reads, after)
    }).pipe(Effect.provide(UnpackerZip.layer()))
  )

  it.scoped("ends when it is interrupted while it waits for the next piece", () =>
    Effect.gen(function* () {
      const unpacker = yield* Unpacker
      const lines = `{"a":"${"x".repeat(999)}"}\n`.repeat(2000)
      const zip = zipOf({
        entries: [{ name: partName(5, 0), data: gzipSync(lines, { level: 0 }) }]
      })
      const archive = spooled(zip)
      const reading = yield* Deferred.make<void>()
      let left = Number.POSITIVE_INFINITY
      const { hours } = yield* unpacker.open(
        {
          ...archive,
          read: (position, length) => {
            left -= 1
            return left >= 0
              ? archive.read(position, length)
              : Effect.zipRight(Deferred.succeed(reading, undefined), Effect.never)
          }
        },
        "jsonl"
      )
      const [hour] = hours.values()
      assert(hour !== undefined)
      left = 1
      let taken = 0
      const waiting = yield* Deferred.make<void>()
      const draining = yield* Effect.fork(
        Stream.runForEach(hour.body, ({ length }) => {
          taken += length
          // Little is left of the first piece: the next one is waited for.
          return taken > 400_000 ? Deferred.succeed(waiting, undefined) : Effect.void
        })
      )
      yield* Deferred.await(reading)
      yield* Deferred.await(waiting)
      assert(Exit.isInterrupted(yield* Fiber.interrupt(draining)))
    }).pipe(Effect.provide(UnpackerZip.layer()))
  )

  it.scoped("counts an hour of many parts as their sum", () =>
    Effect.gen(function* () {
      const unpacker = yield* Unpacker
      const texts = Array.from({ length: 40 }, (_, n) => `{"n":${n}}\n`.repeat(n))
      const { hours } = yield* unpacker.open(
        spooled(zipOf({ entries: texts.map((text, n) => part(7, n, text)) })),
        "jsonl"
      )
      const [hour] = hours.values()
      const { events, bytes, lineset, malformed } = expectedDigest(texts.join(""))
      assert.deepInclude(hour, { events, bytes, lineset, malformed, parts: 40 })
    }).pipe(Effect.provide(UnpackerZip.layer()))
  )
})
