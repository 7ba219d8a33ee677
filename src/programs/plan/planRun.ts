import { Effect } from "effect"
import { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import type { Acceptance } from "../../services/LakeMark.ts"
import { ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import type { Window } from "../../services/Window.ts"
import type { Superseded } from "./doubledHours.ts"
import { gapsBetween, outermost } from "./gaps.ts"
import { type Conflict, type Standing, takeLake } from "./inventory.ts"
import { planRequests } from "./planRequests.ts"
import { isByDate, planWindow, type WindowOptions } from "./planWindow.ts"
import { inShard } from "./Shard.ts"
import { type LakeStaging, stagedForLake, takeStaging } from "./stagedHours.ts"
import { Run } from "../run/Run.ts"

/** What a run would do: each of its hours is in one of the four lists, oldest first. */
export interface Plan {
  readonly window: Window
  /** The hours of the window, or of its shard. */
  readonly hours: ReadonlyArray<Hour>
  /** Hours in the store, or in staging for it. */
  readonly present: ReadonlyArray<Hour>
  /** Closed hours that are not present. */
  readonly missing: ReadonlyArray<Hour>
  /** Hours that are neither present nor closed. */
  readonly open: ReadonlyArray<Hour>
  /** Gaps that a person has accepted, in a window that nobody named by date. */
  readonly accepted: ReadonlyArray<Hour>
  /** The windows that would be asked of Amplitude for the missing hours. */
  readonly requests: ReadonlyArray<Window>
  readonly store: Standing
  readonly staging: Standing
  /** What in staging is not this lake's. */
  readonly notOurs: Pick<LakeStaging, "foreign" | "others" | "elsewhere">
  /** What the listing says of the whole lake. */
  readonly lake: LakeState
}

/** A lake from its first landed hour on. */
export interface LakeState {
  /** Whether the run answers for an hour: always, unless it has a shard. */
  readonly isInShard: (hour: Hour) => boolean
  /** `undefined` where no hour has landed. */
  readonly firstLanded: Hour | undefined
  readonly acceptances: ReadonlyArray<Acceptance>
  readonly conflicts: ReadonlyArray<Conflict>
  readonly superseded: ReadonlyArray<Superseded>
  /**
   * Settled hours between two others, both included, that are neither in the store nor accepted.
   * None lies before the first landed hour or outside the run's shard. With `isStagedThere`, staged hours are no gaps.
   */
  readonly gaps: (
    between: { readonly first?: Hour | undefined; readonly last: Hour },
    isStagedThere?: boolean
  ) => ReadonlyArray<Window>
}

/** Lists staging and the store, and plans what is missing. */
export const planRun = Effect.fn("planRun")(function* (
  options: WindowOptions
): Effect.fn.Return<Plan, ObjectStorageError, Run | ObjectStorage | Staging | Clock> {
  const { isClosed, isSettled, lagHours, requestHours, retry } = yield* Run
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const clock = yield* Clock
  // Staging first: an hour that another run moves in between is then seen twice rather than never.
  const found = yield* takeStaging()
  const { acceptances, conflicts, inventory: landed, superseded } = yield* retry(takeLake(store))
  const { staged, ...notOurs } = yield* stagedForLake(found, landed)
  const accepted = new Set(acceptances.flatMap(({ window }) => window.hours))
  const have = new Set([...staged.keys(), ...landed.keys()])

  const now = yield* clock.now
  const newestClosed = yield* clock.newestClosedHour(lagHours)
  const window = planWindow(options, { now, newestClosed }, new Set([...have, ...accepted]))
  const firstLanded = outermost(landed.keys())
  const isLeft = (hour: Hour) => !have.has(hour) && accepted.has(hour) && !isByDate(options)
  const isInShard = inShard(options.shard)
  const hours = window.hours.filter(isInShard)
  const absent = hours.filter((hour) => !have.has(hour) && !isLeft(hour))
  const missing = absent.filter((hour) => isClosed(hour, now))
  return {
    window,
    hours,
    present: hours.filter((hour) => have.has(hour)),
    missing,
    open: absent.filter((hour) => !isClosed(hour, now)),
    accepted: hours.filter(isLeft),
    requests: planRequests(missing, requestHours),
    store: { store, inventory: landed },
    staging: { store: staging, inventory: staged },
    notOurs,
    lake: {
      isInShard,
      firstLanded,
      acceptances,
      conflicts,
      superseded,
      gaps: ({ first = firstLanded, last }, isStagedThere = false) =>
        first === undefined || firstLanded === undefined
          ? []
          : gapsBetween(first < firstLanded ? firstLanded : first, last, (hour) => {
              const isThere = landed.has(hour) || (isStagedThere && staged.has(hour))
              return isInShard(hour) && !isThere && !accepted.has(hour) && isSettled(hour, now)
            })
    }
  }
})
