/** A record of a CSV file, and the line that it begins on. */
export interface CsvRecord {
  readonly line: number
  readonly fields: ReadonlyArray<string>
}

/**
 * The records of a text in CSV (RFC 4180), without blank lines. A quote that is never closed takes the
 * rest of the text.
 */
export function* parseCsv(text: string): Generator<CsvRecord> {
  let at = text.startsWith("\ufeff") ? 1 : 0
  let line = 1
  while (at < text.length) {
    const begun = line
    const fields: Array<string> = []
    for (let isOpen = true; isOpen;) {
      const field = text[at] === '"' ? quotedField(text, at) : plainField(text, at)
      line += field.newlines
      fields.push(field.value)
      isOpen = text[field.end] === ","
      at = field.end + 1
    }
    // CRLF is one end of a line.
    if (text[at - 1] === "\r" && text[at] === "\n") at += 1
    line += 1
    if (fields.length > 1 || fields[0] !== "") yield { line: begun, fields }
  }
}

interface Field {
  readonly value: string
  /** Where the comma or the end of the line is. */
  readonly end: number
  readonly newlines: number
}

const END = /[,\r\n]/g

function plainField(text: string, from: number): Field {
  END.lastIndex = from
  const end = END.exec(text)?.index ?? text.length
  return { value: text.slice(from, end), end, newlines: 0 }
}

function quotedField(text: string, from: number): Field {
  let at = from + 1
  let value = ""
  for (;;) {
    const quote = text.indexOf('"', at)
    const end = quote === -1 ? text.length : quote
    value += text.slice(at, end)
    if (text[end + 1] !== '"' || quote === -1) {
      const rest = plainField(text, Math.min(end + 1, text.length))
      return { value: value + rest.value, end: rest.end, newlines: value.split("\n").length - 1 }
    }
    value += '"'
    at = end + 2
  }
}
