import { crc32 } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { assert } from "vitest"
import { countLines } from "../../../src/layers/unpack/linesDigest.ts"
import { Refusal, refusal, type Refused } from "../../../src/layers/unpack/refusal.ts"
import { expectedDigest } from "../../contracts/unpacker.ts"

const MEBIBYTE = 1024 ** 2

function count(chunks: ReadonlyArray<Uint8Array>, isPart = false) {
  const lines = countLines(refusal("test"), isPart)
  for (const chunk of chunks) lines.update(chunk)
  const crc = lines.crcSoFar()
  return { ...lines.finish(), crc }
}

function refused(chunks: ReadonlyArray<Uint8Array>, isPart: boolean): Refused {
  try {
    count(chunks, isPart)
  } catch (error) {
    assert(error instanceof Refusal)
    return error.refused
  }
  return assert.fail("Nothing was refused")
}

describe("countLines()", () => {
  it("counts the same lines wherever the chunks are cut", () => {
    const text = FastCheck.string({
      unit: FastCheck.constantFrom("{", "}", "\n", "\n", " ", "\t", "\r", "a", "ü"),
      maxLength: 60
    })
    const cuts = FastCheck.array(FastCheck.nat(80), { maxLength: 6 })
    FastCheck.assert(
      FastCheck.property(text, cuts, (lines, at) => {
        const bytes = Buffer.from(lines)
        const borders = [0, ...at.toSorted((one, other) => one - other), bytes.length]
        const chunks = borders.slice(1).map((end, index) => bytes.subarray(borders[index], end))
        const { crc, digest, isOpen } = count(chunks)
        assert.strictEqual(crc, crc32(bytes))
        assert.deepStrictEqual(digest, expectedDigest(lines))
        assert.strictEqual(isOpen, lines !== "" && !lines.endsWith("\n"))
      }),
      { seed: 1, numRuns: 3000 }
    )
  })

  it("knows the lineset of a line by its published CRC-32", () => {
    const { digest } = count([Buffer.from("123456789\n123456789")])
    assert.strictEqual(digest.lineset, (2 * 0xcbf43926).toString(16).padStart(12, "0"))
  })

  it("knows the CRC-32 of all bytes after lines of any length", () => {
    const text = Buffer.concat(
      [0, 1, 65_534, 65_535, 65_536, 5 * MEBIBYTE, 3].map((length) =>
        Buffer.concat([Buffer.alloc(length, "{x}"), Buffer.from("\n")])
      )
    )
    for (const chunks of [[text], [text.subarray(0, 100_000), text.subarray(100_000)]]) {
      assert.strictEqual(count(chunks).crc, crc32(text))
    }
  })

  it("adds line sets modulo 2^48", () => {
    const line = Buffer.from("123456789\n")
    const lines = Math.ceil(2 ** 48 / 0xcbf43926)
    const chunk = Buffer.concat(Array.from({ length: 1000 }, () => line))
    const counter = countLines(refusal("test"), false)
    for (let n = 0; n < 90; n += 1) counter.update(chunk)
    const { digest } = counter.finish()
    const expected = (BigInt(0xcbf43926) * 90_000n) % 2n ** 48n
    assert.isAbove(90_000, lines)
    assert.strictEqual(BigInt(`0x${digest.lineset}`), expected)
  })

  it("takes a line of 64 MiB and none longer, in one chunk or in many", () => {
    const mebibyte = Buffer.alloc(MEBIBYTE, "x")
    const whole = Array.from({ length: 64 }, () => mebibyte)
    assert.strictEqual(count([...whole, Buffer.from("\nx\n")]).digest.events, 2)
    assert.strictEqual(count([Buffer.concat([...whole, Buffer.from("\n")])]).digest.events, 1)
    for (const chunks of [
      [...whole, Buffer.from("x")],
      [...whole, Buffer.from("x\n")],
      [Buffer.concat([...whole, Buffer.from("x\n")])]
    ]) {
      assert.strictEqual(refused(chunks, false).reason, "LimitExceeded")
    }
  })

  it("requires that the first line of a part begins with a brace, and nothing of other objects", () => {
    for (const text of ["[", "\ufeff{}", "\n[{}]", "\n\n<"]) {
      const bytes = Buffer.from(text)
      assert.strictEqual(refused([Buffer.alloc(0), bytes], true).reason, "NotJsonLines")
      assert.strictEqual(count([bytes]).digest.events, 1)
    }
    for (const text of ["\n{}", " {}", "\r\n \t{}", "\n\n"]) {
      const chunks = [...text].map((char) => Buffer.from(char))
      assert.strictEqual(
        count(chunks, true).digest.lineset,
        count([Buffer.from(text)]).digest.lineset
      )
    }
    assert.strictEqual(count([Buffer.from("{}\n"), Buffer.from("[")], true).digest.malformed, 1)
    assert.strictEqual(count([], true).digest.events, 0)
  })
})
