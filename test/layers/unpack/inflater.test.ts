import { createGunzip, createInflateRaw, deflateRawSync, gzipSync } from "node:zlib"
import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import {
  inflateBy,
  inflateHere,
  undocumentedCalls
} from "../../../src/layers/unpack/inflateHere.ts"
import { type Inflate, inflate, openInflater } from "../../../src/layers/unpack/inflater.ts"
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

describe("inflateHere()", () => {
  it("is available and used, except where it is switched off", () => {
    assert.strictEqual(undocumentedCalls("fast"), "used")
    assert.isTrue(inflateBy("fast") === inflateHere)
    assert.strictEqual(undocumentedCalls("portable"), "switched off")
    assert.isTrue(inflateBy("portable") === inflate)
  })

  it("returns and refuses the same as inflate(), for any damage and any chunks", async () => {
    const text = fc.string({ maxLength: 300 }).map((it) => Buffer.from(it.repeat(3)))
    const gzip = fc
      .array(text, { minLength: 1, maxLength: 3 })
      .map((texts) => Buffer.concat(texts.map((it) => gzipSync(it))))
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
          const [here, there] = await Promise.all(
            [inflateHere, inflate].map((it) => outcome(it, given.makeEngine, bytes, size))
          )
          assert.strictEqual(here, there)
        }
      ),
      { numRuns: isLong ? 2_000 : 400, seed: 1 }
    )
  })

  it("returns and refuses the same for data that fills its memory or is larger", async () => {
    for (const size of [65_535, 65_536, 65_537, 3 * 65_536]) {
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
          for (const cut of [member.length, raw.length, whole.length, 100]) {
            const here = await outcome(inflateHere, makeEngine, whole, cut)
            const there = await outcome(inflate, makeEngine, whole, cut)
            assert.isTrue(here === there, `${size}, ${whole.length} by ${cut}: ${here.slice(-80)}`)
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
