import assert from "node:assert/strict"
import { describe, it } from "vitest"
import { type AnswerFormat, answerText } from "../../../src/cli/text/answerText.ts"
import type { Row } from "../../../src/services/Warehouse.ts"

const COLUMNS = [
  { name: "site", isNumber: false },
  { name: "events", isNumber: true }
]

/** The whole text of an answer that comes in these pieces. */
function printed(
  format: AnswerFormat,
  pieces: ReadonlyArray<ReadonlyArray<Row>>,
  columns = COLUMNS,
  width?: number
): string {
  const text = answerText(format, columns, width)
  return pieces.map((rows) => text.rows(rows)).join("") + text.end()
}

const oneColumn = (format: AnswerFormat, ...row: Row) =>
  printed(
    format,
    [[row]],
    row.map((_, index) => ({ name: `c${index}`, isNumber: false }))
  )

describe("answerText() as JSON", () => {
  it("is one document, however many pieces there are", () => {
    const rows: ReadonlyArray<ReadonlyArray<Row>> = [
      [["uk", 1]],
      [],
      [
        ["de", 2],
        [null, 3]
      ]
    ]
    assert.deepEqual(JSON.parse(printed("json", rows)), [
      { site: "uk", events: 1 },
      { site: "de", events: 2 },
      { site: null, events: 3 }
    ])
    assert.equal(printed("json", []), "[]\n")
    assert.equal(printed("json", [[]]), "[]\n")
  })

  it("keeps numbers and documents exactly as they are", () => {
    const text = oneColumn(
      "json",
      9007199254740993n,
      { json: "1.10" },
      { json: '{"b":9007199254740993,"a":1.10}' },
      [1n, null],
      new Map([["k", { json: "2.50" }]]),
      Number.NaN,
      "a\0\ud800"
    )
    assert.equal(
      text,
      '[{"c0":9007199254740993,"c1":1.10,"c2":{"b":9007199254740993,"a":1.10},"c3":[1,null],"c4":{"k":2.50},"c5":"NaN","c6":"a\\u0000\\ud800"}]\n'
    )
  })

  it("gives columns of one name names of their own", () => {
    const columns = ["a", "a", "a_1"].map((name) => ({ name, isNumber: true }))
    assert.equal(printed("json", [[[1, 2, 3]]], columns), '[{"a":1,"a_1":2,"a_1_1":3}]\n')
  })
})

describe("answerText() as CSV", () => {
  it("quotes what needs it, and tells an empty text from none", () => {
    const text = printed("csv", [
      [['a,"b"\n', 1n]],
      [
        ["", { json: "1.10" }],
        [null, 2]
      ]
    ])
    assert.equal(text, 'site,events\n"a,""b""\n",1\n"",1.10\n,2\n')
    assert.equal(printed("csv", []), "site,events\n")
  })

  it("writes what is nested as JSON, and a text byte for byte", () => {
    const document = { json: '{"a":1.10}' }
    assert.equal(
      oneColumn("csv", document, [1], true, "a\0b", "a\rb"),
      'c0,c1,c2,c3,c4\n"{""a"":1.10}",[1],true,a\0b,"a\rb"\n'
    )
  })
})

describe("answerText() as a table", () => {
  it("aligns texts to the left and numbers to the right", () => {
    assert.equal(
      printed("table", [
        [
          ["uk", 10n],
          [null, 2]
        ]
      ]),
      ["site  events", "────  ──────", "uk        10", "NULL       2", ""].join("\n")
    )
    assert.equal(printed("table", []), "site  events\n────  ──────\n")
  })

  it("counts the columns that characters take on a terminal", () => {
    assert.equal(
      printed("table", [[["日本", 1]], [["é", 2]]]),
      ["site  events", "────  ──────", "日本       1", "é          2", ""].join("\n")
    )
  })

  it("lets no control character through", () => {
    const text = printed("table", [[["\u001b[31mred\n\u202e", 1]]])
    assert.match(text, /\\u001b\[31mred\\n\\u202e/)
    assert.ok(!text.includes("\u001b") && !text.includes("\u202e"))
  })

  it("cuts the longest texts where the terminal is too narrow, and no number", () => {
    const rows: ReadonlyArray<Row> = [["x".repeat(100), 12345678901234567890n]]
    const [head = "", , row = ""] = printed("table", [rows], COLUMNS, 50).split("\n")
    assert.deepEqual([head.length, row.length], [50, 50])
    assert.match(row, /^x{27}… {2}12345678901234567890$/)
    assert.match(printed("table", [rows], COLUMNS, 10), /x{7}… {2}12345678901234567890/)
    assert.match(printed("table", [rows], COLUMNS), /x{100} {2}12345678901234567890/)
  })
})
