import { Clock as EffectClock, Effect } from "effect"
import { Clock } from "../../services/Clock.ts"
import { Hour } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import { type LoadedHour, type OpenWarehouse, Warehouse } from "../../services/Warehouse.ts"
import { Window } from "../../services/Window.ts"
import { countGaps, gapsBetween, outermost } from "../plan/gaps.ts"
import { type Lake, takeLake } from "../plan/inventory.ts"
import { inShard } from "../plan/Shard.ts"
import { isByDate, planWindow, type WindowOptions } from "../plan/planWindow.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { isPlannedStop, type RunError } from "../run/failureKind.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, type LandingOptions, Run, type SettleOptions } from "../run/Run.ts"
import { countFailure, countLoads } from "../run/telemetry.ts"
import { calendarOf } from "./calendarOf.ts"
import { claimWarehouse } from "./claimWarehouse.ts"
import { LoadError } from "./LoadError.ts"
import { loadBatches } from "./loadBatches.ts"
import { loadEach } from "./loadEach.ts"
import { loadHour, type LoadHourOptions } from "./loadHour.ts"
import { listsToKnow, loadLists } from "./loadLists.ts"
import type { ListOutcome } from "./ListSummary.ts"
import {
  type LoadOutcome,
  type LoadResult,
  type LoadSummary,
  type LoadSummaryOptions,
  summarizeLoad
} from "./LoadSummary.ts"
import type { KnownHour } from "./lookUp.ts"
import { pipeOf, reconcile, storedLines } from "./reconcile.ts"

export interface LoadOptions
  extends
    Pick<WindowOptions, "start" | "end" | "isRelative" | "yesterday" | "shard">,
    Pick<LoadHourOptions, "prefix" | "unverified">,
    SettleOptions,
    RetryOptions,
    Pick<LandingOptions, "maxDuration" | "version"> {
  /** Load this hour alone, in the place of what is loaded of it, whatever that is. */
  readonly replace?: Hour | undefined
  /**
   * Load nothing: compare what a pipe has loaded with the store, and write the ledger rows of the hours
   * that agree.
   */
  readonly reconcile?: boolean | undefined
  /** What has just landed. If the run ends early, those hours that it did not reach have failed. */
  readonly landed?: ReadonlyArray<Hour> | undefined
  /** Receives the summary of what was done if the run is interrupted. */
  readonly onInterrupt?: ((soFar: LoadSummary) => Effect.Effect<void>) | undefined
}

/** What a run knows of itself while it goes on. */
interface SoFar extends Omit<LoadResult, "outcomes" | "lists"> {
  window: Window | null
  olderGaps: LoadResult["olderGaps"]
  conflicts: LoadResult["conflicts"]
  refresh?: LoadSummaryOptions["refresh"]
  error?: RunError | undefined
  /** Whether its time was over before the warehouse was open. */
  isOver: boolean
  readonly outcomes: Map<Hour, LoadOutcome>
  readonly lists: Array<ListOutcome>
}

/**
 * Brings every landed hour that is not loaded into the warehouse, oldest first, each in one
 * transaction that commits only if the lines are those which the object's metadata announce; then the
 * lists of what Amplitude says about events. Never fails: the summary says what ended it early.
 *
 * @example
 * ```ts
 * import { Effect, Layer } from "effect"
 * import { loadHours } from "amplitude-lake"
 * import * as ClockSystem from "amplitude-lake/layers/ClockSystem"
 * import * as ObjectStorageFileSystem from "amplitude-lake/layers/ObjectStorageFileSystem"
 * import * as UnpackerZip from "amplitude-lake/layers/UnpackerZip"
 * import * as WarehouseMemory from "amplitude-lake/layers/WarehouseMemory"
 *
 * const layers = Layer.mergeAll(
 *   ClockSystem.layer(),
 *   ObjectStorageFileSystem.layer({ root: "lake", prefix: "events/" }),
 *   UnpackerZip.layer(),
 *   WarehouseMemory.layer()
 * )
 * const summary = await Effect.runPromise(Effect.provide(loadHours(), layers))
 * console.log(summary.loaded)
 * ```
 */
export const loadHours = Effect.fn("loadHours")(function* (
  options: LoadOptions = {}
): Effect.fn.Return<LoadSummary, never, Clock | ObjectStorage | Run | Unpacker | Warehouse> {
  const { made } = yield* Run
  const begun = yield* EffectClock.currentTimeMillis
  const soFar: SoFar = {
    window: null,
    outcomes: new Map(),
    lists: [],
    olderGaps: null,
    conflicts: [],
    isOver: false
  }
  const told = Effect.gen(function* () {
    const outcomes = [...soFar.outcomes.values(), ...unreached(soFar, options)]
    yield* countLoads(outcomes)
    return summarizeLoad({
      ...soFar,
      outcomes,
      shard: options.shard,
      isByDate: isByDate(options),
      retries: yield* made,
      durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun)
    })
  })
  yield* Effect.scoped(loadAll(options, soFar)).pipe(
    Effect.catchAll((error) => {
      if (isPlannedStop(error)) {
        soFar.isOver = true
        return Effect.logInfo("Stopped at the longest duration before the warehouse was open")
      }
      soFar.error = error
      return countFailure(error)
    }),
    Effect.onInterrupt(() => Effect.flatMap(told, (it) => options.onInterrupt?.(it) ?? Effect.void))
  )
  return yield* Effect.uninterruptible(told)
}, asRun)

/** What has just landed, and could not be loaded because of what ended the run. */
function unreached(
  { error, isOver, outcomes }: SoFar,
  { landed = [] }: LoadOptions
): ReadonlyArray<LoadOutcome> {
  const left = landed.filter((hour) => !outcomes.has(hour))
  if (isOver) return left.map((hour) => ({ _tag: "Postponed", hour }))
  return error === undefined ? [] : left.map((hour) => ({ _tag: "Failed", hour, error }))
}

const loadAll = Effect.fnUntraced(function* (options: LoadOptions, soFar: SoFar) {
  const { beforeDeadline, isSettled, lagHours, retry } = yield* Run
  const store = yield* ObjectStorage
  const clock = yield* Clock
  const warehouse = yield* Effect.flatMap(Warehouse, (it) => beforeDeadline(retry(it.open("load"))))
  const piped = options.reconcile === true ? yield* pipeOf(warehouse) : undefined
  const [now, newestClosed] = [yield* clock.now, yield* clock.newestClosedHour(lagHours)]
  // Before the store is listed: what lands in between waits for the next run.
  const dates = datesOf(options, now)
  const stored = yield* storedLines(piped, dates)
  const lake = yield* retry(takeLake(store))
  const rows = yield* retry(rowsOf(warehouse))
  const known = yield* hoursToKnow(lake, rows, options, now, stored.keys())
  soFar.window = windowOf(known)
  soFar.conflicts = yield* describeConflicts(store, lake.conflicts)
  const calendar = {
    lake,
    newestClosed,
    isSettled: (hour: Hour) => isSettled(hour, now)
  }
  const isInShard = inShard(options.shard)
  const gaps = new Set(
    calendarOf({ ...calendar, rows }).flatMap(({ hour, state }) =>
      state === "gap" && (options.end === undefined || hour <= options.end) && isInShard(hour)
        ? hour
        : []
    )
  )
  const [first, last] = [outermost(gaps), outermost(gaps, -1)]
  if (first !== undefined && last !== undefined) {
    soFar.olderGaps = countGaps(gapsBetween(first, last, (hour) => gaps.has(hour)))
  }
  const project = yield* claimWarehouse(warehouse, {
    known: yield* retry(warehouse.lake),
    rows,
    inventory: lake.inventory
  })
  const each = { ...options, replace: options.replace !== undefined, warehouse, project }
  const { together } = warehouse
  if (piped !== undefined) {
    soFar.refresh = piped.refresh
    yield* reconcile(known, soFar, { ...each, piped, stored, now })
  } else if (together !== undefined) {
    yield* loadBatches(known, soFar, together, each)
  } else {
    yield* loadEach(known, soFar, (it, ended) => loadHour(it, { ...each, ended }))
  }
  const after = calendarOf({ ...calendar, rows: yield* retry(rowsOf(warehouse)) })
  yield* retry(warehouse.setCalendar(after, now))
  const { prefix } = options
  const lists = listsToKnow(lake, options, dates)
  yield* loadLists(lists, soFar.lists, { warehouse, prefix, now })
})

/** The ledger by hour. */
export const rowsOf = ({ loads }: OpenWarehouse) =>
  Effect.map(
    loads,
    (rows): ReadonlyMap<Hour, LoadedHour> => new Map(rows.map((row) => [row.hour, row]))
  )

/** The hours that store or ledger have, or of which lines are stored, oldest first. */
export const hoursToKnow = Effect.fnUntraced(function* (
  { inventory }: Lake,
  rows: ReadonlyMap<Hour, LoadedHour>,
  options: Pick<LoadOptions, "start" | "end" | "yesterday" | "replace" | "shard">,
  now: number,
  stored: Iterable<Hour> = []
): Effect.fn.Return<ReadonlyArray<KnownHour>, LoadError> {
  const { replace } = options
  const knownOf = (hour: Hour) => ({
    hour,
    objects: inventory.get(hour) ?? [],
    row: rows.get(hour)
  })
  if (replace !== undefined) {
    if (inventory.has(replace)) return [knownOf(replace)]
    const detail = `${replace} is not in the store, so there is nothing to load in its place`
    return yield* new LoadError({ reason: "NotLanded", detail })
  }
  const isInShard = inShard(options.shard)
  const { first, last } = datesOf(options, now)
  return [...new Set([...inventory.keys(), ...rows.keys(), ...stored])]
    .filter((hour) => (first ?? "") <= hour && hour <= (last ?? "9") && isInShard(hour))
    .sort()
    .map(knownOf)
})

/** From which hour to which a person has named; `undefined` where that is open. */
export function datesOf(
  { end, start, yesterday }: Pick<LoadOptions, "start" | "end" | "yesterday">,
  now: number
): { readonly first: Hour | undefined; readonly last: Hour | undefined } {
  if (yesterday !== true) return { first: start, last: end }
  return planWindow({ yesterday }, { now, newestClosed: Hour.make("1970-01-01T00") }, new Set())
}

function windowOf(known: ReadonlyArray<KnownHour>): Window | null {
  const [first, last] = [known.at(0)?.hour, known.at(-1)?.hour]
  return first === undefined || last === undefined ? null : new Window({ first, last })
}
