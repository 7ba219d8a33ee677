import { Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { UnpackedArchive, UnpackedHour } from "../../services/Unpacker.ts"
import type { ZipPart } from "./zipDirectory.ts"

/** The parts of each hour in order of part number, oldest hour first. */
export function partsByHour(
  parts: ReadonlyArray<ZipPart>
): ReadonlyArray<readonly [Hour, ReadonlyArray<ZipPart>]> {
  const hours = new Map<Hour, Array<ZipPart>>()
  for (const part of parts) {
    const own = hours.get(part.hour)
    if (own === undefined) hours.set(part.hour, [part])
    else own.push(part)
  }
  return [...hours]
    .map(([hour, own]) => [hour, own.sort((one, other) => one.number - other.number)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
}

export function unpackedArchive(
  parts: ReadonlyArray<ZipPart>,
  hours: ReadonlyArray<UnpackedHour>
): UnpackedArchive {
  return {
    project: Option.fromNullable(parts[0]?.project),
    hours: new Map(hours.map((hour) => [hour.hour, hour]))
  }
}
