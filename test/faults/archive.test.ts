import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { deflateRawSync, gunzipSync, gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Option, Stream } from "effect"
import * as fc from "fast-check"
import * as ObjectStorageMemory from "../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../src/layers/memory/SpoolMemory.ts"
import { Amplitude } from "../../src/services/Amplitude.ts"
import type { Format } from "../../src/services/HourKey.ts"
import { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import { Spool } from "../../src/services/Spool.ts"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { isLong, SECONDS } from "../fixtures/long.ts"
import * as program from "../fixtures/process/program.ts"
import { answer, scriptedServer } from "../fixtures/servers/scriptedServer.ts"
import { keysOf } from "../fixtures/world.ts"
import {
  entryBytes,
  type EntrySpec,
  folder,
  part,
  partName,
  PROJECT,
  zip64Extra,
  zipOf,
  type ZipSpec
} from "../fixtures/archive/zipCorpus.ts"
import { ARCHIVE, H20, H21, H22, HOURS, KEYS, keyOf, LINES, makeLake, objectsOf } from "./_lake.ts"

const FORMATS: ReadonlyArray<Format> = ["jsonl", "jsonl.gz"]
/**
 * Six minutes are enough to flip every bit of every byte; shorter runs leave some out, and try fewer lines. Odd, so that all bits
 * of a byte have their turn.
 */
const STEP = isLong ? Math.ceil(360 / SECONDS) | 1 : 301

/** Lands the three hours of an archive that Amplitude sends each time it is asked. */
const land = Effect.fnUntraced(function* (
  archive: Uint8Array,
  more: { readonly format?: Format; readonly retries?: number; readonly folder?: string } = {}
) {
  const { format = "jsonl", retries = 3, folder } = more
  let requests = 0
  const bytes = Stream.make(archive)
  const amplitude = Amplitude.of({
    identity: "test",
    export: () =>
      Effect.sync(() => {
        requests += 1
        const size = Option.some(archive.length)
        return { date: Option.none(), archive: Option.some({ size, bytes }) }
      })
  })
  const [store, spool] = [yield* ObjectStorageMemory.make(), yield* SpoolMemory.make()]
  const lake = yield* makeLake({
    amplitude,
    ...(folder === undefined
      ? {
          folder: "never made",
          spool: Layer.succeed(Spool, spool),
          store: Layer.succeed(ObjectStorage, store)
        }
      : { folder })
  })
  const summary = yield* lake.all(H20, H22, { format, retries })
  const objects = new Map<string, string>()
  for (const key of yield* keysOf(store)) {
    const body = Buffer.concat([...(yield* Stream.runCollect(store.get(key)))])
    const hour = key.slice(0, 13)
    objects.set(`${hour}.jsonl`, String(format === "jsonl" ? body : gunzipSync(body)))
  }
  return { summary, objects, requests, left: yield* spool.list("test") }
}, Effect.scoped)

/** Requests for a window of three hours: three for the whole, and one each for its halves. */
const REQUESTS_IN_HALVES = 3 + 4

/**
 * A fault of the whole archive ends so: requested three times, then in halves, each hour named,
 * nothing landed or kept.
 */
const assertRefused = Effect.fnUntraced(function* (archive: Uint8Array, reason: string) {
  const said: Array<string> = []
  const logger = Logger.make(({ message }) => void said.push(String(message)))
  const { left, objects, requests, summary } = yield* Effect.provide(
    land(archive),
    Logger.replace(Logger.defaultLogger, logger)
  )
  assert.ok(
    said.some((line) => line.includes(`: ${reason}: `)),
    said.join("\n")
  )
  assert.deepEqual(
    summary.failed.map(({ hour }) => hour),
    HOURS
  )
  assert.ok(summary.failed.every(({ error }) => error.startsWith("UnpackerError.")))
  assert.deepEqual([summary.exitCode, summary.landed, summary.empty], [8, [], []])
  assert.deepEqual([[...objects], left], [[], []])
  assert.equal(requests, reason === "NotZip" ? 3 : REQUESTS_IN_HALVES)
})

/** A fault of one part ends so: requested three times, its hour named, and the others landed. */
const assertSalvaged = Effect.fnUntraced(function* (archive: Uint8Array, reason: string) {
  const { left, objects, requests, summary } = yield* land(archive)
  assert.deepEqual(
    summary.failed.map(({ hour, error }) => [hour, error]),
    [[H21, `UnpackerError.${reason}`]],
    summary.failed[0]?.message
  )
  assert.deepEqual([summary.exitCode, summary.landed, summary.empty], [8, [H20, H22], []])
  const others = Object.entries(LINES).filter(([hour]) => hour !== H21)
  assert.deepEqual(objects, objectsOf(Object.fromEntries(others)))
  assert.deepEqual([left, requests], [[], 3])
})

const assertLands = Effect.fnUntraced(function* (
  spec: ZipSpec,
  lines: Readonly<Record<string, string>> = LINES
) {
  for (const format of FORMATS) {
    const { objects, requests, summary } = yield* land(zipOf(spec), { format })
    assert.deepEqual([summary.exitCode, requests], [0, 1], summary.failed[0]?.message)
    assert.deepEqual(objects, objectsOf(lines))
  }
})

const [a, b, d] = [LINES[H20] ?? "", LINES[H21] ?? "", LINES[H22] ?? ""]
const three = (knobs: Partial<EntrySpec> = {}) => [
  part(20, 0, a, knobs),
  part(21, 0, b, knobs),
  part(22, 0, d, knobs)
]
/** Something between two good parts. */
const among = (entry: EntrySpec, more: Partial<ZipSpec> = {}) =>
  zipOf({ entries: [part(20, 0, a), entry, part(22, 0, d)], ...more })
const saying = (says: EntrySpec["local"]) => ({ local: says, listed: says })
const member = gzipSync(b)

function edited(at: number, byte: number): Buffer {
  const copy = Buffer.from(member)
  copy[at < 0 ? copy.length + at : at] = byte
  return copy
}

/** Names every test of a row; each is refused for its reason. */
function refuses(row: string, cases: Readonly<Record<string, readonly [string, Uint8Array]>>) {
  for (const [title, [reason, archive]] of Object.entries(cases)) {
    it.live(`${row} refuses ${title}: three tries, every hour named, exit 8`, () =>
      assertRefused(archive, reason)
    )
  }
}

/** Names every test of a row; each costs only the hour of the part. */
function costsOneHour(row: string, cases: Readonly<Record<string, readonly [string, Uint8Array]>>) {
  for (const [title, [reason, archive]] of Object.entries(cases)) {
    it.live(`${row} refuses ${title}: three tries, its hour named, the others landed, exit 8`, () =>
      assertSalvaged(archive, reason)
    )
  }
}

describe("a broken or hostile archive", { timeout: 60_000 + SECONDS * 4000 }, () => {
  let kinds = 0
  for (const method of [0, 8] as const) {
    for (const descriptor of [undefined, "signed", "unsigned"] as const) {
      const kind = `${method === 0 ? "stored" : "deflated"}, ${descriptor ?? "no"} descriptors`
      const first = kinds
      kinds += 2
      it.live.runIf(isLong || (method === 8 && descriptor === "signed"))(
        `A1 lands the very lines or nothing, whichever bit is flipped: ${kind}`,
        () =>
          Effect.gen(function* () {
            const zip = zipOf({ entries: three({ method, descriptor }) })
            assert.ok(zip.length < 2000)
            let refused = 0
            let tried = 0
            // Every byte is flipped in the unpacker's own tests, and held against a second reader.
            for (let place = first % STEP; place < zip.length * 8; place += STEP) {
              const [at, bit] = [place >> 3, place & 7]
              const flipped = Buffer.from(zip)
              flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
              const { objects, left, summary } = yield* land(flipped, { retries: 0 })
              tried += 1
              if (summary.exitCode === 0) assert.deepEqual(objects, objectsOf(), `byte ${at}`)
              else {
                refused += 1
                assert.equal(summary.exitCode, 8, `byte ${at}, bit ${bit}`)
                assert.deepEqual(
                  summary.failed.map(({ hour }) => hour),
                  HOURS
                )
                assert.deepEqual([[...objects], left], [[], []])
              }
            }
            // Versions, times, attributes and gzip's own header fields say nothing of the lines.
            const said = `${refused} of ${tried} refused`
            assert.ok(refused > tried * 0.7 && (refused < tried || !isLong), said)
          })
      )

      for (const zip64 of [false, true]) {
        it.live.runIf(isLong || zip64 === (method === 8))(
          `A2 lands parts that are ${kind}${zip64 ? ", zip64" : ""}`,
          () => assertLands({ entries: three({ method, descriptor, zip64 }), zip64 })
        )
      }
    }
  }

  it.live("A3 lands lines that hold the signatures of a zip", () =>
    Effect.gen(function* () {
      const signatures = "PK\u0003\u0004PK\u0001\u0002PK\u0005\u0006PK\u0007\u0008"
      const line = `{"a":"${signatures.repeat(99)}"}\n`
      for (const descriptor of [undefined, "signed", "unsigned"] as const) {
        // Without compression the signatures occur in the archive's own bytes.
        const bare = { name: partName(21, 0), data: gzipSync(line, { level: 0 }), descriptor }
        assert.ok(bare.data.includes(signatures))
        const entries = [part(20, 0, a), bare, part(22, 0, d)]
        yield* assertLands({ entries }, { ...LINES, [H21]: line })
      }
    })
  )

  // The unpacker's own tests read one in the short form, too.
  it.live.runIf(isLong)("A4 lands an archive with more entries than 16 bits can count", () =>
    Effect.gen(function* () {
      const folders = Array.from({ length: 66_000 }, (_, number) => folder(`${number}/`))
      const entries = [...folders.slice(1), ...three(), ...folders.slice(0, 1)]
      const { objects, summary } = yield* land(zipOf({ entries, zip64: true }))
      assert.equal(summary.exitCode, 0, summary.failed[0]?.message)
      assert.deepEqual(objects, objectsOf())
    })
  )

  it.live("A4 refuses zip64 fields that lie about a size beyond 32 bits", () =>
    Effect.gen(function* () {
      const size = 4.5 * 1024 ** 3
      const extra = {
        local: { extra: zip64Extra(size, size) },
        listed: { extra: zip64Extra(size, size, 0) }
      }
      const large = entryBytes({ ...part(21, 0, b, { zip64: true }), ...extra }, 0)
      assert.equal(large.listed.extra.length, 28)
      yield* assertRefused(among(part(21, 0, b, { zip64: true, ...extra })), "Corrupt")
    })
  )

  refuses("A5", {
    encryption: ["Unsupported", among(part(21, 0, b, saying({ flags: 1 })))],
    "strong encryption": ["Unsupported", among(part(21, 0, b, saying({ flags: 0x41 })))],
    "an unknown method": ["Unsupported", among(part(21, 0, b, saying({ method: 12 })))]
  })

  const names = {
    "a name with ..": `${PROJECT}/../${partName(21, 1)}`,
    "a name that leaves the folder": `../../../../tmp/${partName(21, 1)}`,
    "an absolute name": `/tmp/${partName(21, 1)}`,
    "a drive": `C:/${partName(21, 1)}`,
    "a backslash": partName(21, 1).replace("/", "\\"),
    "a zero byte in a name": `${partName(21, 1)}\0`,
    "no name": "",
    "a name of another kind": "readme.txt"
  }
  refuses("A6", {
    ...Object.fromEntries(
      Object.entries(names).map(([title, name]) => [
        title,
        ["UnexpectedEntry", among({ ...part(21, 0, b), name })] as const
      ])
    ),
    "a link": [
      "UnexpectedEntry",
      among(part(21, 0, b, { listed: { attributes: 0o120777 * 0x10000 } }))
    ]
  })

  it.scopedLive.runIf(isLong)(
    "A6 writes no file outside of its own folders, whatever the names",
    () =>
      Effect.gen(function* () {
        const outer = yield* temporaryFolder
        for (const name of Object.values(names)) {
          yield* land(among({ ...part(21, 0, b), name }), { folder: join(outer, "in/ner") })
        }
        const files = (yield* pathsBelow(outer)).filter(
          (path) => !/^in(\/ner(\/work\/spool|\/s3_dev)?)?/.test(path)
        )
        assert.deepEqual(files, [])
        assert.equal(existsSync(`/tmp/${partName(21, 1)}`), false)
        const landed = (yield* pathsBelow(outer)).filter((path) =>
          /jsonl|\.zip|\.part|readme/.test(path)
        )
        assert.deepEqual(landed, [])
      })
  )

  refuses("A7", {
    "a part that occurs twice": ["UnexpectedEntry", among(part(20, 0, a))],
    "two names of one part": [
      "UnexpectedEntry",
      among({ ...part(20, 0, a), name: partName(20, 0).replace("_20#0", "_20#00") })
    ],
    "an hour that was not requested": ["UnexpectedEntry", among(part(19, 0, b))],
    "another day": [
      "UnexpectedEntry",
      among({ ...part(21, 0, b), name: partName(21, 0).replace("11-10", "11-11") })
    ],
    "two projects": ["UnexpectedEntry", among({ ...part(21, 0, b), name: partName(21, 0, "7") })]
  })

  it.scopedLive("A7 lands nothing of a project other than the one in the store", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const server = yield* scriptedServer([
        answer(200, { body: zipOf({ entries: [part(20, 0, a)] }) }),
        answer(200, {
          body: zipOf({ entries: [part(21, 0, "{}\n", { name: partName(21, 0, "7") })] })
        })
      ])
      const lake = yield* makeLake({ amplitude: server, folder })
      yield* lake.all(H20)
      const summary = yield* lake.all(H21)
      assert.equal(summary.exitCode, 8)
      assert.equal(summary.failed[0]?.error, "LandingError.OtherProject")
      assert.deepEqual(yield* lake.landed, objectsOf({ [H20]: a }))
    })
  )

  const endless = gzipSync(Buffer.concat([Buffer.from("{"), Buffer.alloc(64 * 1024 ** 2, 32)]))
  refuses("A8", {
    "one endless line": [
      "LimitExceeded",
      among({ name: partName(21, 0), data: endless, method: 8 })
    ],
    "a ratio that deflate cannot reach": [
      "LimitExceeded",
      among(part(21, 0, b, { method: 8, ...saying({ size: 4_000_000_000 }) }))
    ],
    "entries that overlap": ["Corrupt", among(part(21, 0, b, { listed: { offset: 0 } }))],
    "more entries than any archive has": [
      "LimitExceeded",
      zipOf({ entries: three(), zip64: true, end64: { entries: 200_001, entriesHere: 200_001 } })
    ]
  })

  it.scopedLive.runIf(isLong)(
    "A8 holds no more than 256 MB in memory, whatever an archive grows to",
    (context) =>
      Effect.gen(function* () {
        if (!existsSync("/proc/self/status")) return context.skip("the system does not tell")
        const line = `{"pad":"${"x".repeat(1000)}"}\n`
        const lines = gzipSync(line.repeat(200_000), { level: 1 })
        const long = { name: partName(21, 0), data: lines, method: 8 } as const
        // Large enough for threads of their own, which read hours side by side.
        const noise = randomBytes(1.6e6).toString("hex")
        const padded = gzipSync(
          Buffer.concat([
            Buffer.from(`{"noise":"${noise}","pad":"`),
            Buffer.alloc(56 * 1024 ** 2, 32),
            Buffer.from('"}\n')
          ])
        )
        const wide = [20, 21, 22].map((hour) => ({ name: partName(hour, 0), data: padded }))
        assert.ok(padded.length * wide.length > 4 * 1024 ** 2)
        const bomb = { name: partName(21, 0), data: endless, method: 8 } as const
        const server = yield* scriptedServer(
          [
            zipOf({ entries: [part(20, 0, a), long, part(22, 0, d)] }),
            // Once for the window, and once for each of its halves.
            ...Array.from({ length: 5 }, () => among(bomb)),
            zipOf({ entries: wide })
          ].map((body) => answer(200, { body }))
        )
        const watch =
          'import fs from "node:fs"; process.on("exit", () => console.error(fs.readFileSync("/proc/self/status", "utf8")))'
        for (const code of [0, 8, 0]) {
          const folder = yield* temporaryFolder
          const ended = yield* program.run(
            `all --dev --start-date ${H20} --end-date ${H22} --retries 0 --amplitude-url ${server.origin} --log-level warning`.split(
              " "
            ),
            {
              folder,
              env: { AMP_API_KEY: KEYS.api, AMP_SECRET_KEY: KEYS.secret },
              nodeArguments: ["--import", `data:text/javascript,${encodeURIComponent(watch)}`]
            }
          )
          assert.equal(ended.code, code, ended.stderr)
          const kibibytes = Number(/VmHWM:\s+(\d+)/.exec(ended.stderr)?.[1])
          assert.ok(kibibytes < 256 * 1024, `${kibibytes} KiB`)
        }
      })
  )

  refuses("A9", {
    "an entry that the directory hides": ["Corrupt", among(part(21, 0, b, { hidden: true }))],
    "an entry that is not there": ["Corrupt", among(part(21, 0, b, { listed: { offset: 1e6 } }))],
    "an end record that counts too few": [
      "Corrupt",
      zipOf({ entries: three(), end: { entries: 2, entriesHere: 2 } })
    ],
    "an end record that counts too many": [
      "Corrupt",
      zipOf({ entries: three(), end: { entries: 4, entriesHere: 4 } })
    ],
    "an end record of a wrong directory size": [
      "Corrupt",
      zipOf({ entries: three(), end: { directorySize: 7 } })
    ],
    "a local name that differs": [
      "Corrupt",
      among(part(21, 0, b, { local: { name: partName(20, 1) } }))
    ],
    "bytes behind the archive": ["Corrupt", Buffer.concat([ARCHIVE, Buffer.from("junk")])],
    "two archives glued together": ["Corrupt", Buffer.concat([ARCHIVE, ARCHIVE])],
    "a folder that holds bytes": [
      "UnexpectedEntry",
      among(folder("7/", { data: Buffer.from("x") }))
    ]
  })

  it.live("A10 lands every member of a part that has several", () =>
    assertLands({
      entries: [
        part(20, 0, a),
        {
          name: partName(21, 0),
          data: Buffer.concat(b.split(/(?<=\n)/).map((it) => gzipSync(it)))
        },
        part(22, 0, d)
      ]
    })
  )

  const gzips = {
    "gzip that is cut in its data": member.subarray(0, 20),
    "gzip that is cut in its trailer": member.subarray(0, -2),
    "gzip of a wrong CRC-32": edited(-7, 99),
    "gzip of a wrong size": edited(-3, 99),
    "gzip padded with zeros": Buffer.concat([member, Buffer.alloc(512)]),
    "gzip with junk behind it": Buffer.concat([member, Buffer.from("junk, junk")]),
    "a gzip member behind a zero byte": Buffer.concat([member, Buffer.alloc(1), member]),
    "a second gzip member that is broken": Buffer.concat([member, edited(-7, 99)]),
    "no bytes in the place of gzip": Buffer.alloc(0)
  }
  costsOneHour(
    "A10",
    Object.fromEntries(
      Object.entries(gzips).map(([title, data]) => [
        title,
        ["Corrupt", among({ name: partName(21, 0), data })] as const
      ])
    )
  )

  const pieces = ["{", "}", '{"a":1}', "\n", "\r\n", "\n\n", " ", "\u00fc", "null"].map((it) =>
    Buffer.from(it)
  )
  const someBytes = fc
    .array(fc.constantFrom(...pieces, Buffer.from([0xff, 0xfe]), Buffer.from([0xc3])), {
      maxLength: 30
    })
    .map((some) => Buffer.concat([Buffer.from("{"), ...some]))

  it.live("A11 keeps every byte of every part, ends each in a newline, and counts right", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(someBytes, { minLength: 1, maxLength: 4 }),
          fc.constantFrom(...FORMATS),
          async (texts, format) => {
            const entries = texts.map((text, number) => part(21, number, text))
            const expected = texts.map((text) =>
              text.at(-1) === 10 ? text : Buffer.concat([text, Buffer.from("\n")])
            )
            const { objects, summary } = await Effect.runPromise(
              land(zipOf({ entries: [part(20, 0, a), ...entries, part(22, 0, d)] }), { format })
            )
            const lines = Buffer.concat(expected)
            assert.equal(summary.exitCode, 0)
            assert.equal(objects.get(keyOf(H21)), String(lines))
            const events = lines
              .toString("latin1")
              .split("\n")
              .filter((line) => line !== "")
            assert.equal(summary.events, events.length + 2)
            assert.equal(summary.bytes, lines.length + a.length + d.length)
          }
        ),
        { numRuns: 20 + SECONDS * 15 }
      )
    )
  )

  costsOneHour("A9", {
    "a wrong CRC-32": ["Corrupt", among(part(21, 0, b, saying({ crc32: 1 })))]
  })

  costsOneHour("A11", {
    "a part that begins with a byte order mark": ["NotJsonLines", among(part(21, 0, `\ufeff${b}`))],
    "a part that is an HTML page": ["NotJsonLines", among(part(21, 0, "<html></html>\n"))]
  })

  costsOneHour("A12", {
    "three parts of an hour of which one is broken": [
      "Corrupt",
      zipOf({
        entries: [
          part(20, 0, a),
          part(21, 0, b),
          { name: partName(21, 1), data: edited(-7, 99) },
          part(21, 2, b),
          part(22, 0, d)
        ]
      })
    ],
    "a part whose deflated data goes on behind its end": [
      "Corrupt",
      among(
        part(21, 0, b, {
          method: 8,
          compressed: Buffer.concat([deflateRawSync(member), Buffer.alloc(3)])
        })
      )
    ]
  })
})
