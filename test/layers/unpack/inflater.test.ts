import { crc32, createGunzip, createInflateRaw, deflateRawSync, gzipSync } from "node:zlib"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { gunzipHere } from "../../../src/layers/unpack/gzip/gunzipHere.ts"
import { inflateHere } from "../../../src/layers/unpack/gzip/inflateHere.ts"
import {
  gunzipBy,
  inflateBy,
  undocumentedCalls
} from "../../../src/layers/unpack/gzip/inflateWay.ts"
import { type Inflate, inflate, openInflater } from "../../../src/layers/unpack/gzip/inflater.ts"
import { countLines } from "../../../src/layers/unpack/linesDigest.ts"
import { refusal } from "../../../src/layers/unpack/refusal.ts"
import { isLong } from "../../fixtures/long.ts"

/** Bytes as they come, `size` at a time. */
async function* source(bytes: Uint8Array, size = bytes.length) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

for (const [name, inflating] of [
  ["inflate", inflate],
  ["inflateHere", inflateHere]
] as const) {
  describe(`${name}()`, () => {
    it("destroys its engine when its taker leaves early", async () => {
      const engine = createGunzip()
      const bytes = gzipSync(Buffer.alloc(4_000_000), { level: 0 })
      for await (const chunk of inflating(() => engine, source(bytes), refusal("test"))) {
        assert.isAbove(chunk.length, 0)
        break
      }
      assert.isTrue(engine.destroyed)
    })

    it("destroys its engine when the bytes are broken", async () => {
      const engine = createGunzip()
      const junk = source(Buffer.from("junk"))
      const error = await inflating(() => engine, junk, refusal("test"))
        .next()
        .then(
          () => undefined,
          (reason: Error) => reason
        )
      assert.include(error?.message, "Corrupt")
      assert.isTrue(engine.destroyed)
    })
  })
}

/** All that comes out, or what is said instead. */
async function outcome(
  inflating: Inflate,
  makeEngine: Parameters<Inflate>[0],
  bytes: Uint8Array,
  size: number
): Promise<string> {
  const chunks: Array<Buffer> = []
  try {
    for await (const chunk of inflating(makeEngine, source(bytes, size), refusal("test"))) {
      chunks.push(Buffer.from(chunk))
    }
    return Buffer.concat(chunks).toString("hex")
  } catch (error) {
    return String(error)
  }
}

/** The same of `gunzipHere`, from a source that uses its memory again. */
async function gunzipped(bytes: Uint8Array, size: number): Promise<string> {
  const lines = countLines(refusal("test"), false)
  const chunks: Array<Buffer> = []
  async function* reused() {
    const rooms = [Buffer.alloc(size), Buffer.alloc(size)] as const
    for (let n = 0; n * size < bytes.length; n++) {
      for (const room of rooms) room.fill(0xff)
      const piece = bytes.subarray(n * size, (n + 1) * size)
      const room = rooms[n % 2 === 0 ? 0 : 1]
      room.set(piece)
      yield room.subarray(0, piece.length)
    }
  }
  try {
    for await (const chunk of gunzipHere(reused(), refusal("test"), lines.crcSoFar)) {
      lines.update(chunk)
      chunks.push(Buffer.from(chunk))
    }
    return Buffer.concat(chunks).toString("hex")
  } catch (error) {
    return String(error)
  }
}

interface Header {
  readonly name?: string | undefined
  readonly comment?: string | undefined
  readonly extra?: Uint8Array | undefined
  readonly isChecked?: boolean | undefined
}

/** Any header that RFC 1952 allows. */
const header = fc.record<Header>(
  {
    name: fc.stringMatching(/^[a-z]{0,9}$/),
    comment: fc.stringMatching(/^[a-z]{0,9}$/),
    extra: fc.uint8Array({ maxLength: 9 }),
    isChecked: fc.boolean()
  },
  { requiredKeys: [] }
)

/** A gzip member with a header of one's choice. */
function memberOf(text: Buffer, { comment, extra, isChecked, name }: Header): Buffer {
  const member = gzipSync(text)
  const texts = [name, comment].flatMap((it) => (it === undefined ? [] : [Buffer.from(`${it}\0`)]))
  const extras =
    extra === undefined
      ? []
      : [Buffer.from(Uint16Array.of(extra.length).buffer), Buffer.from(extra)]
  const start = Buffer.concat([member.subarray(0, 10), ...extras, ...texts])
  start[3] =
    (isChecked === true ? 2 : 0) +
    (extra === undefined ? 0 : 4) +
    (name === undefined ? 0 : 8) +
    (comment === undefined ? 0 : 16)
  const sum = Buffer.from(Uint16Array.of(crc32(start) & 0xffff).buffer)
  return Buffer.concat([start, ...(isChecked === true ? [sum] : []), member.subarray(10)])
}

/** What both say of bytes that they refuse, without which of several reasons they found first. */
const withoutReason = (outcome: string) => outcome.replace(/(Corrupt).*/, "$1")

describe("inflateHere()", () => {
  it("is available and used, except where it is switched off", () => {
    assert.strictEqual(undocumentedCalls("fast"), "used")
    assert.isTrue(inflateBy("fast") === inflateHere)
    assert.strictEqual(undocumentedCalls("portable"), "switched off")
    assert.isTrue(inflateBy("portable") === inflate)
    assert.isTrue(gunzipBy("fast") === gunzipHere)
  })

  it("returns and refuses the same as inflate(), for any damage and any chunks", async () => {
    const text = fc.string({ maxLength: 300 }).map((it) => Buffer.from(it.repeat(3)))
    const gzip = fc
      .array(text, { minLength: 1, maxLength: 3 })
      .chain((texts) =>
        fc
          .array(header, { minLength: texts.length, maxLength: texts.length })
          .map((headers) => Buffer.concat(texts.map((it, n) => memberOf(it, headers[n] ?? {}))))
      )
    const streams = fc.oneof(
      fc.record({ makeEngine: fc.constant(createGunzip), bytes: gzip }),
      fc.record({
        makeEngine: fc.constant(createInflateRaw),
        bytes: text.map((it) => deflateRawSync(it))
      })
    )
    const harm = fc.oneof(
      fc.constant((bytes: Buffer) => bytes),
      fc.nat().map((at) => (bytes: Buffer) => bytes.subarray(0, at % (bytes.length + 1))),
      fc.nat().map((at) => (bytes: Buffer) => {
        const changed = Buffer.from(bytes)
        const index = (at >> 3) % bytes.length
        changed[index] = (changed[index] ?? 0) ^ (1 << (at & 7))
        return changed
      }),
      fc
        .uint8Array({ minLength: 1, maxLength: 9 })
        .map((more) => (bytes: Buffer) => Buffer.concat([bytes, more])),
      fc.constant((bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(7)]))
    )
    await fc.assert(
      fc.asyncProperty(
        streams,
        harm,
        fc.integer({ min: 1, max: 400 }),
        async (given, harm, size) => {
          const bytes = harm(given.bytes)
          const [here = "", there] = await Promise.all(
            [inflateHere, inflate].map((it) => outcome(it, given.makeEngine, bytes, size))
          )
          assert.strictEqual(here, there)
          if (given.makeEngine === createInflateRaw) return
          assert.strictEqual(withoutReason(await gunzipped(bytes, size)), withoutReason(here))
        }
      ),
      { numRuns: isLong ? 2_000 : 400, seed: 1 }
    )
  })

  it("returns and refuses the same for data that fills its memory or is larger", async () => {
    for (const size of [65_535, 65_536, 65_537]) {
      const bytes = Buffer.alloc(size, "{}\n")
      const [member, raw] = [gzipSync(bytes), deflateRawSync(bytes)]
      assert.isTrue(
        (await outcome(inflateHere, createGunzip, member, 1_000)) === bytes.toString("hex")
      )
      for (const behind of [member, Buffer.from("junk"), Buffer.alloc(9), member.subarray(0, -1)]) {
        for (const [makeEngine, whole] of [
          [createGunzip, Buffer.concat([member, behind])],
          [createGunzip, member.subarray(0, -behind.length)],
          [createInflateRaw, Buffer.concat([raw, behind])],
          [createInflateRaw, raw.subarray(0, -1)]
        ] as const) {
          for (const cut of [member.length, raw.length, whole.length, 60]) {
            const here = await outcome(inflateHere, makeEngine, whole, cut)
            const there = await outcome(inflate, makeEngine, whole, cut)
            const what = `${size}, ${whole.length} by ${cut}: ${here.slice(-80)}`
            assert.isTrue(here === there, what)
            if (makeEngine === createInflateRaw) continue
            const gunzip = withoutReason(await gunzipped(whole, cut))
            assert.isTrue(gunzip === withoutReason(here), what)
          }
        }
      }
    }
  })
})

describe("openInflater()", () => {
  it.runIf(isLong)("gives a bomb in small pieces", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000))
    const inflater = openInflater(createGunzip(), refusal("test"))
    let largest = 0
    for (let at = 0; at < bomb.length; at += 32_768) {
      await inflater.push(bomb.subarray(at, at + 32_768))
      const taken = inflater.take().reduce((sum, chunk) => sum + chunk.length, 0)
      largest = Math.max(largest, taken)
    }
    inflater.close()
    assert.isBelow(largest, 35_000_000)
  })
})
