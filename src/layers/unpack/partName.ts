import { Option, Schema } from "effect"
import { Hour } from "../../services/Hour.ts"

export interface PartName {
  readonly project: string
  readonly hour: Hour
  /** Amplitude's `#n`. */
  readonly number: number
}

const PART =
  /^(?<project>\d+)\/\k<project>_(?<date>\d{4}-\d{2}-\d{2})_(?<clock>\d{1,2})#(?<number>\d{1,9})\.json\.gz$/

/**
 * Parses `{project}/{project}_{yyyy-MM-dd}_{H}#{n}.json.gz`, the hour padded or not; `None` for
 * anything else.
 */
export function parsePartName(name: string): Option.Option<PartName> {
  const groups = PART.exec(name)?.groups
  if (groups === undefined) return Option.none()
  const { project = "", date = "", clock = "", number = "" } = groups
  return Option.map(Schema.decodeOption(Hour)(`${date}T${clock.padStart(2, "0")}`), (hour) => ({
    project,
    hour,
    number: Number(number)
  }))
}
