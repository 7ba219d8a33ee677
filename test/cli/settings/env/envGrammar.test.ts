import assert from "node:assert/strict"
import { Either } from "effect"
import * as fc from "fast-check"
import { describe, it } from "vitest"
import { decodeEnv, parseEnvText } from "../../../../src/cli/settings/env/envGrammar.ts"

const read = (text: string) =>
  Either.map(parseEnvText(text), (entries) =>
    Object.fromEntries(entries.map(({ name, value }) => [name, value]))
  )
const problem = (text: string) =>
  Either.match(parseEnvText(text), {
    onLeft: (it) => `line ${it.line}: ${it.problem}`,
    onRight: () => "none"
  })

describe("parseEnvText()", () => {
  const right: ReadonlyArray<readonly [string, string, string]> = [
    ["a bare value", "A=b", "b"],
    ["blanks around the value", "A=  b c  ", "b c"],
    ["blanks and tabs around the sign", "A\t=\tb", "b"],
    ["export", "export A=b", "b"],
    ["no value", "A=", ""],
    ["a value with an equals sign", "A=b=c==", "b=c=="],
    ["a # inside a value", "A=b#c", "b#c"],
    ["a comment after a value", "A=b # c", "b"],
    ["a comment in place of a value", "A=# c", ""],
    ["double quotes", 'A="b # c"', "b # c"],
    ["single quotes", "A='b \"c\"'", 'b "c"'],
    ["backticks", "A=`b 'c'`", "b 'c'"],
    ["a comment after quotes", 'A="b" # from the "EU" project', "b"],
    ["a line break written in double quotes", 'A="b\\nc"', "b\nc"],
    ["a backslash in single quotes", "A='b\\nc'", "b\\nc"],
    [
      "a value over several lines",
      'A="-----BEGIN\nabc\nZm9vYg==\n-----END"',
      "-----BEGIN\nabc\nZm9vYg==\n-----END"
    ],
    ["Windows line endings", "A=b\r\n", "b"]
  ]
  for (const [name, text, value] of right) {
    it(`reads ${name}`, () => assert.deepEqual(read(text), Either.right({ A: value })))
  }

  const wrong: ReadonlyArray<readonly [string, string, string]> = [
    [
      "a stray line",
      "# keys\nkeys of the EU project\nA=b",
      "line 2: not NAME=value, a comment or blank"
    ],
    ["a colon", "A: b", "line 1: not NAME=value, a comment or blank"],
    ["a command", "set A=b", "line 1: not NAME=value, a comment or blank"],
    ["a name with a dash", "A-B=c", "line 1: not NAME=value, a comment or blank"],
    ["a name that begins with a digit", "1A=c", "line 1: not NAME=value, a comment or blank"],
    ["an unclosed quote", 'A=b\nC="d', "line 2: the quote of C is never closed"],
    [
      "an unclosed quote before another setting",
      'A="b\nC=d\nE="f"',
      "line 1: the quote of A is not closed before line 2"
    ],
    ["text after a quote", 'A="b"c', "line 1: text after the closing quote of A"]
  ]
  for (const [name, text, says] of wrong) {
    it(`refuses ${name}`, () => assert.equal(problem(text), says))
  }

  it("loses no line: each is blank, a comment, part of one setting, or refused", () => {
    const piece = fc.constantFrom(
      "A",
      "B_1",
      "=",
      " ",
      "\t",
      "#",
      '"',
      "'",
      "`",
      "\n",
      "\r\n",
      "x",
      "export ",
      "\\n",
      ":",
      "set "
    )
    const text = fc.array(piece, { maxLength: 40 }).map((pieces) => pieces.join(""))
    fc.assert(
      fc.property(text, (it) => {
        const parsed = parseEnvText(it)
        const lines = it.split(/\r\n|\n|\r/)
        if (Either.isLeft(parsed)) {
          const { line = 0 } = parsed.left
          assert.ok(line >= 1 && line <= lines.length)
          return
        }
        const owners = lines.map(
          (_, index) =>
            parsed.right.filter(({ lines: [from, to] }) => from <= index + 1 && index + 1 <= to)
              .length
        )
        lines.forEach((line, index) => {
          const isSilent = line.trim() === "" || line.trim().startsWith("#")
          assert.ok(owners[index] === 1 || (isSilent && owners[index] === 0), `line ${index + 1}`)
        })
        // No setting hides in the value of another.
        for (const {
          lines: [from, to]
        } of parsed.right) {
          for (const line of lines.slice(from, to))
            assert.doesNotMatch(line, /^\s*(export )?\w+\s*=\s*[^=\s]/)
        }
      }),
      { numRuns: 2000, seed: 17 }
    )
  })

  it("reads back every value that it can hold", () => {
    const value = fc
      .string({ unit: "grapheme", maxLength: 30 })
      .filter((it) => !/["\\\r\n\0]/.test(it))
    fc.assert(
      fc.property(value, (it) => {
        assert.deepEqual(read(`A="${it}"\nB=c`), Either.right({ A: it, B: "c" }))
      }),
      { numRuns: 500, seed: 17 }
    )
  })
})

const utf16 = (text: string, order: "le" | "be") => {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le")
  return order === "le" ? bytes : bytes.swap16()
}

const message = (bytes: Uint8Array) =>
  Either.match(decodeEnv(bytes), { onLeft: (it) => it.problem, onRight: () => "none" })

describe("decodeEnv()", () => {
  it("reads UTF-8, with or without a byte order mark, and UTF-16 with one", () => {
    const text = "A=ü\nB=c\n"
    for (const bytes of [
      Buffer.from(text),
      Buffer.from(`\uFEFF${text}`),
      utf16(text, "le"),
      utf16(text, "be")
    ]) {
      assert.deepEqual(decodeEnv(bytes), Either.right(text))
    }
  })

  it("refuses other encodings by name, without showing the text", () => {
    assert.match(message(utf16("A=b", "le").subarray(2)), /save it as UTF-8$/)
    assert.match(message(Buffer.from([0x41, 0x3d, 0xfc])), /is not UTF-8: save it as UTF-8$/)
  })
})
