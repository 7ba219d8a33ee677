import { Effect, Option, Stream } from "effect"
import { Clock } from "../../services/Clock.ts"
import { type Hour, isOverSince } from "../../services/Hour.ts"
import { hourKey, hourOfKey, type KeyedHour } from "../../services/HourKey.ts"
import { HourMetadata, metadataFromText } from "../../services/HourMetadata.ts"
import { conflictName } from "../../services/LakeMark.ts"
import {
  byKey,
  type ObjectInfo,
  ObjectStorage,
  type ObjectStorageError
} from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Staging } from "../../services/Staging.ts"
import { Unpacker, UnpackerError } from "../../services/Unpacker.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import { type HourObject, takeInventory } from "../plan/inventory.ts"
import { putMark } from "../resolve/markLake.ts"
import { countBytes } from "../run/countBytes.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import { type HourOutcome, Landed, Skipped } from "../run/HourOutcome.ts"
import { LandingError } from "../run/LandingError.ts"
import { Run } from "../run/Run.ts"
import { judgeLines } from "./foreignLines.ts"
import { hasSameLines, type HourToLand, readLanded } from "./landObject.ts"
import { type Admit, admitOneProject } from "./oneProject.ts"
import { FAILED_UPLOADS, refuseAsConflict } from "./refuseAsConflict.ts"
import { refuseDoubled } from "./refuseDoubled.ts"

/** Who lets a run adopt the files of other programs. */
export interface Adopting {
  readonly user: string
}

/**
 * Uploads the files of other programs in staging as unverified hours, each with the decision that it
 * counts. A file is removed only once the store has its lines. If the store has others, the file
 * moves to `failed_uploads/`. A file in any other form stays, and is named with the reason. Returns
 * the outcomes of all hours, also of those that were synced before.
 */
export const adoptForeign = Effect.fn("adoptForeign")(function* (
  { user }: Adopting,
  synced: ReadonlyArray<HourOutcome> = []
) {
  const { concurrency, log, retry } = yield* Run
  const store = yield* ObjectStorage
  const files = (yield* foreignFiles()).sort(byKey)
  yield* log.files()
  const hours = new Map<Hour, Array<ForeignHour>>()
  for (const object of files) {
    const named = namedHour(object.key)
    if (typeof named === "string") yield* refuse(object.key, named)
    else hours.set(named.hour, [...(hours.get(named.hour) ?? []), { ...object, ...named }])
  }
  if (hours.size === 0) return synced
  yield* retry(store.check)
  const inventory = yield* retry(takeInventory(store))
  const admit = yield* admitOneProject([{ store, inventory }], store.place)
  const progress = yield* Progress
  progress.planned(hours.size)

  const before = new Map(synced.map((outcome) => [outcome.hour, outcome] as const))
  const adopted = yield* Effect.forEach(
    hours,
    ([hour, objects]) =>
      adoptHour(objects, {
        landed: inventory.get(hour) ?? [],
        synced: before.get(hour),
        admit,
        user
      }).pipe(
        Effect.tap(() => Effect.sync(() => progress.done(1))),
        Effect.annotateLogs({ hour })
      ),
    { concurrency }
  )
  return [...synced.filter(({ hour }) => !hours.has(hour)), ...adopted.flat()]
})

/** A file of another program whose name says its hour. */
interface ForeignHour extends ObjectInfo, KeyedHour {}

interface Permission extends Adopting {
  readonly admit: Admit
}

/** The files of other programs in staging. */
export const foreignFiles = Effect.fn("adoptForeign.foreignFiles")(function* () {
  const { retry } = yield* Run
  const staging = yield* Staging
  const listed = yield* retry(Stream.runCollect(staging.list))
  return [...listed].filter(
    ({ hasMetadata, key }) => hasMetadata === false && !key.startsWith(FAILED_UPLOADS)
  )
})

/** The hour of a file by its name, or why the name is refused. */
function namedHour(key: string): KeyedHour | string {
  const named = Option.getOrUndefined(hourOfKey(key))
  if (named === undefined) {
    return "its name is not that of an hour, such as 2025-11-10_21.jsonl or 2025-11-10_21.jsonl.gz"
  }
  return named.form === "parts"
    ? `it is a part of ${named.hour}, and nothing tells whether other parts are missing`
    : named
}

const refuse = Effect.fnUntraced(function* (file: string, message: string) {
  const { log } = yield* Run
  const staging = yield* Staging
  yield* Effect.logWarning(`Left "${file}" in ${staging.place}: ${message}`)
  yield* log.files({ refused: [{ file, message }] })
})

/** Adopts the files of one hour: the first counts, and the others must hold the same lines. */
const adoptHour = Effect.fn("adoptForeign.adoptHour")(function* (
  files: ReadonlyArray<ForeignHour>,
  {
    landed,
    synced,
    ...permission
  }: Permission & {
    readonly landed: ReadonlyArray<HourObject>
    readonly synced: HourOutcome | undefined
  }
) {
  const { beforeDeadline, layout, log } = yield* Run
  let standing = landed.map(({ key }) => key)
  const outcomes: Array<HourOutcome> = synced === undefined ? [] : [synced]
  for (const file of files) {
    const { format, hour, key } = file
    const adopted = yield* refuseDoubledOf(landed).pipe(
      Effect.zipRight(beforeDeadline(adoptFile(file, standing, permission))),
      Effect.catchAll((error) =>
        error._tag === "LandingError" && error.reason === "ForeignForm"
          ? Effect.as(refuse(key, error.detail), undefined)
          : Effect.as(logFailure(error), failedHour(hour, error))
      )
    )
    if (adopted === undefined) continue
    if (adopted._tag === "Landed") standing = [hourKey(hour, layout, format)]
    outcomes.push(adopted)
    yield* log.ended(worst(outcomes) ?? adopted)
  }
  const outcome = worst(outcomes)
  return outcome === undefined ? [] : [outcome]
})

const refuseDoubledOf = (landed: ReadonlyArray<HourObject>) =>
  Effect.flatMap(ObjectStorage, (store) => refuseDoubled(store, landed))

/** The outcome of an hour by those of its files. */
function worst(outcomes: ReadonlyArray<HourOutcome>): HourOutcome | undefined {
  const of = (tag: HourOutcome["_tag"]) => outcomes.find(({ _tag }) => _tag === tag)
  return of("Failed") ?? of("Postponed") ?? of("Landed") ?? outcomes[0]
}

/** Adopts one file. Killed anywhere, it can be adopted again. */
const adoptFile = Effect.fn("adoptForeign.adoptFile")(function* (
  file: ForeignHour,
  standing: ReadonlyArray<string>,
  { admit, user }: Permission
) {
  const { layout, log } = yield* Run
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const { etag, format, hour, key } = file
  const read = yield* readForeign(file)
  yield* admit(Option.liftPredicate(read.metadata.project, (it) => it !== ""))
  const target = { ...read, key: hourKey(hour, layout, format), body: staging.get(key) }
  const isNew = standing.length === 0 && (yield* putUnverified(target))
  const keys = standing.length === 0 ? [target.key] : standing
  const remove = removeUnchanged(key, etag)
  if (!isNew) {
    const { size, metadata } = target
    const lines = yield* readLanded(store, keys, { size, sha256: metadata.sha256 })
    if (!hasSameLines(lines, metadata)) {
      yield* refuseAsConflict(store, target, { keys, lines }).pipe(
        Effect.tapError((error) =>
          error._tag === "LandingError" && error.isKeptConflict
            ? Effect.zipRight(remove, log.files({ conflicted: [key] }))
            : Effect.void
        )
      )
      const detail =
        "the store has replaced these lines by newer ones, or a person has chosen the store's version over them; move it away"
      return yield* new LandingError({ reason: "ForeignForm", detail })
    }
  }
  yield* decide(target.metadata, keys, user)
  if (store.isDurable) yield* remove
  yield* log.files({ adopted: [key] })
  yield* Effect.logInfo(
    isNew ? `Adopted "${key}" in ${store.place}` : `The lines of "${key}" are in ${store.place}`
  )
  const { bytes, events } = target.metadata
  return isNew ? new Landed({ hour, events, bytes }) : new Skipped({ hour })
})

function refused(detail: string): LandingError {
  return new LandingError({ reason: "ForeignForm", detail })
}

/** Reads a file and judges its form: events of its hour, line by line, to the last byte. */
const readForeign = Effect.fn("adoptForeign.readForeign")(function* ({
  format,
  hour,
  key
}: ForeignHour) {
  const { version } = yield* Run
  const staging = yield* Staging
  const unpacker = yield* Unpacker
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  if (!isOverSince(hour, 0, now)) return yield* refused("its hour is not over")
  const lines = judgeLines(hour)
  const onLines = (bytes: Uint8Array) => {
    const problem = lines.update(bytes)
    return problem === undefined ? Effect.void : refused(problem)
  }
  const read = yield* unpacker.digest(key, staging.get(key), format, { onLines }).pipe(
    Effect.catchIf(
      (error) => error instanceof UnpackerError && error.reason !== "Unreadable",
      (error) => refused(error instanceof UnpackerError ? error.detail : "")
    )
  )
  const problem = lines.finish()
  if (problem !== undefined) return yield* refused(problem)
  if (read.events === 0)
    return yield* refused("it has no lines, which does not prove that its hour has none")
  const { bytes, events, lineset, malformed, sha256, size } = read
  const project = lines.project() ?? ""
  const metadata = new HourMetadata({
    hour,
    events,
    bytes,
    lineset,
    malformed,
    sha256,
    parts: 0,
    project,
    version
  })
  return { size, metadata }
})

/** Creates an hour's object without metadata: `false` if the key is taken. */
const putUnverified = Effect.fn("adoptForeign.putUnverified")(function* ({
  body,
  key,
  metadata: { sha256 },
  size
}: HourToLand<ObjectStorageError>) {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const sent = countBytes(body, (yield* Progress).sent)
  if (!(yield* retry(store.put({ key, size, sha256, metadata: {}, body: sent })))) return false
  const head = yield* retry(store.head(key))
  if (Option.exists(head, (it) => it.size === size)) return true
  return yield* new LandingError({
    reason: "NotVerified",
    detail: `"${key}" in ${store.place} does not match what was uploaded; inspect it, delete it and run again`
  })
})

/**
 * Records that an unverified object counts. Without this, it would be a conflict where it lies among
 * verified hours. The first decision counts, so this can be repeated.
 */
const decide = Effect.fn("adoptForeign.decide")(function* (
  { hour, lineset }: HourMetadata,
  keys: ReadonlyArray<string>,
  user: string
) {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const [key, ...others] = keys
  if (key === undefined || others.length > 0) return
  const head = yield* retry(store.head(key))
  const unverified = Option.filter(head, ({ metadata }) =>
    Option.isNone(metadataFromText(metadata))
  )
  if (Option.isNone(unverified)) return
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const name = conflictName(hour, lineset, yield* fingerprintOf([unverified.value]))
  const time = new Date(now).toISOString()
  yield* putMark(store, "resolved", name, { keep: "store", user, time })
})

/** Removes a staged file of another program, unless somebody has written to it meanwhile. */
const removeUnchanged = Effect.fn("adoptForeign.removeUnchanged")(
  function* (key: string, etag: string) {
    const staging = yield* Staging
    const head = yield* staging.head(key)
    if (Option.isNone(head)) return
    if (head.value.etag === etag) return yield* staging.remove(key)
    yield* Effect.logWarning(`"${key}" in ${staging.place} changed while it was read; it stays`)
  },
  Effect.catchAll(({ message }) => Effect.logWarning(message))
)
