/**
 * Finds lines in bytes that arrive split anywhere, in constant memory.
 *
 * @module
 */
import { splitLines } from "../run/splitLines.ts"
import { isAbout, type People } from "./People.ts"

export interface LineSearch {
  /** Takes the next bytes. Holds the unfinished line. */
  readonly update: (bytes: Uint8Array) => void
  /** Ends the last line, and returns what was found. */
  readonly finish: () => FoundLines
}

export interface FoundLines {
  /** Numbers of the lines about these people, from 0 and counting empty lines, in order. */
  readonly numbers: ReadonlyArray<number>
  /** Of these lines, with their newlines. */
  readonly bytes: number
  /**
   * Lines that do not begin with `{` and end with `}`, or that may hold an id, and that no JSON
   * object could be read from: nothing tells whom they are about.
   */
  readonly unparsed: number
}

const OPENING = 123
const CLOSING = 125
/** Bytes that are looked through at once: decoding each line by itself takes longer. */
const WINDOW = 64 * 1024

/** Searches lines by their parsed fields. Only lines that may hold one of the ids are parsed. */
export function searchLines(people: People): LineSearch {
  const possible = possibleLines(people)
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true })
  const numbers: Array<number> = []
  let [number, unparsed, bytes] = [0, 0, 0]
  let isTerminated = true
  // A line that began before the window is looked at by itself: an id may lie across the border.
  let [isFirst, isPossible] = [true, true]

  const search = (line: Uint8Array) => {
    const isObject = line[0] === OPENING && line.at(-1) === CLOSING
    if (isObject && !isFirst && !isPossible) return
    const text = decoder.decode(line)
    if (isObject && !possible.test(text)) return
    const event = parse(text)
    if (event === undefined) unparsed += 1
    else if (isAbout(people, event)) {
      numbers.push(number)
      bytes += line.length + (isTerminated ? 1 : 0)
    }
  }
  const { finish, update } = splitLines<never>((line) => {
    if (line.length > 0) search(line)
    isFirst = false
    number += 1
    return undefined
  })
  return {
    update: (bytes) => {
      for (let at = 0; at < bytes.length; at += WINDOW) {
        const window = bytes.subarray(at, at + WINDOW)
        isFirst = true
        isPossible = possible.test(asLatin1(window))
        update(window)
      }
    },
    finish: () => {
      isFirst = true
      isTerminated = false
      finish()
      return { numbers, bytes, unparsed }
    }
  }
}

/** One character for each byte: all that is looked for is ASCII. */
function asLatin1({ buffer, byteLength, byteOffset }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString("latin1")
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
