import { Effect, Either, Option } from "effect"
import { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import { conflictName, markKey, type RefusedVersion } from "../../services/LakeMark.ts"
import type { LinesDigest } from "../../services/LinesDigest.ts"
import {
  addressOf,
  type ObjectInfo,
  type ObjectStorage,
  type ObjectStorageError
} from "../../services/ObjectStorage.ts"
import type { UnpackerError } from "../../services/Unpacker.ts"
import { type DoubledHour, type HourObject, versionsOf } from "../plan/doubledHours.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import type { Conflict } from "../plan/inventory.ts"
import { Run } from "../run/Run.ts"
import { type MarkText, putMark, readMark } from "./markLake.ts"
import type { OpenConflict } from "./OpenConflict.ts"

/** The lines of an hour in a store, or why they cannot be read. */
export type LandedLines = Either.Either<LinesDigest, UnpackerError>

/** Both versions of an hour. */
export interface Versions {
  readonly hour: Hour
  readonly ours: Pick<LinesDigest, "events" | "lineset">
  readonly landed: LandedLines
  /** The store's objects of the hour. */
  readonly objects: ReadonlyArray<Pick<ObjectInfo, "key" | "etag">>
  /** The full address of the copy of our version, if one was kept. */
  readonly copy?: string | undefined
}

/** Whether a person has chosen the store's version, still the same, over ours. */
export const isResolved = Effect.fn("isResolved")(function* (
  store: ObjectStorage["Type"],
  { hour, objects, ours }: Omit<Versions, "landed">
) {
  const { retry } = yield* Run
  const name = conflictName(hour, ours.lineset, yield* fingerprintOf(objects))
  const decision = yield* retry(store.head(markKey("resolved", name)))
  return Option.exists(decision, ({ metadata }) => metadata["keep"] === "store")
})

/** Metadata hold little. */
const MOST_KEYS = 4

/**
 * Records a conflict, so that every later run on any machine names it. A mark that cannot be
 * written becomes a warning, and `false`: the caller's failure says more.
 */
export const markConflict = Effect.fn("markConflict")(
  function* (store: ObjectStorage["Type"], versions: Versions) {
    const { host } = yield* Run
    const { copy, hour, landed, objects, ours } = versions
    const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
    const name = conflictName(hour, ours.lineset, yield* fingerprintOf(objects))
    // Some stores keep names in small letters only.
    const text: MarkText = {
      keys: objects
        .slice(0, MOST_KEYS)
        .map(({ key }) => key)
        .join("\n"),
      events: String(ours.events),
      ...Either.match(landed, {
        onLeft: () => ({}),
        onRight: ({ events, lineset }) => ({ storeevents: String(events), storelineset: lineset })
      }),
      ...(copy === undefined ? {} : { copy }),
      host,
      time: new Date(now).toISOString()
    }
    yield* putMark(store, "conflicts", name, text)
    return true
  },
  (self, _store, { hour }) =>
    Effect.catchAll(self, ({ message }) =>
      Effect.as(
        Effect.logWarning(
          `The conflict of ${hour} could not be recorded, so other runs do not name it: ${message}`
        ),
        false
      )
    )
)

const AT_ONCE = 16

/**
 * Reads what the marks of conflicts say, and the metadata of the objects of doubled hours, by one
 * lookup each. What cannot be read is logged, and the conflict is named without it.
 */
export const describeConflicts = (
  store: ObjectStorage["Type"],
  conflicts: ReadonlyArray<Conflict>
): Effect.Effect<ReadonlyArray<OpenConflict>, never, Run> =>
  Effect.forEach(
    conflicts,
    (conflict) =>
      conflict._tag === "Doubled"
        ? describeDoubled(store, conflict)
        : Effect.catchAll(describe(store, conflict), ({ message }: ObjectStorageError) =>
            Effect.as(Effect.logWarning(message), { hour: conflict.hour, name: conflict.name })
          ),
    { concurrency: AT_ONCE }
  )

const describe = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  { hour, lineset, name }: RefusedVersion
) {
  const text = yield* readMark(store, "conflicts", name)
  const keys = text["keys"]?.split("\n").map((key) => addressOf(store, key))
  return {
    hour,
    name,
    ...(keys === undefined ? {} : { object: keys.join(" and ") }),
    store: { ...countOf(text["storeevents"]), ...textOf("lineset", text["storelineset"]) },
    ours: { ...countOf(text["events"]), lineset },
    ...textOf("copy", text["copy"]),
    ...textOf("host", text["host"]),
    ...textOf("time", text["time"])
  } satisfies OpenConflict
})

const describeDoubled = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  { hour, name, objects }: DoubledHour
) {
  const versions = yield* Effect.forEach(versionsOf(objects), (version) =>
    Effect.map(metadataOfVersion(store, version), (metadata) => ({
      key: version[0]?.key ?? "",
      object: version.map(({ key }) => addressOf(store, key)).join(" and "),
      ...Option.match(metadata, {
        onNone: () => ({}),
        onSome: ({ events, lineset }) => ({ events, lineset })
      })
    }))
  )
  return { hour, name, versions } satisfies OpenConflict
})

/** What the metadata of a version's only object say. */
const metadataOfVersion = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  [object, ...others]: ReadonlyArray<HourObject>
) {
  const { retry } = yield* Run
  if (object === undefined || others.length > 0) return Option.none()
  const listed = object.metadata
  const text =
    listed === undefined
      ? Effect.map(
          retry(store.head(object.key)),
          Option.map(({ metadata }) => metadata)
        )
      : Effect.succeedSome(listed)
  return yield* text.pipe(
    Effect.map(Option.flatMap(metadataFromText)),
    Effect.catchAll(({ message }) => Effect.as(Effect.logWarning(message), Option.none()))
  )
})

function countOf(text: string | undefined) {
  return text !== undefined && /^\d{1,15}$/.test(text) ? { events: Number(text) } : {}
}

function textOf<const Name extends string>(name: Name, text: string | undefined) {
  return (text === undefined ? {} : { [name]: text }) as { readonly [N in Name]?: string }
}
