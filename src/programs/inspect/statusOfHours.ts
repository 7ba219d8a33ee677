import { Effect, Option, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { Hour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import type { ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { isEmptySize } from "../plan/emptyObject.ts"
import type { HourObject } from "../plan/inventory.ts"
import { planRun } from "../plan/planRun.ts"
import type { WindowOptions } from "../plan/planWindow.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run, type SettleOptions } from "../run/Run.ts"

/** What a window's hour is, by a listing of the store. */
export const HourState = Schema.Literal(
  "landed",
  /** Landed, without events. */
  "empty",
  /** Landed by another pipeline: this program has no digest to hold it against. */
  "unverified",
  /** Closed, without an object, and not settled. */
  "pending",
  /** Not closed. */
  "open",
  /** Settled and without an object. */
  "gap"
)
export type HourState = typeof HourState.Type

const StatusHour = Schema.Struct({
  hour: Hour,
  state: HourState,
  /** Waits in staging for `sync`. */
  staged: Schema.Boolean,
  /** Bytes of its objects in the store. */
  size: Schema.NonNegativeInt,
  /** Events of its objects, where they were asked for and the listing tells. */
  events: Schema.optional(Schema.NonNegativeInt),
  /** Keys of its objects in the store. */
  keys: Schema.Array(Schema.String)
})
export type StatusHour = typeof StatusHour.Type

/** The state of each hour of a window, oldest first. */
export class Status extends Schema.Class<Status>("Status")({
  window: Schema.Struct({ first: Hour, last: Hour }),
  hours: Schema.Array(StatusHour),
  totals: Schema.Record({ key: HourState, value: Schema.NonNegativeInt }),
  /** Of the window. */
  oldestGap: Schema.NullOr(Hour),
  /** The newest hour that stands in the store, in the window or not. */
  newestLanded: Schema.NullOr(Hour),
  /** 3 where there is a gap. */
  exitCode: ExitCode
}) {}

export interface StatusOptions extends WindowOptions, SettleOptions, RetryOptions {
  /**
   * Whether to tell each hour's events, where the store's listing knows of metadata. Defaults to
   * `false`.
   */
  readonly withEvents?: boolean | undefined
}

const READ_AT_ONCE = 16

/** The events of an object: `None` where only a request for that one object would tell. */
const eventsOf = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  { hasMetadata, key, metadata }: HourObject
) {
  const { retry } = yield* Run
  // A listing that knows of metadata without giving them is that of a folder, where looking costs
  // no request.
  const text =
    metadata !== undefined || hasMetadata !== true
      ? Option.fromNullable(metadata)
      : Option.map(yield* retry(store.head(key)), (head) => head.metadata)
  return Option.map(Option.flatMap(text, metadataFromText), ({ events }) => events)
})

const eventsOfHours = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  objects: ReadonlyArray<HourObject>
): Effect.fn.Return<ReadonlyMap<Hour, number>, ObjectStorageError, Run> {
  const found = new Map<Hour, number>()
  yield* Effect.forEach(
    objects,
    (object) =>
      Effect.map(
        eventsOf(store, object),
        Option.map((events) => found.set(object.hour, (found.get(object.hour) ?? 0) + events))
      ),
    { concurrency: READ_AT_ONCE, discard: true }
  )
  return found
})

/**
 * Tells a window's hours apart by one listing of the store and one of staging. Whose an object is,
 * the listing tells, or its key where the listing does not, as S3's: an object under one of this
 * program's own keys then counts as its own.
 */
export const statusOfHours = Effect.fn("statusOfHours")(function* (options: StatusOptions = {}) {
  const { isClosed, isSettled } = yield* Run
  const { window, store, staging } = yield* planRun(options)
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)

  const stateOf = (hour: Hour, objects: ReadonlyArray<HourObject>): HourState => {
    if (objects.length > 0) return stateOfObjects(objects)
    if (!isClosed(hour, now)) return "open"
    return isSettled(hour, now) ? "gap" : "pending"
  }
  const standing = window.hours.map((hour) => ({
    hour,
    objects: store.inventory.get(hour) ?? []
  }))
  const events =
    options.withEvents === true
      ? yield* eventsOfHours(
          store.store,
          standing.flatMap(({ objects }) => objects)
        )
      : new Map<Hour, number>()
  const hours = standing.map(({ hour, objects }): StatusHour => ({
    hour,
    state: stateOf(hour, objects),
    staged: staging.inventory.has(hour),
    size: objects.reduce((sum, { size }) => sum + size, 0),
    events: events.get(hour),
    keys: objects.map(({ key }) => key)
  }))
  const count = (state: HourState) => hours.filter((it) => it.state === state).length
  return new Status({
    window: { first: window.first, last: window.last },
    hours,
    totals: {
      landed: count("landed"),
      empty: count("empty"),
      unverified: count("unverified"),
      pending: count("pending"),
      open: count("open"),
      gap: count("gap")
    },
    oldestGap: hours.find(({ state }) => state === "gap")?.hour ?? null,
    newestLanded: newest(store.inventory.keys()),
    exitCode: exitCodeOf({
      kinds: new Set(),
      isDone: true,
      isTouched: true,
      isIncomplete: count("gap") > 0
    })
  })
}, asRun)

function newest(hours: Iterable<Hour>): Hour | null {
  let found: Hour | null = null
  for (const hour of hours) if (found === null || hour > found) found = hour
  return found
}

function stateOfObjects(objects: ReadonlyArray<HourObject>): HourState {
  if (objects.some(({ form, hasMetadata }) => form === "parts" || hasMetadata === false)) {
    return "unverified"
  }
  return objects.every(({ format, size }) => isEmptySize(format, size)) ? "empty" : "landed"
}
