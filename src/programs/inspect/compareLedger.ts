import { Effect, Option, Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import { checkProject } from "../load/claimWarehouse.ts"
import { conflictOf } from "../load/conflictOf.ts"
import { type Decision, inListing } from "../load/decideLoad.ts"
import { LoadConflict } from "../load/LoadSummary.ts"
import { type KnownHour, lookUp } from "../load/lookUp.ts"
import type { Ledger } from "../load/readLedger.ts"
import type { Inventory } from "../plan/inventory.ts"

/** What the ledger says of an hour that the store or the ledger has. */
export const LoadState = Schema.Literal(
  /** Loaded from just what the store has. */
  "loaded",
  "notLoaded",
  /** Landed by another pipeline, and not loaded. */
  "unverified",
  /** Loaded from an object that was replaced since. */
  "outdated",
  /** Store and ledger have different lines. */
  "conflict",
  /** Loaded, and no longer in the store. */
  "gone"
)
export type LoadState = typeof LoadState.Type

/** How many hours, and the oldest and newest of them. */
const HourCount = Schema.Struct({ hours: Schema.Int, first: Hour, last: Hour }).annotations({
  identifier: "HourCount"
})
export type HourCount = typeof HourCount.Type

/** How the ledger compares with the store. `null` where there is no such hour. */
export const LedgerStatus = Schema.Struct({
  /** The warehouse, as its users name it. */
  place: Schema.String,
  /** Hours that are loaded from just what the store has. */
  loaded: Schema.NonNegativeInt,
  notLoaded: Schema.NullOr(HourCount),
  /** Landed by another pipeline, and not loaded. */
  unverified: Schema.NullOr(HourCount),
  /** Loaded from objects that were replaced since. */
  outdated: Schema.NullOr(HourCount),
  /** Loaded, and no longer in the store. */
  gone: Schema.NullOr(HourCount),
  /** Hours of which store and ledger have different lines. */
  differing: Schema.Array(LoadConflict)
})
export type LedgerStatus = typeof LedgerStatus.Type

const AT_ONCE = 16

const STATES: Readonly<Record<Decision, LoadState | undefined>> = {
  nothing: undefined,
  load: "notLoaded",
  leave: "unverified",
  skip: "loaded",
  keep: "gone",
  relabel: "outdated",
  replace: "outdated",
  conflict: "conflict"
}

interface CompareOptions {
  readonly place: string
  readonly inventory: Inventory
  readonly ledger: Ledger
  readonly isChosen: (hour: Hour) => boolean
  /** The store's prefix. */
  readonly prefix: string
}

/**
 * Compares the ledger with the store's listing. An object is looked up only where the listing shows
 * that it is not the one that was loaded.
 */
export const compareLedger = Effect.fnUntraced(function* ({
  isChosen,
  inventory,
  ledger: { known, rows },
  place,
  prefix
}: CompareOptions) {
  if (Option.isSome(known)) yield* checkProject({ known, inventory })
  const hours = [...new Set([...inventory.keys(), ...rows.keys()])].filter(isChosen).sort()
  const found = yield* Effect.forEach(
    hours,
    (hour) => stateOf({ hour, objects: inventory.get(hour) ?? [], row: rows.get(hour) }, prefix),
    { concurrency: AT_ONCE }
  )
  const states = new Map(
    found.flatMap(({ state }, index) => {
      const hour = hours[index]
      return state === undefined || hour === undefined ? [] : [[hour, state] as const]
    })
  )
  const inState = (state: LoadState) => hours.filter((hour) => states.get(hour) === state)
  return {
    states: states as ReadonlyMap<Hour, LoadState>,
    status: {
      place,
      loaded: inState("loaded").length,
      notLoaded: countHours(inState("notLoaded")),
      unverified: countHours(inState("unverified")),
      outdated: countHours(inState("outdated")),
      gone: countHours(inState("gone")),
      differing: found.flatMap(({ conflict }) => conflict ?? [])
    } satisfies LedgerStatus
  }
})

const stateOf = Effect.fnUntraced(function* (known: KnownHour, prefix: string) {
  const { objects, row } = known
  const store = row === undefined ? inListing(objects, row) : undefined
  if (row === undefined && store?._tag !== "Several") {
    // Whose it is, load looks up if the listing does not tell.
    return {
      state: store?._tag === "Unverified" ? ("unverified" as const) : ("notLoaded" as const)
    }
  }
  const looked = yield* lookUp(known, {}).pipe(
    // Metadata that cannot be parsed are not those of what was loaded.
    Effect.catchTag("LoadError", () =>
      Effect.succeed({
        ...known,
        store: { _tag: "Nothing" } as const,
        decision: "conflict" as const
      })
    )
  )
  const state = STATES[looked.decision]
  return state === "conflict" ? { state, conflict: conflictOf(looked, prefix) } : { state }
})

/** `null` where there are none. */
export function countHours(hours: ReadonlyArray<Hour>): HourCount | null {
  const [first, last] = [hours.at(0), hours.at(-1)]
  return first === undefined || last === undefined ? null : { hours: hours.length, first, last }
}

/** Whether a load would change anything. */
export function isBehind({ notLoaded, outdated, unverified }: LedgerStatus): boolean {
  return notLoaded !== null || outdated !== null || unverified !== null
}
