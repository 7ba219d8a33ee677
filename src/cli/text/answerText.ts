/**
 * Prints the answer to a query as a table, as CSV or as JSON. Rows come in pieces, and none is kept.
 *
 * @module
 */
import type { Answer, Cell, Row } from "../../services/Warehouse.ts"

type Columns = Answer["columns"]

/** Formats the rows of an answer, piece by piece. */
export interface AnswerText {
  readonly rows: (rows: ReadonlyArray<Row>) => string
  /** What comes after the last row, or in the place of any. */
  readonly end: () => string
}

export type AnswerFormat = "table" | "csv" | "json"

/** Where a table is wider than `width`, long texts are cut. */
export function answerText(format: AnswerFormat, columns: Columns, width?: number): AnswerText {
  switch (format) {
    case "table":
      return tableText(columns, width)
    case "csv":
      return csvText(columns)
    case "json":
      return jsonText(columns)
  }
}

function jsonText(columns: Columns): AnswerText {
  const names = uniqueNames(columns).map((name) => JSON.stringify(name))
  let begin = "["
  return {
    rows: (rows) => {
      if (rows.length === 0) return ""
      const texts = rows.map(
        (row) => `{${names.map((name, index) => `${name}:${jsonOf(row[index])}`).join(",")}}`
      )
      const text = begin + texts.join(",\n")
      begin = ",\n"
      return text
    },
    end: () => (begin === "[" ? "[]\n" : "]\n")
  }
}

/** As DuckDB names the columns of a table that it makes: a second `a` becomes `a_1`. */
function uniqueNames(columns: Columns): ReadonlyArray<string> {
  const used = new Set<string>()
  return columns.map(({ name }) => {
    let unique = name
    for (let index = 1; used.has(unique); index++) unique = `${name}_${index}`
    used.add(unique)
    return unique
  })
}

function jsonOf(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "null"
  if (typeof cell === "string") return JSON.stringify(cell)
  // JSON has no such numbers.
  if (typeof cell === "number" && !Number.isFinite(cell)) return `"${cell}"`
  if (typeof cell !== "object") return String(cell)
  if ("json" in cell) return cell.json
  return cell instanceof Map
    ? `{${[...cell].map(([name, it]) => `${JSON.stringify(name)}:${jsonOf(it)}`).join(",")}}`
    : `[${[...(cell as ReadonlyArray<Cell>)].map(jsonOf).join(",")}]`
}

function csvText(columns: Columns): AnswerText {
  const head = csvLine(columns.map(({ name }) => quoted(name)))
  let begin = head
  return {
    rows: (rows) => {
      const text =
        begin +
        rows
          .map((row) => csvLine(row.map((cell) => (cell === null ? "" : quoted(plainText(cell))))))
          .join("")
      begin = ""
      return text
    },
    end: () => begin
  }
}

function csvLine(fields: ReadonlyArray<string>): string {
  return `${fields.join(",")}\n`
}

/** An empty text is quoted, because nothing at all means that there is no value. */
function quoted(text: string): string {
  return text === "" || /["\n\r,]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** A value as text: a text as it is, what is nested as JSON. */
function plainText(cell: Cell): string {
  if (typeof cell === "string") return cell
  return typeof cell === "number" ? String(cell) : jsonOf(cell)
}

const GAP = "  "
/** The least that a column is cut to. */
const NARROWEST = 8

/** The first piece decides how wide the columns are. */
function tableText(columns: Columns, width = Number.POSITIVE_INFINITY): AnswerText {
  let widths: ReadonlyArray<number> | undefined
  const line = (cells: ReadonlyArray<string>) =>
    `${cells
      .map((cell, index) => aligned(cell, widths?.[index] ?? 0, columns[index]?.isNumber === true))
      .join(GAP)
      .trimEnd()}\n`
  const headed = (rows: ReadonlyArray<ReadonlyArray<string>>) => {
    if (widths !== undefined) return ""
    const names = columns.map(({ name }) => visible(name))
    const natural = names.map((name, index) =>
      rows.reduce((most, row) => Math.max(most, widthOf(row[index] ?? "")), widthOf(name))
    )
    widths = fitted(natural, columns, width)
    return line(names) + line(widths.map((it) => "─".repeat(it)))
  }
  return {
    rows: (rows) => {
      const texts = rows.map((row) =>
        row.map((cell) => (cell === null ? "NULL" : visible(plainText(cell))))
      )
      return headed(texts) + texts.map(line).join("")
    },
    end: () => headed([])
  }
}

/** Cuts the widest columns of text until all fit. */
function fitted(
  natural: ReadonlyArray<number>,
  columns: Columns,
  width: number
): ReadonlyArray<number> {
  const widths = [...natural]
  const total = () => widths.reduce((sum, it) => sum + it, GAP.length * (widths.length - 1))
  for (let over = total() - width; over > 0; over = total() - width) {
    const texts = widths.map((it, index) => (columns[index]?.isNumber === true ? 0 : it))
    const widest = Math.max(...texts)
    if (widest <= NARROWEST) break
    const second = Math.max(NARROWEST, ...texts.filter((it) => it < widest))
    const many = texts.filter((it) => it === widest).length
    const less = Math.max(1, Math.min(widest - second, Math.floor(over / many)))
    for (const [index, it] of texts.entries()) if (it === widest) widths[index] = widest - less
  }
  return widths
}

/** No control character reaches a terminal. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (it) =>
    it === "\n" ? "\\n" : `\\u${it.charCodeAt(0).toString(16).padStart(4, "0")}`
  )
}

/** Characters that take two columns of a terminal, and those that take none. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u
const NONE = /\p{Mn}/u
const PRINTABLE = /^[ -~]*$/

function widthOf(text: string): number {
  if (PRINTABLE.test(text)) return text.length
  return [...text].reduce((sum, it) => sum + widthOfCharacter(it), 0)
}

function widthOfCharacter(character: string): number {
  return NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1
}

function aligned(text: string, width: number, toTheRight: boolean): string {
  const shown = toTheRight ? text : cut(text, width)
  const room = " ".repeat(Math.max(0, width - widthOf(shown)))
  return toTheRight ? room + shown : shown + room
}

function cut(text: string, width: number): string {
  if (text.length <= width && PRINTABLE.test(text)) return text
  if (widthOf(text) <= width) return text
  let [shown, used] = ["", 1]
  for (const character of text) {
    used += widthOfCharacter(character)
    if (used > width) break
    shown += character
  }
  return `${shown}…`
}
