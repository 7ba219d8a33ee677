import { Clock as EffectClock, Duration, Effect, Option } from "effect"
import type { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import { Warehouse } from "../../services/Warehouse.ts"
import { takeLake } from "../plan/inventory.ts"
import { EXIT, exitCodeOfBoth } from "../run/exitCode.ts"
import { failureKind, type RunError } from "../run/failureKind.ts"
import { asRun, Run } from "../run/Run.ts"
import { emptySummary, type Summary } from "../run/Summary.ts"
import { countFailure, countLoads } from "../run/telemetry.ts"
import type { RunOptions } from "../runPipeline.ts"
import { checkWarehouse } from "./claimWarehouse.ts"
import { loadHours, type LoadOptions, rowsOf } from "./loadHours.ts"
import { type LoadSummary, summarizeLoad } from "./LoadSummary.ts"

/** What a run landed and loaded. Retries, duration, exit code and error are those of the whole run. */
export type LandedAndLoaded = Summary & {
  /** Absent if nothing was to be loaded, or the run ended before. */
  readonly load?: LoadSummary | undefined
}

export interface LandAndLoadOptions extends Omit<
  LoadOptions,
  "start" | "end" | "isRelative" | "yesterday" | "replace" | "onInterrupt"
> {
  /** Whether a person named dates, so that hours which are left for the next run are missing. */
  readonly isByDate: boolean
  /** Receives the summary of what was done if the run is interrupted. */
  readonly onInterrupt: (soFar: LandedAndLoaded) => Effect.Effect<void>
}

/**
 * Lands hours, then loads all that is landed and not loaded, as one run. The warehouse is checked
 * first, so that nothing lands if it cannot be used, and is closed while hours land. If it is busy,
 * hours land all the same.
 */
export const landAndLoad = Effect.fn("landAndLoad")(function* <R>(
  land: (
    options: Required<Pick<RunOptions, "onInterrupt">> & Pick<RunOptions, "maxDuration">
  ) => Effect.Effect<Summary, RunError, R>,
  options: LandAndLoadOptions
): Effect.fn.Return<LandedAndLoaded, never, R | Clock | ObjectStorage | Unpacker | Warehouse> {
  const { isByDate, maxDuration, onInterrupt, ...loading } = options
  const begun = yield* EffectClock.currentTimeMillis
  const elapsed = Effect.map(EffectClock.currentTimeMillis, (now) => Math.max(0, now - begun))
  const timeLeft = Effect.map(elapsed, (millis) =>
    maxDuration === undefined
      ? undefined
      : Duration.subtract(Duration.decode(maxDuration), Duration.millis(millis))
  )
  const problem = yield* Effect.flip(asRun(checkFirst, loading)).pipe(Effect.option)
  if (Option.isSome(problem)) {
    if (failureKind(problem.value) !== "temporary") {
      yield* countFailure(problem.value)
      return emptySummary({ error: problem.value })
    }
    yield* Effect.logWarning(`${problem.value.message}. Hours land all the same`)
  }

  const landed = yield* land({ onInterrupt, maxDuration: yield* timeLeft }).pipe(
    Effect.catchAll((error) => Effect.succeed(emptySummary({ error })))
  )
  let soFar: LandedAndLoaded = landed
  const keep = (load: LoadSummary) =>
    Effect.map(elapsed, (durationMs) => {
      soFar = joined(landed, load, { isByDate, durationMs })
    })
  const left = yield* timeLeft
  const hours = [...landed.landed, ...landed.empty].sort()
  const load =
    left !== undefined && Duration.toMillis(left) === 0
      ? postponedLoad(hours)
      : loadHours({ ...loading, maxDuration: left, landed: hours, onInterrupt: keep })
  yield* Effect.flatMap(load, keep).pipe(
    Effect.onInterrupt(() => Effect.suspend(() => onInterrupt(soFar)))
  )
  return soFar
})

/** Fails if the warehouse cannot be loaded with this lake. */
const checkFirst = Effect.gen(function* () {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const { lake: known, rows } = yield* Effect.flatMap(Warehouse, (it) => it.open("load")).pipe(
    Effect.flatMap((it) => Effect.all({ lake: it.lake, rows: rowsOf(it) })),
    Effect.scoped
  )
  const isKnown = Option.exists(
    known,
    ({ place, project }) => place === store.location && Option.isSome(project)
  )
  if (isKnown || Option.isNone(known)) return
  const { inventory } = yield* retry(takeLake(store))
  yield* checkWarehouse({ known, rows, inventory })
})

/** The summary of a load for which no time was left: of these hours, which have just landed. */
const postponedLoad = (hours: ReadonlyArray<Hour>): Effect.Effect<LoadSummary> => {
  const outcomes = hours.map((hour) => ({ _tag: "Postponed", hour }) as const)
  const nothing = { window: null, olderGaps: null, conflicts: [], retries: 0, durationMs: 0 }
  return Effect.as(countLoads(outcomes), summarizeLoad({ ...nothing, outcomes, isByDate: false }))
}

function joined(
  landed: Summary,
  load: LoadSummary,
  { durationMs, isByDate }: { readonly durationMs: number; readonly isByDate: boolean }
): LandedAndLoaded {
  const { error = load.error } = landed
  const left = load.postponed.length + (load.lists?.postponed ?? 0)
  const isMissing = isByDate && left > 0
  const achieved: ReadonlyArray<ReadonlyArray<Hour>> = [
    landed.landed,
    landed.empty,
    load.loaded,
    load.replaced,
    load.relabelled
  ]
  const isDone = achieved.some(({ length }) => length > 0) || (load.lists?.loaded ?? 0) > 0
  const loadCode = exitCodeOfBoth(load.exitCode, isMissing ? EXIT.incomplete : EXIT.done, isDone)
  return {
    ...landed,
    retries: landed.retries + load.retries,
    durationMs,
    exitCode: exitCodeOfBoth(landed.exitCode, loadCode, isDone),
    load,
    ...(error === undefined ? {} : { error })
  }
}
