import { Effect, Option, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { addHours, Hour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import { Window } from "../../services/Window.ts"
import {
  addressOf,
  type ObjectStorage,
  type ObjectStorageError
} from "../../services/ObjectStorage.ts"
import { Warehouse } from "../../services/Warehouse.ts"
import { readLedger } from "../load/readLedger.ts"
import { isDoubled } from "../plan/doubledHours.ts"
import { isEmptySize } from "../plan/emptyObject.ts"
import type { HourObject } from "../plan/inventory.ts"
import { countGaps, GapCount, gapsBetween, outermost } from "../plan/gaps.ts"
import { gaugePlan } from "../plan/gaugePlan.ts"
import { type Plan, planRun } from "../plan/planRun.ts"
import { isUndated, type WindowOptions } from "../plan/planWindow.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run, type SettleOptions } from "../run/Run.ts"
import { compareLedger, isBehind, LedgerStatus, LoadState } from "./compareLedger.ts"

/** The state of one hour in a listing of the store. */
export const HourState = Schema.Literal(
  "landed",
  /** Landed, without events. */
  "empty",
  /** Landed by another pipeline, so there is no digest to compare it with. */
  "unverified",
  /** In several versions, of which a person has to choose one. */
  "doubled",
  /** Closed, without an object, and not settled. */
  "pending",
  /** Not closed. */
  "open",
  /** Settled and without an object. */
  "gap",
  /** A gap that a person has accepted. */
  "accepted",
  /** Settled and without an object, in a lake where no hour has landed yet. */
  "unlanded"
)
export type HourState = typeof HourState.Type

const StatusHour = Schema.Struct({
  hour: Hour,
  state: HourState,
  /** In staging, waiting for `sync`. */
  staged: Schema.Boolean,
  /** Bytes of its objects in the store that count. */
  size: Schema.NonNegativeInt,
  /** Events in its objects, if requested and in the listing. */
  events: Schema.optional(Schema.NonNegativeInt),
  /** Keys of its objects in the store that count. */
  keys: Schema.Array(Schema.String),
  /** Whether it is loaded, if there is a warehouse to ask. */
  warehouse: Schema.optional(LoadState)
})
export type StatusHour = typeof StatusHour.Type

const SupersededObject = Schema.Struct({
  hour: Hour,
  key: Schema.String,
  /** Its full address. */
  object: Schema.String,
  /** The full address of the version that counts. */
  kept: Schema.String
})

/** The state of every hour of a window, oldest first. */
export class Status extends Schema.Class<Status>("Status")({
  window: Schema.Struct({ first: Hour, last: Hour }),
  hours: Schema.Array(StatusHour),
  totals: Schema.Record({ key: HourState, value: Schema.NonNegativeInt }),
  /** Gaps of the window. */
  gaps: Schema.NullOr(GapCount),
  /** Gaps before the window and after the lake's first landed hour. */
  olderGaps: Schema.NullOr(GapCount),
  /** Conflicts that nobody has resolved. */
  conflicts: Schema.Array(OpenConflict),
  /** Objects that do not count, because a person has chosen another version of their hour. */
  superseded: Schema.Array(SupersededObject),
  /** Of the window. */
  oldestGap: Schema.NullOr(Hour),
  /** The newest hour in the store, inside the window or not. */
  newestLanded: Schema.NullOr(Hour),
  /** How the ledger compares with the store, if there is a warehouse to ask. */
  warehouse: Schema.optional(LedgerStatus),
  /** 8 where a conflict is open, else 3 where there is a gap, or an hour is not loaded. */
  exitCode: ExitCode
}) {}

export interface StatusOptions extends WindowOptions, SettleOptions, RetryOptions {
  /**
   * Report the events of each hour if the store's listing includes metadata. Defaults to `false`.
   */
  readonly withEvents?: boolean | undefined
  /** The store's prefix, with which conflicts name their objects. Defaults to none. */
  readonly prefix?: string | undefined
}

const READ_AT_ONCE = 16

/** The events in an object; `None` if that would take a request per object. */
const eventsOf = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  { hasMetadata, key, metadata }: HourObject
) {
  const { retry } = yield* Run
  // A listing that knows that there are metadata but does not include them is a folder's; a lookup
  // there costs no request.
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
 * Tells the hours of a window apart, without dates those of the whole lake, by one listing of the store and one of staging. Whose an object is,
 * the listing tells, or its key where the listing does not, as S3's: an object under one of this
 * program's own keys then counts as its own. If a `Warehouse` is provided, its ledger is compared
 * with the listing.
 */
export const statusOfHours = Effect.fn("statusOfHours")(function* (options: StatusOptions = {}) {
  const { isClosed, isSettled } = yield* Run
  const plan = yield* planRun(options)
  const { store, staging, lake } = plan
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const window = isUndated(options) ? wholeLake(plan) : plan.window
  const accepted = new Set(lake.acceptances.flatMap((it) => it.window.hours))

  const stateOf = (hour: Hour, objects: ReadonlyArray<HourObject>): HourState => {
    if (objects.length > 0) return stateOfObjects(objects)
    if (!isClosed(hour, now)) return "open"
    if (!isSettled(hour, now)) return "pending"
    if (accepted.has(hour)) return "accepted"
    const isBefore = lake.firstLanded === undefined || hour < lake.firstLanded
    return isBefore && isUndated(options) ? "unlanded" : "gap"
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
  const loads = yield* compareIfThere(plan, options, window)
  const hours = standing.map(({ hour, objects }): StatusHour => ({
    hour,
    state: stateOf(hour, objects),
    staged: staging.inventory.has(hour),
    size: objects.reduce((sum, { size }) => sum + size, 0),
    events: events.get(hour),
    keys: objects.map(({ key }) => key),
    warehouse: loads?.states.get(hour)
  }))
  const states = new Map(hours.map(({ hour, state }) => [hour, state]))
  const gaps = countGaps(
    gapsBetween(window.first, window.last, (hour) => states.get(hour) === "gap")
  )
  const olderGaps = countGaps(lake.gaps({ last: addHours(window.first, -1) }))
  yield* gaugePlan(plan)
  const isContradictory = lake.conflicts.length > 0 || (loads?.status.differing.length ?? 0) > 0
  const isUnloaded = loads !== undefined && isBehind(loads.status)
  const count = (state: HourState) => hours.filter((it) => it.state === state).length
  // Every field is this program's own; checking the hours of years again takes as long as listing.
  const found = {
    window: { first: window.first, last: window.last },
    hours,
    totals: {
      landed: count("landed"),
      empty: count("empty"),
      unverified: count("unverified"),
      doubled: count("doubled"),
      pending: count("pending"),
      open: count("open"),
      gap: count("gap"),
      accepted: count("accepted"),
      unlanded: count("unlanded")
    },
    gaps,
    olderGaps,
    conflicts: yield* describeConflicts(store.store, lake.conflicts),
    superseded: lake.superseded.flatMap(({ hour, kept, objects }) =>
      objects.map(({ key }) => ({
        hour,
        key,
        object: addressOf(store.store, key),
        kept: kept.map((it) => addressOf(store.store, it.key)).join(" and ")
      }))
    ),
    oldestGap: gaps?.first ?? null,
    newestLanded: outermost(store.inventory.keys(), -1) ?? null,
    warehouse: loads?.status,
    exitCode: exitCodeOf({
      kinds: new Set(isContradictory ? ["integrity"] : []),
      isDone: true,
      isTouched: true,
      isIncomplete: gaps !== null || olderGaps !== null || isUnloaded
    })
  }
  return new Status(found, { disableValidation: true })
}, asRun)

/** How the ledger compares with the store: without dates for every hour that it has. */
const compareIfThere = Effect.fnUntraced(function* (
  plan: Plan,
  options: StatusOptions,
  window: Window
) {
  const warehouse = yield* Effect.serviceOption(Warehouse)
  if (Option.isNone(warehouse)) return undefined
  return yield* Effect.gen(function* () {
    return yield* compareLedger({
      place: warehouse.value.place,
      inventory: plan.store.inventory,
      ledger: yield* readLedger,
      isChosen: (hour) => isUndated(options) || window.includes(hour),
      prefix: options.prefix ?? ""
    })
  }).pipe(Effect.provideService(Warehouse, warehouse.value))
})

/** From the first landed hour on; the plan's window if that hour is not closed, or there is none. */
function wholeLake({ lake: { firstLanded }, window }: Plan): Window {
  const isClosed = firstLanded !== undefined && firstLanded <= window.last
  return isClosed ? new Window({ first: firstLanded, last: window.last }) : window
}

/** Whose the objects of an hour are, and whether they have events. */
export function stateOfObjects(objects: ReadonlyArray<HourObject>): HourState {
  if (isDoubled(objects)) return "doubled"
  if (objects.some(({ form, hasMetadata }) => form === "parts" || hasMetadata === false)) {
    return "unverified"
  }
  return objects.every(({ format, size }) => isEmptySize(format, size)) ? "empty" : "landed"
}
