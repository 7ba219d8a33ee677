import { Effect, Option, type Scope, Stream } from "effect"
import { Amplitude, type AmplitudeError } from "../../services/Amplitude.ts"
import type { Clock } from "../../services/Clock.ts"
import type { Format } from "../../services/HourKey.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import type { RefusedVersion } from "../../services/LakeMark.ts"
import { addressOf, ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Spool, type SpoolError } from "../../services/Spool.ts"
import { Staging } from "../../services/Staging.ts"
import type { Unpacker, UnpackerError } from "../../services/Unpacker.ts"
import { Window } from "../../services/Window.ts"
import { type Answer, askForWindow } from "../fetch/askForWindow.ts"
import type { HourToLand } from "../land/landObject.ts"
import { toLand } from "../land/landMissing.ts"
import { FAILED_UPLOADS } from "../land/refuseAsConflict.ts"
import { readStaged } from "../land/syncStaged.ts"
import { emptyObject } from "../plan/emptyObject.ts"
import { originOf } from "../plan/stagedHours.ts"
import type { LandingError } from "../run/LandingError.ts"
import { Run } from "../run/Run.ts"
import { noLines } from "../../services/LinesDigest.ts"
import { ResolveError } from "./ResolveError.ts"

/** A copy of a version that a store refused. */
export interface KeptCopy {
  /** In staging. */
  readonly key: string
  readonly size: number
  readonly format: Format
}

/** The copies of our version that this lake has in this machine's staging. */
export const copiesOf = Effect.fn("copiesOf")(function* ({
  hour,
  lineset
}: RefusedVersion): Effect.fn.Return<
  ReadonlyArray<KeptCopy>,
  ObjectStorageError,
  ObjectStorage | Run | Staging
> {
  const { retry } = yield* Run
  const { location } = yield* ObjectStorage
  const staging = yield* Staging
  const listed = yield* retry(Stream.runCollect(staging.list))
  const copies = [...listed].filter(({ key }) => key.startsWith(FAILED_UPLOADS))
  const heads = yield* Effect.forEach(copies, ({ key }) => retry(staging.head(key)))
  return heads
    .flatMap((head) => Option.toArray(head))
    .filter(({ metadata }) => originOf(metadata).lake === location)
    .filter(({ metadata }) =>
      Option.exists(metadataFromText(metadata), (it) => it.hour === hour && it.lineset === lineset)
    )
    .map(({ key, size }) => ({ key, size, format: key.endsWith(".gz") ? "jsonl.gz" : "jsonl" }))
})

type OurVersionError =
  | AmplitudeError
  | LandingError
  | ObjectStorageError
  | ResolveError
  | SpoolError
  | UnpackerError

interface Wanted {
  /** Of the object to replace. */
  readonly key: string
  readonly format: Format
}

/**
 * Our version of a conflict, verified and ready to be put: its copy on this machine, or else what
 * Amplitude returns, if these are the same lines. It can be read while the scope is open.
 */
export const ourVersion = Effect.fn("ourVersion")(function* (
  conflict: RefusedVersion,
  { format, key }: Wanted
): Effect.fn.Return<
  HourToLand<ObjectStorageError | UnpackerError>,
  OurVersionError,
  Clock | ObjectStorage | Run | Scope.Scope | Spool | Staging | Unpacker
> {
  const staging = yield* Staging
  const copies = yield* copiesOf(conflict)
  const copy = copies.find((it) => it.format === format)
  if (copy === undefined) return yield* requested(conflict, { format, key })
  const metadata = yield* readStaged(copy.key, format)
  return { key, size: copy.size, metadata, body: staging.get(copy.key) }
})

/** Our version as Amplitude returns it now. */
const requested = Effect.fn("ourVersion.requested")(function* (
  { hour, lineset }: RefusedVersion,
  { format, key }: Wanted
) {
  const run = yield* Run
  const spool = yield* Spool
  const staging = yield* Staging
  const amplitude = yield* Effect.serviceOption(Amplitude)
  if (Option.isNone(amplitude)) {
    return yield* new ResolveError({
      reason: "CopyElsewhere",
      detail: `our version of ${hour} does not lie below "${addressOf(staging, FAILED_UPLOADS)}", and without keys it cannot be requested again`
    })
  }
  const ask = askForWindow(new Window({ first: hour, last: hour })).pipe(
    Effect.provideService(Amplitude, amplitude.value),
    // The object's format decides, not this run's.
    Effect.provideService(Run, { ...run, format }),
    Effect.tap(({ archive }) =>
      Effect.addFinalizer(() =>
        Option.match(archive, {
          onNone: () => Effect.void,
          onSome: ({ spooled }) => Effect.ignoreLogged(spool.drop(spooled))
        })
      )
    )
  )
  const linesIn = ({ archive }: Answer) =>
    Option.flatMapNullable(archive, (it) => it.unpacked.hours.get(hour))
  const first = yield* ask
  // As for a run: one answer without events proves nothing.
  const answer = Option.isSome(linesIn(first)) ? first : yield* Effect.delay(ask, run.base)
  const { archive, askedAt } = answer
  const refused = Option.flatMapNullable(archive, (it) => it.unpacked.broken.get(hour))
  if (Option.isSome(refused)) return yield* refused.value
  const unpacked = linesIn(answer)
  if (Option.isNone(unpacked) && !run.isSettled(hour, askedAt)) {
    return yield* new ResolveError({
      reason: "OtherVersion",
      detail: `Amplitude returns no events for ${hour}, which is too recent to say that it has none`
    })
  }
  const lines = Option.getOrElse(unpacked, () => ({
    ...noLines,
    ...emptyObject(format),
    parts: 0
  }))
  if (lines.lineset !== lineset) {
    return yield* new ResolveError({
      reason: "OtherVersion",
      detail: `Amplitude now returns ${lines.events} events, lineset ${lines.lineset}, for ${hour}, but the version that was refused has lineset ${lineset}`
    })
  }
  const project = Option.flatMap(archive, (it) => it.unpacked.project)
  const exported = { hour, unpacked, project, settled: true }
  return toLand(exported, lines, key, run.version)
})
