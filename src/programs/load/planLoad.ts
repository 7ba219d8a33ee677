import { Effect, Option, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { Hour } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { takeLake } from "../plan/inventory.ts"
import { asRun, Run } from "../run/Run.ts"
import { checkWarehouse } from "./claimWarehouse.ts"
import type { Decision } from "./decideLoad.ts"
import { ListName } from "./ListSummary.ts"
import { datesOf, hoursToKnow, type LoadOptions } from "./loadHours.ts"
import { listsToKnow, notLoaded } from "./loadLists.ts"
import { lookUp } from "./lookUp.ts"
import { readLedger, readLists } from "./readLedger.ts"

const AT_ONCE = 16

const Hours = Schema.Array(Hour)

/** What a run would do with each hour. */
export const LoadPlan = Schema.Struct({
  dryRun: Schema.Literal(true),
  load: Hours,
  replace: Hours,
  relabel: Hours,
  skipped: Hours,
  kept: Hours,
  unverified: Hours,
  differing: Hours,
  /** Lists of what Amplitude says about events that would be loaded; absent if there are none. */
  lists: Schema.optional(Schema.Array(ListName))
})
export type LoadPlan = typeof LoadPlan.Type

/** What `loadHours` would do, oldest hour first. Reads no lines and writes nothing. */
export const planLoad = Effect.fn("planLoad")(function* (options: LoadOptions = {}) {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
  const { known, rows } = yield* readLedger
  const lake = yield* retry(takeLake(store))
  if (Option.isSome(known)) yield* checkWarehouse({ known, rows, inventory: lake.inventory })
  const hours = yield* hoursToKnow(lake, rows, options, now)
  const replace = options.replace !== undefined
  const looked = yield* Effect.forEach(
    hours,
    (it) => lookUp(it, { unverified: options.unverified, replace }),
    { concurrency: AT_ONCE }
  )
  const stored = listsToKnow(lake, options, datesOf(options, now))
  const lists = stored.length === 0 ? [] : notLoaded(stored, yield* readLists)
  const hoursOf = (decision: Decision): ReadonlyArray<Hour> =>
    looked.filter((it) => it.decision === decision).map(({ hour }) => hour)
  return LoadPlan.make({
    dryRun: true,
    load: hoursOf("load"),
    replace: hoursOf("replace"),
    relabel: hoursOf("relabel"),
    skipped: hoursOf("skip"),
    kept: hoursOf("keep"),
    unverified: hoursOf("leave"),
    differing: hoursOf("conflict"),
    ...(lists.length === 0 ? {} : { lists: lists.map(({ date, stream }) => ({ date, stream })) })
  })
}, asRun)
