/**
 * Finds and cuts lines in bytes that arrive split anywhere, in constant memory.
 *
 * @module
 */
import { joinBytes, splitLines } from "../run/splitLines.ts"
import { isAbout, type People } from "./People.ts"

const NEWLINE = 10

export interface LineSearch {
  /** Takes the next bytes. Holds the unfinished line. */
  readonly update: (bytes: Uint8Array) => void
  /** Ends the last line, and returns what was found. */
  readonly finish: () => FoundLines
}

export interface FoundLines {
  /** Numbers of the lines about these people, from 0 and counting empty lines, in order. */
  readonly numbers: ReadonlyArray<number>
  /**
   * Lines that are no JSON object, so that nothing tells whom they are about: by their ends, or by parsing
   * where an id may be in them.
   */
  readonly unparsed: number
}

/** Searches lines by their parsed fields. Only lines that may hold one of the ids are parsed. */
export function searchLines(people: People): LineSearch {
  const possible = possibleLines(people)
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const numbers: Array<number> = []
  let [number, unparsed] = [0, 0]

  const { finish, update } = splitLines<never>((line) => {
    if (line.length > 0) {
      const text = decoder.decode(line)
      if (!(text.startsWith("{") && text.endsWith("}")) || possible.test(text)) {
        const event = parse(text)
        if (event === undefined) unparsed += 1
        else if (isAbout(people, event)) numbers.push(number)
      }
    }
    number += 1
    return undefined
  })
  return {
    update,
    finish: () => {
      finish()
      return { numbers, unparsed }
    }
  }
}

/** With more ids, parsing every line is quicker than looking for each. */
const FEW = 16
const EVERY_LINE = /^/
/** What JSON writes as it is, or by a code such as `\u0061`, and in no third way. */
const PLAIN = /^[ !#-.0-[\]-~]+$/

/** Matches every line that may hold an id in one of its fields, and few others. */
function possibleLines({ amplitudeIds, deviceIds, userIds }: People): RegExp {
  const ids = [...new Set([...amplitudeIds, ...deviceIds, ...userIds])]
  if (ids.length > FEW || !ids.every((id) => PLAIN.test(id))) return EVERY_LINE
  const texts = ids.map((id) => id.replace(/[$()*+.?[\]^{|}-]/g, String.raw`\$&`))
  const other = [String.raw`\\u00`]
  // A number may be written with a point or an exponent.
  if (ids.some((id) => /^\d+$/.test(id))) other.push(String.raw`_id"\s*:\s*\d+[.Ee]`)
  return new RegExp([...texts, ...other].join("|"))
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  if (line.trim() === "") return {}
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/** Returns a function that takes the next bytes, and returns those of the lines that stay. */
export function cutLines(numbers: ReadonlyArray<number>): (bytes: Uint8Array) => Uint8Array {
  let [number, next] = [0, 0]
  return (bytes) => {
    const pieces: Array<Uint8Array> = []
    let [kept, start] = [0, 0]
    for (;;) {
      const isCut = numbers[next] === number
      const end = bytes.indexOf(NEWLINE, start)
      if (isCut) pieces.push(bytes.subarray(kept, start))
      if (end === -1) {
        if (!isCut) pieces.push(bytes.subarray(kept))
        return joinBytes(pieces)
      }
      if (isCut) {
        kept = end + 1
        next += 1
      }
      number += 1
      start = end + 1
    }
  }
}
