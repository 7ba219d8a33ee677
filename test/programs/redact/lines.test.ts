import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import fc from "fast-check"
import { cutLines } from "../../../src/layers/unpack/cutLines.ts"
import { searchLines } from "../../../src/programs/redact/lines.ts"
import { nobody, type People, readPeople } from "../../../src/programs/redact/People.ts"

const ada: People = {
  userIds: new Set(["ada", 'é"\\', "42"]),
  amplitudeIds: new Set(["617244169723", "9007199254740991"]),
  deviceIds: new Set(["phone"])
}

/** Bytes as chunks that end anywhere, in memory that is used again. */
function inChunks(bytes: Uint8Array, ends: ReadonlyArray<number>): ReadonlyArray<Uint8Array> {
  const at = [...new Set(ends.map((end) => end % (bytes.length + 1)))].sort(
    (one, other) => one - other
  )
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length))
}

const isAda = (line: string) => line === '{"user_id":"ada"}'

const search = (text: string | Uint8Array, people = ada) => {
  const lines = searchLines(people)
  lines.update(Buffer.from(text))
  return lines.finish()
}

describe("searchLines()", () => {
  for (const line of [
    '{"user_id":"ada"}',
    ' {"a":{"user_id":"x"},"user_id":"ada"} ',
    '{"user_id":"\\u0061d\\u0061"}\r',
    '{"user_id":"\\u00e9\\"\\\\"}',
    '{"user_id":42}',
    '{"amplitude_id":617244169723}',
    '{"amplitude_id":"617244169723"}',
    '{"amplitude_id":9007199254740991}',
    '{"amplitude_id":1,"data":{"merged_amplitude_id":617244169723}}',
    '{"device_id":"phone"}'
  ]) {
    it(`finds ${line}`, () =>
      assert.deepEqual(search(line), { numbers: [0], bytes: Buffer.byteLength(line), unparsed: 0 }))
  }

  for (const line of [
    '{"event_properties":{"user_id":"ada"},"user_id":"grace"}',
    '{"event_type":"user_id\\":\\"ada"}',
    '{"user_id":"ada "}',
    '{"user_id":"Ada"}',
    '{"user_id":null,"device_id":"ada"}',
    '{"amplitude_id":9007199254740992}',
    '{"amplitude_id":9007199254740993}',
    '{"amplitude_id":617244169723.5}',
    '{"device_id":617244169723}',
    '{"data":{"merged_amplitude_id":1}}',
    '{"data":"617244169723"}',
    ""
  ]) {
    it(`leaves ${line}`, () =>
      assert.deepEqual(search(line), { numbers: [], bytes: 0, unparsed: 0 }))
  }

  it("counts what is no JSON object, whatever it says", () => {
    const text = '{"user_id":"ada"\n["ada"]\nada\n{"user_id":"ada"}\nnull\n'
    assert.deepEqual(search(text), { numbers: [3], bytes: 18, unparsed: 4 })
  })

  it("finds a line whose other bytes are no UTF-8", () => {
    const line = Buffer.concat([
      Buffer.from('{"user_id":"ada","x":"'),
      Buffer.from([0xff]),
      Buffer.from('"}\n')
    ])
    assert.deepEqual(search(line).numbers, [0])
  })

  it("finds nobody where nobody is named", () => {
    assert.deepEqual(search('{"user_id":null}\n{}\n', nobody).numbers, [])
  })

  it("finds what parsing every line finds, however an id is written", () => {
    const plain: People = { ...nobody, userIds: new Set(["a.da", "42", "x y"]) }
    // One id that JSON can write in many ways has every line parsed.
    const parsed: People = { ...plain, userIds: new Set([...plain.userIds, 'é"/']) }
    const value = fc.constantFrom(
      '"a.da"',
      '"a-da"',
      '"\\u0061.da"',
      '"a.d\\u0061"',
      "42",
      "42.0",
      "4.2e1",
      "420E-1",
      "0.42e+2",
      "-42",
      "43.0",
      '"x\\u0020y"',
      '"x y"',
      "null"
    )
    const field = fc.constantFrom("user_id", "device_id", "user\\u005fid", "x")
    fc.assert(
      fc.property(field, fc.constantFrom(":", " : "), value, (name, colon, written) => {
        const line = `{"${name}"${colon}${written}}`
        assert.deepEqual(search(line, plain), search(line, parsed), line)
      }),
      { numRuns: 2000, seed: 1 }
    )
    assert.deepEqual(search('{"user_id":42.0}\n{"user_id" : 4.2e1}', plain).numbers, [0, 1])
  })

  it("finds an id wherever the bytes are split, and beyond what is looked through at once", () => {
    const plain: People = { ...nobody, userIds: new Set(["ada@example.com"]) }
    const text = '{"user_id":"ada@example.com"}\n{"user_id":"grace"}\n{"user_id":"ada@example.com"}'
    for (let at = 0; at < text.length; at++) {
      const found = searchLines(plain)
      found.update(Buffer.from(text.slice(0, at)))
      found.update(Buffer.from(text.slice(at)))
      assert.deepEqual(found.finish().numbers, [0, 2], `split at ${at}`)
    }
    for (let pad = 65_480; pad < 65_540; pad++) {
      const long = `{"x":"${"é".repeat(pad / 2)}"}\n${text}`
      assert.deepEqual(search(long, plain).numbers, [1, 3], `after ${pad} bytes`)
    }
  })

  it("counts a broken line by its ends, and one that may be about somebody by parsing it", () => {
    const plain: People = { ...nobody, userIds: new Set(["ada"]) }
    const text = '{"user_id":}\n{"user_id":"ada"\n{"x":ada}\nnull\n'
    assert.deepEqual(search(text, plain), { numbers: [], bytes: 0, unparsed: 3 })
  })

  it("finds and cuts the same lines however the bytes are split", () => {
    const line = fc.constantFrom(
      '{"user_id":"ada"}',
      '{"user_id":"grace"}',
      "",
      "\r",
      "no JSON",
      '{"user_id":"é"}'
    )
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 12 }),
        fc.boolean(),
        fc.array(fc.nat({ max: 400 }), { maxLength: 8 }),
        (lines, isEnded, ends) => {
          const text = lines.join("\n") + (isEnded ? "\n" : "")
          const bytes = Buffer.from(text)
          const found = searchLines(ada)
          for (const chunk of inChunks(bytes, ends)) {
            const reused = Buffer.from(chunk)
            found.update(reused)
            reused.fill(120)
          }
          const { bytes: foundBytes, numbers } = found.finish()
          const cut = Buffer.concat(numbers.map((at) => Buffer.from(`${lines[at]}\n`))).length
          const isOpen = !isEnded && numbers.at(-1) === lines.length - 1
          assert.equal(foundBytes, isOpen ? cut - 1 : cut)
          assert.deepEqual(
            numbers,
            lines.flatMap((it, at) => (isAda(it) ? [at] : []))
          )
          const keep = cutLines(numbers)
          const left = Buffer.concat(inChunks(bytes, ends).flatMap(keep))
          const expected = (text.match(/[^\n]*\n|[^\n]+$/g) ?? []).filter(
            (it) => !isAda(it.replace(/\n$/, ""))
          )
          assert.equal(left.toString(), expected.join(""))
        }
      ),
      { numRuns: 500, seed: 24 }
    )
  })
})

describe("readPeople()", () => {
  it("reads one id a line, of three kinds", () => {
    const text =
      "\uFEFF# of ticket 12\nuser_id=ada@example.com\r\nuser-id= =x\n\namplitude_id=617244169723\ndevice-id=phone"
    assert.deepEqual(readPeople(text), {
      userIds: new Set(["ada@example.com", " =x"]),
      amplitudeIds: new Set(["617244169723"]),
      deviceIds: new Set(["phone"])
    })
  })

  it("names wrong lines by their numbers, and repeats no id", () => {
    const text = "ada@example.com\nemail=ada\nuser_id=\namplitude_id=9007199254740993\n"
    const found = readPeople(text)
    assert.ok("problems" in found)
    assert.equal(found.problems.length, 4)
    assert.match(
      found.problems.join("\n"),
      /^line 1: .*\nline 2: .*\nline 3: it is empty\nline 4: /
    )
    assert.doesNotMatch(found.problems.join("\n"), /ada|9007/)
  })
})
