import { it } from "@effect/vitest"
import { Chunk, Deferred, Effect, Exit, Fiber, type Layer, Option, Stream } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { deflateRawSync, gunzipSync, gzipSync } from "node:zlib"
import { assert } from "vitest"
import { Hour } from "../../src/services/Hour.ts"
import type { Format } from "../../src/services/HourKey.ts"
import { SpoolError } from "../../src/services/Spool.ts"
import { Unpacker, type UnpackerError } from "../../src/services/Unpacker.ts"
import { temporaryFolder } from "../fixtures/disk.ts"
import { STRIDE } from "../fixtures/long.ts"
import {
  entryBytes,
  type EntrySpec,
  folder,
  part,
  partName,
  PROJECT,
  spooled,
  zipOf,
  type ZipSpec
} from "../fixtures/archive/zipCorpus.ts"

type Reason = UnpackerError["reason"]

const FORMATS: ReadonlyArray<Format> = ["jsonl", "jsonl.gz"]
const ONE = '{"uuid":"a","n":9007199254740993}\n'
const TWO = '{"uuid":"b"}\n{"uuid":"c","t":"\u00fc\u{1f600}"}\n'

/** CRC-32 by its definition, bit by bit. */
function slowCrc32(bytes: Uint8Array): number {
  let crc = ~0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

type Digest = ReturnType<typeof digestOf>

const digests = new Map<string, Digest>()

/** The digest of some text, by its definition, which takes its time. */
export function expectedDigest(text: string): Digest {
  const known = digests.get(text) ?? digestOf(text)
  digests.set(text, known)
  return known
}

function digestOf(text: string) {
  const lines = text.split("\n").filter((line) => line !== "")
  const sum = lines.reduce((total, line) => total + BigInt(slowCrc32(Buffer.from(line))), 0n)
  return {
    events: lines.length,
    bytes: Buffer.byteLength(text),
    lineset: (sum % 2n ** 48n).toString(16).padStart(12, "0"),
    malformed: lines.filter((line) => !/^[ \t\r]*\{.*\}[ \t\r]*$/s.test(line)).length
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}

/** All bytes of a body, which may use its memory again. */
const drain = <E>(body: Stream.Stream<Uint8Array, E>) =>
  Effect.map(Stream.runCollect(Stream.map(body, (bytes) => Buffer.from(bytes))), (chunks) =>
    Buffer.concat(Chunk.toReadonlyArray(chunks))
  )

/** A function that makes drafts in a folder, and the paths of those that exist. */
export const drafting = Effect.map(temporaryFolder, (folder) => ({
  draftFor: (hour: Hour) =>
    Effect.asSome(
      Effect.acquireRelease(
        Effect.promise(async () => {
          await fs.writeFile(join(folder, hour), "", { flag: "wx" })
          return join(folder, hour)
        }),
        (path) => Effect.promise(() => fs.rm(path))
      )
    ),
  drafts: Effect.promise(() => fs.readdir(folder))
}))

/** Opens an archive and drains every hour: the objects, by hour. */
export const unpack = Effect.fnUntraced(function* (zip: Uint8Array, format: Format) {
  const { hours } = yield* (yield* Unpacker).open(spooled(zip), format)
  const objects = new Map<string, Buffer>()
  for (const [hour, { body }] of hours) objects.set(hour, yield* drain(body))
  return objects
}, Effect.scoped)

interface ValidCase {
  readonly spec: ZipSpec
  /** The lines of each hour as they should land, by its number. */
  readonly landed: Readonly<Record<number, string>>
}

const two = (knobs: Partial<EntrySpec>): ValidCase => ({
  spec: { entries: [part(5, 0, ONE, knobs), part(21, 0, TWO, knobs)] },
  landed: { 5: ONE, 21: TWO }
})
const one = (lines: string, landed = lines): ValidCase => ({
  spec: { entries: [part(5, 0, lines)] },
  landed: { 5: landed }
})

const signatures = Buffer.from("PK\u0003\u0004PK\u0001\u0002PK\u0005\u0006PK\u0007\u0008", "latin1")
const signed = `{"a":"${signatures.toString("latin1").repeat(40)}"}\n`
const long = `{"pad":"${"0123456789abcdef".repeat(200_000)}"}\n`

/** Compresses so badly that an hour of it is read in three pieces. */
const random = Array.from({ length: 19_000 }, (_, n) => {
  const hex = createHash("sha512").update(`${n}`).digest("hex")
  return `{"x":"${hex}"}\n`
}).join("")

const VALID: Readonly<Record<string, ValidCase>> = {
  "an hour of several pieces, stored": one(random),
  "an hour of several pieces, deflated": {
    spec: { entries: [part(5, 0, random, { method: 8 })] },
    landed: { 5: random }
  },
  "stored parts": two({}),
  "deflated parts": two({ method: 8 }),
  "stored parts with signed descriptors": two({ descriptor: "signed" }),
  "stored parts with unsigned descriptors": two({ descriptor: "unsigned" }),
  "deflated parts with signed descriptors": two({ method: 8, descriptor: "signed" }),
  "deflated parts with unsigned descriptors": two({ method: 8, descriptor: "unsigned" }),
  "zip64 parts": two({ zip64: true }),
  "zip64 parts with signed descriptors": two({ zip64: true, descriptor: "signed" }),
  "zip64 parts with unsigned descriptors": two({
    zip64: true,
    method: 8,
    descriptor: "unsigned"
  }),
  "a zip64 end record": { ...two({}), spec: { ...two({}).spec, zip64: true } },
  "a zip64 end record whose numbers are in the classic one too": {
    ...two({}),
    spec: {
      ...two({}).spec,
      zip64: true,
      end: { entries: 2, entriesHere: 2, directoryStart: 0xffff_ffff }
    }
  },
  "a comment": { ...two({}), spec: { ...two({}).spec, comment: "by a server" } },
  "a folder's own entry": {
    spec: { entries: [folder(), part(5, 0, ONE)] },
    landed: { 5: ONE }
  },
  "a folder's own entry, deflated, with a descriptor": {
    spec: {
      entries: [folder(`${PROJECT}/`, { method: 8, descriptor: "signed" }), part(5, 0, ONE)]
    },
    landed: { 5: ONE }
  },
  "a directory in another order than the data": {
    spec: { ...two({}).spec, order: [1, 0] },
    landed: { 5: ONE, 21: TWO }
  },
  "an hour that is padded": {
    spec: { entries: [{ ...part(5, 0, ONE), name: partName(5, 0).replace("_5#", "_05#") }] },
    landed: { 5: ONE }
  },
  "parts in any order, #10 after #2": {
    spec: {
      entries: [
        part(21, 10, '{"part":10}\n'),
        part(21, 2, '{"part":2}\n'),
        part(5, 0, ONE),
        part(21, 0, '{"part":0}\n')
      ]
    },
    landed: { 5: ONE, 21: '{"part":0}\n{"part":2}\n{"part":10}\n' }
  },
  "several gzip members in a part": {
    spec: {
      entries: [
        { name: partName(5, 0), data: Buffer.concat([ONE, TWO].map((text) => gzipSync(text))) }
      ]
    },
    landed: { 5: ONE + TWO }
  },
  "a line that two gzip members share": {
    spec: {
      entries: [
        {
          name: partName(5, 0),
          data: Buffer.concat(['{"a"', ":1}\n"].map((text) => gzipSync(text)))
        }
      ]
    },
    landed: { 5: '{"a":1}\n' }
  },
  "no final newline": one('{"a":1}\n{"b":2}', '{"a":1}\n{"b":2}\n'),
  "parts without final newlines": {
    spec: { entries: [part(5, 0, '{"a":1}'), part(5, 1, '{"b":2}')] },
    landed: { 5: '{"a":1}\n{"b":2}\n' }
  },
  "blank lines": one('{"a":1}\n\n\n{"b":2}\n\n'),
  "lines that end in CRLF": one('{"a":1}\r\n{"b":2}\r\n'),
  "lines that are no JSON objects": one('{"a":1}\nnull\n{"cut":\n \t{"b":2} \t\n \r\n}\n{"c":3}\n'),
  "a line of three megabytes": one(ONE + long + TWO),
  "lines that hold the signatures of a zip": one(signed),
  "an empty part beside others": {
    spec: { entries: [part(5, 0, ""), part(5, 1, ONE)] },
    landed: { 5: ONE }
  },
  "an hour without lines": {
    spec: { entries: [part(5, 0, ""), part(5, 1, ""), part(6, 0, TWO)] },
    landed: { 5: "", 6: TWO }
  },
  "no entry at all": { spec: { entries: [] }, landed: {} }
}

interface HostileCase {
  readonly zip: Uint8Array
  readonly reason: Reason
}

const good: ReadonlyArray<EntrySpec> = [part(5, 0, ONE), part(5, 1, TWO)]
const goodZip = zipOf({ entries: good })
const hostile = (reason: Reason, entry: EntrySpec, more: Partial<ZipSpec> = {}): HostileCase => ({
  reason,
  zip: zipOf({ entries: [part(5, 0, ONE), entry, part(7, 0, ONE)], ...more })
})
/** What both the local header and the directory say. */
const saying = (says: EntrySpec["local"]) => ({ local: says, listed: says })
const named = (name: string): HostileCase =>
  hostile("UnexpectedEntry", { ...part(5, 1, TWO), name })
const gzipped = (data: Uint8Array): HostileCase =>
  hostile("Corrupt", { name: partName(5, 1), data })
const ended = (reason: Reason, spec: Partial<ZipSpec>): HostileCase => ({
  reason,
  zip: zipOf({ entries: good, ...spec })
})
const size = part(5, 1, TWO).data.length
const member = gzipSync(TWO)
function edited(at: number, byte: number): Buffer {
  const copy = Buffer.from(member)
  copy[at < 0 ? copy.length + at : at] = byte
  return copy
}

const HOSTILE: Readonly<Record<string, HostileCase>> = {
  "an empty file": { reason: "NotZip", zip: new Uint8Array(0) },
  "an error page": { reason: "NotZip", zip: Buffer.from("<html>\n<h1>502 Bad Gateway</h1>") },
  "a gzip file": { reason: "NotZip", zip: gzipSync(ONE) },
  "an archive cut in its data": { reason: "Truncated", zip: goodZip.subarray(0, 100) },
  "an archive cut between its entries": {
    reason: "Truncated",
    zip: goodZip.subarray(0, entryBytes(part(5, 0, ONE), 0).bytes.length)
  },
  "an archive cut before its last byte": { reason: "Truncated", zip: goodZip.subarray(0, -1) },
  "an archive that lost its head": { reason: "Corrupt", zip: goodZip.subarray(10) },
  "bytes before the archive": {
    reason: "Corrupt",
    zip: Buffer.concat([Buffer.from("junk"), goodZip])
  },
  "bytes behind the archive": {
    reason: "Corrupt",
    zip: Buffer.concat([goodZip, Buffer.from("junk")])
  },
  "two archives glued together": { reason: "Corrupt", zip: Buffer.concat([goodZip, goodZip]) },
  "bytes between directory and end record": ended("Corrupt", { beforeEnd: Buffer.from("junk") }),
  "an end record that counts too few": ended("Corrupt", { end: { entries: 1, entriesHere: 1 } }),
  "an end record that counts too many": ended("Corrupt", { end: { entries: 3, entriesHere: 3 } }),
  "an end record that counts twice": ended("Corrupt", { end: { entriesHere: 1 } }),
  "an end record of a wrong directory size": ended("Corrupt", { end: { directorySize: 7 } }),
  "a directory larger than its entries": ended("Corrupt", {
    beforeEnd: Buffer.from("junk"),
    end: { directorySize: goodZip.readUInt32LE(goodZip.length - 10) + 4 }
  }),
  "several disks": ended("Unsupported", { end: { disk: 1 } }),
  "a directory on another disk": ended("Unsupported", { end: { directoryDisk: 1 } }),
  "several zip64 disks": ended("Unsupported", { zip64: true, disks: 2 }),
  "a zip64 end record that the classic one contradicts": ended("Corrupt", {
    zip64: true,
    end: { entries: 1 }
  }),
  "a zip64 end record that counts too few": ended("Corrupt", {
    zip64: true,
    end64: { entries: 1, entriesHere: 1 }
  }),
  "more entries than any archive has": ended("LimitExceeded", {
    zip64: true,
    end64: { entries: 200_001, entriesHere: 200_001 }
  }),

  "a wrong CRC-32": hostile("Corrupt", part(5, 1, TWO, saying({ crc32: 1 }))),
  "a wrong CRC-32 of deflated data": hostile(
    "Corrupt",
    part(5, 1, TWO, { method: 8, ...saying({ crc32: 1 }) })
  ),
  "a local CRC-32 that differs": hostile("Corrupt", part(5, 1, TWO, { local: { crc32: 1 } })),
  "a size too small": hostile(
    "Corrupt",
    part(5, 1, TWO, { method: 8, ...saying({ size: size - 1 }) })
  ),
  "a size too large": hostile(
    "Corrupt",
    part(5, 1, TWO, { method: 8, ...saying({ size: size + 1 }) })
  ),
  "a stored size that is no compressed size": hostile(
    "Corrupt",
    part(5, 1, TWO, saying({ size: size + 1 }))
  ),
  "a local size that differs": hostile("Corrupt", part(5, 1, TWO, { local: { size: 1 } })),
  "a zip64 local size that differs": hostile(
    "Corrupt",
    part(5, 1, TWO, { zip64: true, local: { extra: Buffer.alloc(20) } })
  ),
  "a compressed size too small": hostile(
    "Corrupt",
    part(5, 1, TWO, saying({ compressedSize: size - 1, size: size - 1 }))
  ),
  "a compressed size too large": hostile(
    "Corrupt",
    part(5, 1, TWO, saying({ compressedSize: size + 1, size: size + 1 }))
  ),
  "a compressed size beyond the file": hostile(
    "Corrupt",
    part(5, 1, TWO, saying({ compressedSize: 1_000_000, size: 1_000_000 }))
  ),
  "an offset beyond the file": hostile("Corrupt", part(5, 1, TWO, { listed: { offset: 1e6 } })),
  "deflated data that is cut": hostile(
    "Corrupt",
    part(5, 1, TWO, { method: 8, compressed: deflateRawSync(member).subarray(0, -3) })
  ),
  "bytes behind the deflated data": hostile(
    "Corrupt",
    part(5, 1, TWO, {
      method: 8,
      data: member,
      compressed: Buffer.concat([deflateRawSync(member), Buffer.alloc(3)])
    })
  ),
  "a gzip member behind the deflated data": hostile(
    "Corrupt",
    part(5, 1, TWO, {
      method: 8,
      data: member,
      compressed: Buffer.concat([deflateRawSync(member), Buffer.alloc(8), member])
    })
  ),
  "an entry that the directory hides": hostile("Corrupt", part(5, 1, TWO, { hidden: true })),
  "a last entry that the directory hides": ended("Corrupt", {
    entries: [...good, part(5, 2, ONE, { hidden: true })]
  }),
  "a gap between entries": hostile("Corrupt", part(5, 1, TWO, { gap: Buffer.alloc(5) })),
  "a gap of a descriptor's length": hostile("Corrupt", part(5, 1, TWO, { gap: Buffer.alloc(16) })),
  "entries that overlap": hostile(
    "Corrupt",
    part(5, 1, ONE, { ...saying({}), listed: { offset: 0 } })
  ),
  "a local name that differs": hostile(
    "Corrupt",
    part(5, 1, TWO, { local: { name: partName(6, 1) } })
  ),
  "local flags that differ": hostile("Corrupt", part(5, 1, TWO, { local: { flags: 2 } })),
  "a local method that differs": hostile("Corrupt", part(5, 1, TWO, { local: { method: 8 } })),
  "no local header": hostile("Corrupt", part(5, 1, TWO, { listed: { offset: 3 } })),
  "a descriptor of a wrong CRC-32": hostile(
    "Corrupt",
    part(5, 1, TWO, { descriptor: "signed", described: { crc32: 1 } })
  ),
  "a descriptor of a wrong size": hostile(
    "Corrupt",
    part(5, 1, TWO, { descriptor: "unsigned", described: { size: 1 } })
  ),
  "a zip64 descriptor of a wrong compressed size": hostile(
    "Corrupt",
    part(5, 1, TWO, { descriptor: "signed", zip64: true, described: { compressedSize: 1 } })
  ),
  "a descriptor of another signature": hostile(
    "Corrupt",
    part(5, 1, TWO, { descriptor: "signed", signature: 0x08074b51 })
  ),
  "a descriptor that is missing": hostile("Corrupt", part(5, 1, TWO, saying({ flags: 8 }))),
  encryption: hostile("Unsupported", part(5, 1, TWO, saying({ flags: 1 }))),
  "strong encryption": hostile("Unsupported", part(5, 1, TWO, saying({ flags: 0x41 }))),
  "an unknown flag": hostile("Unsupported", part(5, 1, TWO, saying({ flags: 0x20 }))),
  "an unknown method": hostile("Unsupported", part(5, 1, TWO, saying({ method: 12 }))),
  "an entry on another disk": hostile("Unsupported", part(5, 1, TWO, { listed: { disk: 1 } })),
  "extra fields that run over": hostile(
    "Corrupt",
    part(5, 1, TWO, { listed: { extra: Buffer.from([1, 0, 99, 0]) } })
  ),
  "a ratio that deflate cannot reach": hostile(
    "LimitExceeded",
    part(5, 1, TWO, { method: 8, ...saying({ size: 4_000_000_000 }) })
  ),
  "a link": hostile(
    "UnexpectedEntry",
    part(5, 1, TWO, { listed: { attributes: 0o120777 * 0x10000 } })
  ),

  "a part that occurs twice": hostile("UnexpectedEntry", part(5, 0, ONE)),
  "two names of one part": named(partName(5, 0).replace("_5#0", "_05#00")),
  "a name with ..": named(`${PROJECT}/../${partName(5, 1)}`),
  "an absolute name": named(`/${partName(5, 1)}`),
  "a drive": named(`C:/${partName(5, 1)}`),
  "a backslash": named(partName(5, 1).replace("/", "\\")),
  "a zero byte in a name": named(`${partName(5, 1)}\0`),
  "no name": named(""),
  "a name of another kind": named("readme.txt"),
  "a name beside the folder": named(partName(5, 1).slice(PROJECT.length + 1)),
  "a part that is not gzipped by its name": named(partName(5, 1).replace(".gz", "")),
  "a name in two forms": hostile(
    "UnexpectedEntry",
    part(5, 1, TWO, {
      listed: { extra: unicodePath(partName(5, 1), partName(6, 1)) }
    })
  ),
  "a folder of another project than its name": named(partName(5, 1).replace(PROJECT, "7")),
  "no part whose folder is its project": ended("UnexpectedEntry", {
    entries: [{ ...part(5, 0, ONE), name: partName(5, 0).replace(PROJECT, "7") }]
  }),
  "two projects": named(partName(5, 1, "7")),
  "the hour 24": named(partName(24, 1)),
  "a day that does not exist": named(partName(5, 1).replace("11-10", "11-31")),
  "an hour outside of the window": named(partName(5, 1).replace("11-10", "11-11")),
  "a folder that holds bytes": hostile("UnexpectedEntry", folder("7/", { data: Buffer.from("x") })),

  "gzip that is cut in its data": gzipped(member.subarray(0, 20)),
  "gzip that is cut in its trailer": gzipped(member.subarray(0, -2)),
  "gzip of a wrong CRC-32": gzipped(edited(-7, 99)),
  "gzip of a wrong size": gzipped(edited(-3, 99)),
  "gzip with reserved flags": gzipped(edited(3, 0x80)),
  "gzip with a wrong header CRC": gzipped(
    Buffer.concat([edited(3, 2).subarray(0, 10), Buffer.from([1, 2]), member.subarray(10)])
  ),
  "gzip of an unknown method": gzipped(edited(2, 7)),
  "gzip with a zero byte behind it": gzipped(Buffer.concat([member, Buffer.alloc(1)])),
  "gzip padded with zeros": gzipped(Buffer.concat([member, Buffer.alloc(512)])),
  "gzip with junk behind it": gzipped(Buffer.concat([member, Buffer.from("junk, junk, junk")])),
  "a gzip member behind a zero byte": gzipped(Buffer.concat([member, Buffer.alloc(1), member])),
  "a second gzip member that is broken": gzipped(Buffer.concat([member, edited(-7, 99)])),
  "a file of no bytes in the place of gzip": gzipped(new Uint8Array(0)),
  "lines that are not gzipped": gzipped(Buffer.from(TWO)),

  "a JSON array": hostile("NotJsonLines", part(5, 1, `[${ONE.trim()}]\n`)),
  "a byte order mark": hostile("NotJsonLines", part(5, 1, `\ufeff${ONE}`)),
  "an HTML page in a part": hostile("NotJsonLines", part(5, 1, "<html></html>\n")),
  "a line longer than 64 MiB": hostile(
    "LimitExceeded",
    part(5, 1, Buffer.concat([Buffer.from("{"), Buffer.alloc(64 * 1024 ** 2, 32)]))
  )
}

/** Info-ZIP's extra field of a name in Unicode, which readers are free to believe. */
function unicodePath(name: string, other: string): Buffer {
  const data = Buffer.alloc(9 + other.length)
  data.writeUInt16LE(0x7075, 0)
  data.writeUInt16LE(5 + other.length, 2)
  data.writeUInt8(1, 4)
  data.writeUInt32LE(slowCrc32(Buffer.from(name)), 5)
  data.write(other, 9)
  return data
}

/** What every `Unpacker` layer must do, however it inflates. */
export function unpackerContract<E>(name: string, layer: Layer.Layer<Unpacker, E>) {
  it.layer(layer)(`${name} keeps the Unpacker contract`, (it) => {
    for (const [title, { spec, landed }] of Object.entries(VALID)) {
      it.scoped(`reads ${title}`, () =>
        Effect.gen(function* () {
          const unpacker = yield* Unpacker
          for (const format of FORMATS) {
            const { draftFor } = yield* drafting
            const archive = yield* unpacker.open(spooled(zipOf(spec)), format, { draftFor })
            const expected = Object.entries(landed).map(
              ([hour, text]) => [Hour.make(`2025-11-10T${hour.padStart(2, "0")}`), text] as const
            )
            assert.deepStrictEqual(
              archive.project,
              expected.length === 0 ? Option.none() : Option.some(PROJECT)
            )
            assert.deepStrictEqual(
              [...archive.hours.keys()],
              expected.map(([hour]) => hour)
            )
            for (const [hour, text] of expected) {
              const unpacked = archive.hours.get(hour)
              assert(unpacked !== undefined)
              const { body, draft, lent = body, ...found } = unpacked
              const object = yield* drain(body)
              const lines = format === "jsonl" ? object : gunzipSync(object)
              assert.strictEqual(lines.toString(), text)
              assert.deepStrictEqual(found, {
                ...expectedDigest(text),
                hour,
                parts: partsOf(spec, hour).length,
                size: object.length,
                sha256: sha256(object)
              })
              for (const again of [body, lent, lent]) {
                assert.deepStrictEqual(yield* drain(again), object, "another run differs")
              }
              if (draft !== undefined) {
                assert.deepStrictEqual(yield* Effect.promise(() => fs.readFile(draft)), object)
              }

              const { events, bytes, lineset, malformed, size, sha256: hash } = found
              assert.deepStrictEqual(
                yield* unpacker.digest("object", Stream.rechunk(Stream.make(object), 1), format),
                { events, bytes, lineset, malformed, size, sha256: hash }
              )
            }
          }
        })
      )
    }

    for (const [title, { zip, reason }] of Object.entries(HOSTILE)) {
      it.effect(`refuses ${title}`, () =>
        Effect.gen(function* () {
          const unpacker = yield* Unpacker
          const { draftFor, drafts } = yield* drafting
          const error = yield* Effect.flip(unpacker.open(spooled(zip), "jsonl", { draftFor }))
          assert.strictEqual(error.reason, reason, error.message)
          assert.strictEqual(error.path, "spool/test.zip")
          assert.notMatch(error.message, /[\p{Cc}]/u)
          assert.deepStrictEqual(yield* drafts, [], "drafts of a refused archive")
        }).pipe(Effect.scoped)
      )
    }

    it.effect("shows the beginning of a file that is not a zip, on one line", () =>
      Effect.gen(function* () {
        const page = `<html>\r\n\t<h1>502 Bad\u001b[31m Gateway</h1>${"<p>Sorry.</p>".repeat(99)}`
        const error = yield* Effect.flip(unpack(Buffer.from(page), "jsonl"))
        assert.include(error.detail, "<h1>502 Bad")
        assert.isBelow(error.detail.length, 160)
      })
    )

    it.effect("copies gzip members byte for byte, and closes an open line by one of its own", () =>
      Effect.gen(function* () {
        const members = gzipSync('{"a":1}', { level: 1 })
        const zip = zipOf({ entries: [{ name: partName(5, 0), data: members }] })
        const object = (yield* unpack(zip, "jsonl.gz")).get("2025-11-10T05")
        assert(object !== undefined)
        assert.deepStrictEqual(object.subarray(0, members.length), members)
        assert.strictEqual(gunzipSync(object.subarray(members.length)).toString(), "\n")
      })
    )

    it.effect("fails a body whose archive changed since it was opened, or yields the same", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        for (const format of FORMATS) {
          for (const method of [0, 8] as const) {
            const zip = zipOf({ entries: [part(5, 0, ONE.repeat(3), { method })] })
            const expected = (yield* unpack(zip, format)).get("2025-11-10T05")
            const { hours } = yield* unpacker.open(spooled(zip), format)
            const hour = hours.get(Hour.make("2025-11-10T05"))
            assert(hour !== undefined && expected !== undefined)
            for (const body of [hour.body, hour.lent ?? hour.body]) {
              let failures = 0
              for (let at = 0; at < zip.length; at += STRIDE) {
                zip[at] = (zip[at] ?? 0) ^ 0x10
                const exit = yield* Effect.exit(drain(body))
                if (Exit.isFailure(exit)) {
                  failures += 1
                  assert.strictEqual((yield* Effect.flip(exit)).reason, "Corrupt")
                } else assert.deepStrictEqual(exit.value, expected)
                zip[at] = (zip[at] ?? 0) ^ 0x10
              }
              assert.isAbove(failures * STRIDE, 30)
            }
          }
        }
      }).pipe(Effect.scoped)
    )

    it.effect("fails a body whose archive was exchanged for one of the same sizes and CRC-32", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const texts = [1, 2, 3].map((times) => '{"a":1}\n'.repeat(times))
        const twins = texts.map((text) => paddedGzip(text, 99))
        const [shorter, opened, longer] = twins.map((data) =>
          zipOf({
            entries: [{ name: partName(5, 0), data: withCrc32(data, 0x12345678) }]
          })
        )
        assert(shorter !== undefined && opened !== undefined && longer !== undefined)
        for (const other of [shorter, longer]) {
          let now = opened
          const archive = {
            ...spooled(opened),
            read: (position: number, length: number) =>
              Effect.sync(() => now.subarray(position, position + length))
          }
          const { hours } = yield* unpacker.open(archive, "jsonl")
          const hour = hours.get(Hour.make("2025-11-10T05"))
          assert(hour !== undefined)
          now = other
          for (const body of [hour.body, hour.lent ?? hour.body]) {
            let yielded = 0
            const counted = Stream.tap(body, (chunk) =>
              Effect.sync(() => (yielded += chunk.length))
            )
            assert.strictEqual((yield* Effect.flip(Stream.runDrain(counted))).reason, "Corrupt")
            assert.isAtMost(yielded, hour.size)
          }
        }
      }).pipe(Effect.scoped)
    )

    it.effect("says that the spool could not be read", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const broken = new SpoolError({
          reason: "Failed",
          method: "read",
          path: "spool/test.zip",
          detail: "The disk is gone"
        })
        for (const until of [0, goodZip.length]) {
          let read = 0
          const archive = spooled(goodZip)
          const error = yield* Effect.flip(
            unpacker.open(
              {
                ...archive,
                read: (position, length) => {
                  read += length
                  return read > until ? Effect.fail(broken) : archive.read(position, length)
                }
              },
              "jsonl"
            )
          )
          assert.strictEqual(error.reason, "Unreadable")
          assert.include(error.detail, "The disk is gone")
        }
      }).pipe(Effect.scoped)
    )

    it.effect("says that the spool's file became shorter", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const archive = { ...spooled(goodZip.subarray(0, 40)), size: goodZip.length }
        const error = yield* Effect.flip(Effect.scoped(unpacker.open(archive, "jsonl")))
        assert.strictEqual(error.reason, "Truncated")
      })
    )

    it.effect("lets go when it is interrupted, even in a read that never ends", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const archive = spooled(goodZip)
        let hangs: Deferred.Deferred<void> | undefined
        const { hours } = yield* unpacker.open(
          {
            ...archive,
            read: (position, length) =>
              hangs === undefined
                ? archive.read(position, length)
                : Effect.zipRight(Deferred.succeed(hangs, undefined), Effect.never)
          },
          "jsonl"
        )
        const body = hours.get(Hour.make("2025-11-10T05"))?.body
        assert(body !== undefined)
        const reading = yield* Deferred.make<void>()
        hangs = reading
        const draining = yield* Effect.fork(Stream.runDrain(body))
        yield* Deferred.await(reading)
        assert(Exit.isInterrupted(yield* Fiber.interrupt(draining)))

        const again = yield* Deferred.make<void>()
        const hanging = {
          ...archive,
          read: () => Effect.zipRight(Deferred.succeed(again, undefined), Effect.never)
        }
        const opening = yield* Effect.fork(unpacker.open(hanging, "jsonl"))
        yield* Deferred.await(again)
        assert(Exit.isInterrupted(yield* Fiber.interrupt(opening)))
      }).pipe(Effect.scoped)
    )

    it.effect("digests an object of another program unchanged", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const text = `[1,2]\n\n{"a":1}\r\n{"b":2}`
        for (const [format, object] of [
          ["jsonl", Buffer.from(text)],
          ["jsonl.gz", gzipSync(text)]
        ] as const) {
          assert.deepStrictEqual(yield* unpacker.digest("object", Stream.make(object), format), {
            ...expectedDigest(text),
            size: object.length,
            sha256: sha256(object)
          })
        }
      })
    )

    it.effect(
      "passes on every line of an object while it is digested, and fails with who takes them",
      () =>
        Effect.gen(function* () {
          const unpacker = yield* Unpacker
          const text = `[1,2]\n\n{"a":1}\r\n{"b":"${"x".repeat(100_000)}"}`
          for (const [format, object] of [
            ["jsonl", Buffer.from(text)],
            ["jsonl.gz", Buffer.concat([gzipSync(text.slice(0, 9)), gzipSync(text.slice(9))])]
          ] as const) {
            const body = Stream.rechunk(Stream.fromIterable([...object]), 100).pipe(
              Stream.mapChunks((bytes) => Chunk.of(Uint8Array.from(bytes)))
            )
            let taken = ""
            const take = (lines: Uint8Array) =>
              Effect.sync(() => {
                taken += Buffer.from(lines).toString("latin1")
              })
            const { events } = yield* unpacker.digest("object", body, format, { onLines: take })
            assert.deepStrictEqual([taken, events], [text, 3])
            const failed = unpacker.digest("object", body, format, {
              onLines: () => Effect.fail("full")
            })
            assert.strictEqual(yield* Effect.flip(failed), "full")
          }
        })
    )

    it.effect("counts the lines that are no JSON object, if it is to parse them", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const text = `{"a":NaN}\n{"b":1}{"c":2}\n{"d":4}\nnull\n`
        for (const [format, object] of [
          ["jsonl", Buffer.from(text)],
          ["jsonl.gz", gzipSync(text)]
        ] as const) {
          const body = Stream.rechunk(Stream.make(object), 7)
          const found = yield* unpacker.digest("object", body, format, { parse: true })
          assert.deepStrictEqual(found, {
            ...expectedDigest(text),
            size: object.length,
            sha256: sha256(object),
            invalid: 3
          })
          assert.strictEqual(found.malformed, 1)
        }
      })
    )

    it.effect("refuses an object whose gzip is broken", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        for (const object of [
          new Uint8Array(0),
          member.subarray(0, -1),
          edited(-7, 99),
          Buffer.concat([member, Buffer.alloc(4), member])
        ]) {
          const body = Stream.fromIterable([object.subarray(0, 11), object.subarray(11)])
          const error = yield* Effect.flip(unpacker.digest("hour.jsonl.gz", body, "jsonl.gz"))
          assert.strictEqual(error.reason, "Corrupt")
          assert.strictEqual(error.path, "hour.jsonl.gz")
        }
      })
    )

    it.effect("cuts lines by their numbers, and leaves every other byte of them", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const long = `{"b":"${"x".repeat(3_000_000)}"}`
        const lines = ["[1,2]", "", `{"a":"é"}\r`, long, "{}", `{"last":1}`]
        const text = lines.join("\n")
        for (const [format, object, step] of [
          ["jsonl", Buffer.from(text), 100_003],
          ["jsonl.gz", Buffer.concat([gzipSync(text.slice(0, 9)), gzipSync(text.slice(9))]), 7]
        ] as const) {
          const chunks = Array.from({ length: Math.ceil(object.length / step) }, (_, at) =>
            object.subarray(at * step, (at + 1) * step)
          )
          for (const numbers of [[], [0], [1, 5], [2, 3], [0, 1, 2, 3, 4, 5]]) {
            const left = lines.map((line, at) => (at < lines.length - 1 ? `${line}\n` : line))
            const expected = left.filter((_, at) => !numbers.includes(at)).join("")
            const body = unpacker.cut("object", Stream.fromIterable(chunks), format, numbers)
            for (const cut of [yield* drain(body), yield* drain(body)]) {
              const found = String(format === "jsonl" ? cut : gunzipSync(cut))
              assert.isTrue(found === expected, `${format} without ${numbers.join()}`)
            }
          }
        }
      })
    )

    it.effect("cuts nothing from an object whose gzip is broken, or whose body fails", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        const broken = Stream.make(member.subarray(0, -1))
        const error = yield* Effect.flip(drain(unpacker.cut("hour.gz", broken, "jsonl.gz", [0])))
        assert.deepStrictEqual([error.reason, error.path], ["Corrupt", "hour.gz"])
        for (const format of FORMATS) {
          const body = Stream.concat(Stream.make(member.subarray(0, 11)), Stream.fail("lost"))
          const failed = drain(unpacker.cut("x", body, format, [0]))
          assert.strictEqual(yield* Effect.flip(failed), "lost")
        }
      })
    )

    it.effect("passes the failure of an object's body through", () =>
      Effect.gen(function* () {
        const unpacker = yield* Unpacker
        for (const format of FORMATS) {
          const body = Stream.concat(Stream.make(member.subarray(0, 11)), Stream.fail("lost"))
          assert.strictEqual(yield* Effect.flip(unpacker.digest("x", body, format)), "lost")
        }
      })
    )
  })
}

/** A gzip member of exactly this many bytes: its file name is as long as needed. */
function paddedGzip(text: string, length: number): Buffer {
  const plain = gzipSync(text)
  const header = Buffer.from(plain.subarray(0, 10))
  header[3] = 8
  const name = Buffer.alloc(length - plain.length, "x")
  name[name.length - 1] = 0
  return Buffer.concat([header, name, plain.subarray(10)])
}

/** The same gzip member with a time that gives the file a wanted CRC-32: each bit of the time flips bits of the CRC. */
function withCrc32(gzip: Uint8Array, wanted: number): Buffer {
  const timed = (time: number) => {
    const copy = Buffer.from(gzip)
    copy.writeUInt32LE(time >>> 0, 4)
    return copy
  }
  const zero = slowCrc32(timed(0))
  const basis: Array<{ readonly crc: number; readonly time: number }> = []
  const reduce = (crc: number, time: number) =>
    basis.reduce(
      (left, known) =>
        (left.crc ^ known.crc) >>> 0 < left.crc
          ? { crc: (left.crc ^ known.crc) >>> 0, time: (left.time ^ known.time) >>> 0 }
          : left,
      { crc, time }
    )
  for (let bit = 0; bit < 32; bit += 1) {
    const time = (1 << bit) >>> 0
    const rest = reduce((slowCrc32(timed(time)) ^ zero) >>> 0, time)
    basis.push(rest)
    basis.sort((one, other) => other.crc - one.crc)
  }
  const found = timed(reduce((zero ^ wanted) >>> 0, 0).time)
  assert.strictEqual(slowCrc32(found), wanted)
  return found
}

function partsOf(spec: ZipSpec, hour: Hour): ReadonlyArray<EntrySpec> {
  const names = new RegExp(`_0?${Number(hour.slice(11))}#`)
  return spec.entries.filter(({ name: entry }) => names.test(entry))
}
