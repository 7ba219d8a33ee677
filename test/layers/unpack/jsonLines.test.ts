import { assert, describe, it } from "vitest"
import * as fc from "fast-check"
import { countLines } from "../../../src/layers/unpack/linesDigest.ts"
import { parseLines } from "../../../src/layers/unpack/jsonLines.ts"
import { refusal } from "../../../src/layers/unpack/refusal.ts"

function invalidIn(bytes: Uint8Array, size: number): number {
  const lines = parseLines()
  // One memory for all chunks, as the inflater uses it.
  const chunk = Buffer.alloc(size)
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size)
    chunk.set(piece)
    lines.update(chunk.subarray(0, piece.length))
  }
  return lines.finish()
}

const bytes = (...pieces: ReadonlyArray<string | number>) =>
  Buffer.concat(pieces.map((it) => (typeof it === "string" ? Buffer.from(it) : Buffer.of(it))))

const VALID = ["{}", ' {"a":[1,{"b":"\\ud800"}]}\t\r', '{"ü":"😀","n":9007199254740993}'].map(
  (it) => bytes(it)
)
const INVALID = [
  bytes('{"a":NaN}'),
  bytes('{"a":1}{"b":2}'),
  bytes('{"a":"', 0xff, '"}'),
  bytes('{"a":"', 0xed, 0xa0, 0x80, '"}'),
  bytes('{"a":"cut}'),
  bytes('{"a":1'),
  bytes("null"),
  bytes("[{}]"),
  bytes("\ufeff{}"),
  bytes("\r"),
  bytes('{"a":"', 0, '"}')
]

describe("parseLines()", () => {
  it("takes one JSON object in UTF-8 for a line, and nothing else", () => {
    for (const line of VALID) assert.strictEqual(invalidIn(line, 5), 0, String(line))
    for (const line of INVALID) assert.strictEqual(invalidIn(line, 5), 1, String(line))
  })

  it("counts the same wherever the chunks are cut, and every line that landing counts", () => {
    const line = fc.constantFrom(...VALID, ...INVALID, Buffer.alloc(0))
    fc.assert(
      fc.property(
        fc.array(line),
        fc.boolean(),
        fc.integer({ min: 1, max: 40 }),
        (lines, isOpen, size) => {
          const text = Buffer.concat(
            lines.flatMap((it, index) =>
              isOpen && index === lines.length - 1 ? [it] : [it, bytes("\n")]
            )
          )
          const counter = countLines(refusal("test"), false)
          counter.update(text)
          const found = invalidIn(text, size)
          assert.strictEqual(found, lines.filter((it) => INVALID.includes(it)).length)
          assert.isAtMost(counter.finish().digest.malformed, found)
        }
      ),
      { seed: 17, numRuns: 300 }
    )
  })
})
