import { Effect, Option, type Scope } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type {
  OpenOptions,
  UnpackedArchive,
  UnpackedHour,
  UnpackerError
} from "../../services/Unpacker.ts"
import type { ZipPart } from "./zipDirectory.ts"

/** The parts of each hour in order of part number, oldest hour first. */
function partsByHour(
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

/** An archive of these parts, each hour unpacked by `unpack`. */
export const unpackParts = Effect.fnUntraced(function* (
  parts: ReadonlyArray<ZipPart>,
  { salvage = false }: OpenOptions,
  unpack: (
    hour: Hour,
    parts: ReadonlyArray<ZipPart>
  ) => Effect.Effect<UnpackedHour, UnpackerError, Scope.Scope>
): Effect.fn.Return<UnpackedArchive, UnpackerError, Scope.Scope> {
  const broken = new Map<Hour, UnpackerError>()
  const hours = yield* Effect.forEach(
    partsByHour(parts),
    ([hour, own]) =>
      Effect.asSome(unpack(hour, own)).pipe(
        Effect.catchIf(
          (error) => salvage && isOfOneHour(error),
          (error) =>
            Effect.as(
              Effect.sync(() => broken.set(hour, error)),
              Option.none()
            )
        )
      ),
    { concurrency: CONCURRENCY }
  )
  return {
    project: Option.fromNullable(parts[0]?.project),
    hours: new Map(hours.flatMap(Option.toArray).map((hour) => [hour.hour, hour])),
    broken
  }
})

/** Hours read in parallel: one per possible worker, and as many whose drafts are being flushed. */
const CONCURRENCY = 8

/** A spool that cannot be read, and a limit that all hours share, cost the whole archive. */
function isOfOneHour({ reason }: UnpackerError): boolean {
  return reason !== "Unreadable" && reason !== "LimitExceeded"
}
