import type { Hour } from "../../services/Hour.ts"
import { splitLines } from "../run/splitLines.ts"

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

  const { finish, update } = splitLines(judge)
  return { update, finish, project: () => project }
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
