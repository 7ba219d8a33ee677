import { Effect, Either, Option, Stream } from "effect"
import { Hour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import { conflictName, type RefusedVersion } from "../../services/LakeMark.ts"
import type { LinesDigest } from "../../services/LinesDigest.ts"
import type { ObjectInfo, ObjectStorage } from "../../services/ObjectStorage.ts"
import type { HourObject, Lake } from "../plan/inventory.ts"
import { outermost } from "../plan/gaps.ts"
import { isDoubled } from "../plan/doubledHours.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import { markConflict } from "../resolve/conflictMarks.ts"
import { Run } from "../run/Run.ts"

/** An hour whose objects lack our metadata, as they were read. */
export interface UnverifiedHour {
  readonly hour: Hour
  readonly digest: LinesDigest
  readonly objects: ReadonlyArray<Pick<ObjectInfo, "key" | "etag">>
}

export interface LateOptions {
  readonly store: ObjectStorage["Type"]
  readonly lake: Lake
  /** The hours that were read. */
  readonly read: ReadonlySet<Hour>
  readonly verified: ReadonlyArray<Hour>
  readonly unverified: ReadonlyArray<UnverifiedHour>
}

const LOOKED_UP_AT_ONCE = 16

/**
 * Unverified hours after the lake's first verified one: this program landed hours before them, so
 * their objects may have replaced its own. Each is a conflict until a person resolves it. Returns
 * the new ones, which it marks in the lake, and the hours of those that are resolved.
 */
export const lateUnverified = Effect.fn("lateUnverified")(function* (options: LateOptions) {
  const { lake, store, unverified } = options
  const first = yield* firstVerified(options)
  const late = unverified.filter(
    ({ hour }) =>
      // A doubled hour is a conflict already.
      first !== undefined && first < hour && !isDoubled(lake.inventory.get(hour) ?? [])
  )
  const named = yield* Effect.forEach(late, (it) =>
    Effect.map(fingerprintOf(it.objects), (fingerprint) => ({ ...it, fingerprint }))
  )
  // A run that met the object under another lineset has named it, too.
  const resolved = subjectsOf(lake.resolved)
  const marked = subjectsOf(lake.conflicts.map(({ name }) => name))
  const isOf = (subjects: ReadonlySet<string>) => (it: (typeof named)[number]) =>
    subjects.has(`${it.hour}--${it.fingerprint}`)
  const fresh = named.filter((it) => !isOf(resolved)(it) && !isOf(marked)(it))
  yield* Effect.forEach(
    fresh,
    ({ digest, hour, objects }) =>
      markConflict(store, { hour, ours: digest, landed: Either.right(digest), objects }),
    { discard: true }
  )
  return {
    conflicts: fresh.map(({ digest, fingerprint, hour }): RefusedVersion => ({
      _tag: "Refused",
      hour,
      name: conflictName(hour, digest.lineset, fingerprint),
      lineset: digest.lineset,
      fingerprint
    })),
    resolved: new Set(named.filter(isOf(resolved)).map(({ hour }) => hour))
  }
})

/** The hours and fingerprints in conflicts' names. */
function subjectsOf(names: Iterable<string>): ReadonlySet<string> {
  return new Set(
    Array.from(names, (name) => {
      const [hour, , fingerprint] = name.split("--")
      return `${hour}--${fingerprint}`
    })
  )
}

/**
 * The lake's first verified hour, as far as it matters: hours that were not read are looked up only
 * if an unverified hour has no verified one before it.
 */
const firstVerified = Effect.fnUntraced(function* ({
  lake,
  read,
  store,
  unverified,
  verified
}: LateOptions) {
  const { beforeDeadline, retry } = yield* Run
  const known = outermost(verified)
  const newest = outermost(
    unverified.map(({ hour }) => hour).filter((hour) => known === undefined || hour < known),
    -1
  )
  if (newest === undefined) return known
  const older = [...lake.inventory]
    .filter(([hour, objects]) => hour < newest && !read.has(hour) && objects.some(mayBeOurs))
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .flatMap(([, objects]) => objects)
  const isOurs = ({ key }: HourObject) =>
    Effect.map(retry(store.head(key)), (head) =>
      Option.isSome(Option.flatMap(head, ({ metadata }) => metadataFromText(metadata)))
    )
  const found = yield* Stream.fromIterable(older).pipe(
    Stream.mapEffect((object) => Effect.map(isOurs(object), (ours) => ({ ours, object })), {
      concurrency: LOOKED_UP_AT_ONCE
    }),
    Stream.filter(({ ours }) => ours),
    Stream.runHead,
    beforeDeadline,
    Effect.catchAll(({ message }) =>
      Effect.as(
        Effect.logWarning(`The first hour that can be verified is not known: ${message}`),
        Option.none()
      )
    )
  )
  return Option.match(found, { onNone: () => known, onSome: ({ object }) => object.hour })
})

function mayBeOurs({ form, hasMetadata }: HourObject): boolean {
  return form !== "parts" && hasMetadata !== false
}
