import type { Hour } from "../../services/Hour.ts"

const NEWLINE = 10

export interface ForeignLines {
  /** Takes the next bytes, split anywhere: what is wrong with a line, if anything is. */
  readonly update: (bytes: Uint8Array) => string | undefined
  /** Ends the last line. */
  readonly finish: () => string | undefined
  /** The Amplitude project that the lines name, if they do. */
  readonly project: () => string | undefined
}

/** Judges whether lines are events of an hour, all of one Amplitude project. Holds one line. */
export function judgeLines(hour: Hour): ForeignLines {
  const decoder = new TextDecoder("utf-8", { fatal: true })
  let open: Array<Uint8Array> = []
  let number = 0
  let project: string | undefined

  function judge(line: Uint8Array): string | undefined {
    number += 1
    if (line.length === 0) return undefined
    const event = parsed(decoder, line)
    if (event === undefined) return `line ${number} is not a JSON object`
    const time = event["server_upload_time"]
    if (typeof time !== "string") return `line ${number} has no server_upload_time`
    if (time.slice(0, 13).replace(" ", "T") !== hour) {
      return `line ${number} was uploaded at ${time.slice(0, 40)}, which is not in this hour`
    }
    if (typeof event["app"] !== "number") return undefined
    const app = String(event["app"])
    project ??= app
    return project === app
      ? undefined
      : `line ${number} is of Amplitude project ${app}, those before it are of ${project}`
  }

  function close(end: Uint8Array): string | undefined {
    const line = open.length === 0 ? end : joined([...open, end])
    open = []
    return judge(line)
  }

  return {
    update: (bytes) => {
      let start = 0
      for (;;) {
        const end = bytes.indexOf(NEWLINE, start)
        if (end === -1) break
        const problem = close(bytes.subarray(start, end))
        if (problem !== undefined) return problem
        start = end + 1
      }
      // Copied, because the memory of a chunk is used again.
      if (start < bytes.length) open.push(bytes.slice(start))
      return undefined
    },
    finish: () => close(new Uint8Array(0)),
    project: () => project
  }
}

function parsed(
  decoder: TextDecoder,
  line: Uint8Array
): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(decoder.decode(line))
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

function joined(pieces: ReadonlyArray<Uint8Array>): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
