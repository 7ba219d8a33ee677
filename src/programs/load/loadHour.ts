import { Effect, Option } from "effect"
import { Clock } from "../../services/Clock.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import { NewLoad, type OpenWarehouse } from "../../services/Warehouse.ts"
import type { RunError } from "../run/failureKind.ts"
import { Run } from "../run/Run.ts"
import { inSpan } from "../run/telemetry.ts"
import { differences } from "../inspect/verifyObject.ts"
import { conflictOf } from "./conflictOf.ts"
import type { DecideOptions } from "./decideLoad.ts"
import { LoadError } from "./LoadError.ts"
import type { LoadOutcome } from "./LoadSummary.ts"
import { type KnownHour, type Looked, lookUp } from "./lookUp.ts"
import { formatOf, readAnnounced, type ReadLines, readObjects } from "./readObjects.ts"

export interface LoadHourOptions extends DecideOptions {
  /** The store's prefix, which the ledger's keys begin with. Defaults to none. */
  readonly prefix?: string | undefined
}

export interface LoadHour extends LoadHourOptions {
  readonly warehouse: OpenWarehouse
  /** The project of the hours that are loaded. */
  readonly project: Option.Option<string>
  /** Told of the outcome before anything can interrupt. */
  readonly ended: (outcome: LoadOutcome) => Effect.Effect<void>
}

type Context = Clock | ObjectStorage | Run | Unpacker

/** Brings an hour into the warehouse if it is not there, in one transaction. */
export const loadHour = (known: KnownHour, options: LoadHour) =>
  Effect.gen(function* () {
    const { beforeDeadline } = yield* Run
    const looked = yield* beforeDeadline(lookUp(known, options))
    return yield* act(looked, options).pipe(
      Effect.catchTag("LoadError", (error) => orSecondLook(looked, options, error))
    )
  })

/** An object that was replaced while it was read is looked at once more. */
const orSecondLook = Effect.fnUntraced(function* (
  looked: Looked,
  options: LoadHour,
  error: LoadError
) {
  const { retry } = yield* Run
  const storage = yield* ObjectStorage
  const [object] = looked.objects
  if (object === undefined || looked.store._tag !== "Ours") return yield* error
  const head = yield* retry(storage.head(object.key))
  const isSame = Option.exists(
    head,
    ({ etag }) => "etag" in looked.store && etag === looked.store.etag
  )
  return isSame ? yield* error : yield* act(yield* lookUp(looked, options), options)
})

/** Ends an hour by what was decided about it. */
export const act = (looked: Looked, options: LoadHour): Effect.Effect<void, RunError, Context> => {
  const { hour } = looked
  switch (looked.decision) {
    case "nothing":
      return Effect.void
    case "skip":
      return options.ended({ _tag: "Skipped", hour })
    case "keep":
      return options.ended({ _tag: "Kept", hour })
    case "leave":
      return options.ended({ _tag: "Unverified", hour })
    case "conflict":
      return endAsConflict(looked, options)
    case "relabel":
      return relabel(looked, options)
    case "load":
    case "replace":
      return load(looked, options)
  }
}

const endAsConflict = (
  looked: Looked,
  { ended, prefix = "" }: LoadHour,
  problems?: ReadonlyArray<string>
) =>
  ended({
    _tag: "Differing",
    hour: looked.hour,
    conflict: conflictOf(looked, prefix, problems)
  })

/** An object that was edited by hand keeps its metadata, so its bytes decide. */
const relabel = Effect.fnUntraced(function* (looked: Looked, options: LoadHour) {
  const { beforeDeadline, retry } = yield* Run
  const { hour, objects, row, store } = looked
  if (row === undefined || store._tag !== "Ours") return
  const { metadata } = store
  const problems = yield* beforeDeadline(retry(readObjects(objects, () => Effect.void))).pipe(
    Effect.map((read) => differences(hour, metadata, read)),
    Effect.catchTag("UnpackerError", (error) =>
      // A thread that ended says nothing about the object.
      error.reason === "Unreadable" ? Effect.fail(error) : Effect.succeed([error.detail])
    )
  )
  if (problems.length > 0) return yield* endAsConflict(looked, options, problems)
  const names = { ...namesOf(looked, options), sha256: metadata.sha256 }
  yield* Effect.uninterruptible(
    Effect.zipRight(
      retry(options.warehouse.relabel(row.loadId, names)),
      options.ended({ _tag: "Relabelled", hour })
    )
  )
})

const load = Effect.fnUntraced(function* (looked: Looked, options: LoadHour) {
  const { beforeDeadline, retry } = yield* Run
  const { hour, objects } = looked
  const { ended, warehouse } = options
  const { replaces, row } = yield* beforeDeadline(announceLoad(looked, options))
  const announced = looked.store._tag === "Ours" ? looked.store.metadata : row
  const once = Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      warehouse.load({
        row,
        replaces,
        read: (append) => restore(beforeDeadline(readAnnounced(hour, objects, announced, append)))
      }),
      (loaded) => ended({ _tag: replaces === undefined ? "Loaded" : "Replaced", hour, row: loaded })
    )
  )
  yield* retry(once).pipe(inSpan("load", { hour, events: row.events }))
})

/** What will be loaded, and in the place of what. */
export const announceLoad = Effect.fnUntraced(function* (looked: Looked, options: LoadHour) {
  const row = yield* announce(looked, options)
  yield* checkProject(row, options)
  return { row, replaces: looked.row?.loadId }
})

/** The ledger row of what will be loaded. Objects without our metadata are read once for it. */
const announce = Effect.fnUntraced(function* (looked: Looked, options: LoadHour) {
  const { retry, version } = yield* Run
  const { hour, objects, store } = looked
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const lines: ReadLines =
    store._tag === "Ours" ? store.metadata : yield* retry(readObjects(objects, () => Effect.void))
  return new NewLoad({
    hour,
    ...namesOf(looked, options),
    events: lines.events,
    bytes: lines.bytes,
    malformed: lines.malformed,
    lineset: lines.lineset,
    sha256: lines.sha256,
    project: store._tag === "Ours" ? store.metadata.project : projectOf(looked),
    redacted: store._tag === "Ours" ? store.metadata.redacted : 0,
    landedBy: store._tag === "Ours" ? store.metadata.version : "other",
    loadedBy: version,
    loadedAt: now
  })
})

function namesOf({ objects, store }: Looked, { prefix = "" }: LoadHourOptions) {
  return {
    key: objects.map(({ key }) => prefix + key).join("\n"),
    format: formatOf(objects),
    etag: "etag" in store ? store.etag : ""
  }
}

function projectOf({ objects: [first] }: Looked): string {
  return first === undefined ? "" : Option.getOrElse(first.project, () => "")
}

const checkProject = Effect.fnUntraced(function* ({ hour, project }: NewLoad, options: LoadHour) {
  const { project: known } = options
  if (project === "" || Option.isNone(known) || known.value === project) return
  const detail = `${hour} belongs to Amplitude project ${project}, but the warehouse holds project ${known.value}`
  return yield* new LoadError({ reason: "Differs", detail })
})
