import { Duration, Effect, Option, Stream } from "effect"
import { Amplitude } from "../../services/Amplitude.ts"
import { Fleet, FleetError, type FleetStanding } from "../../services/Fleet.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Staging } from "../../services/Staging.ts"
import * as defaults from "../run/defaults.ts"
import { isByDate } from "../plan/planWindow.ts"
import { Run } from "../run/Run.ts"
import { summarized } from "../runPipeline.ts"
import { type BackfillOptions, planBackfill, runOf } from "./backfillHours.ts"
import { judgeBackfill } from "./judgeBackfill.ts"
import { decodeResults } from "./windowResult.ts"

export interface FleetBackfillOptions extends BackfillOptions {
  /** Only looks at what was begun before. Defaults to `false`. */
  readonly watch?: boolean | undefined
}

/** What a fleet was told, and how far it is. */
export type StoppedBackfill = Omit<FleetStanding, "whole" | "isStopped">

/** How often a watcher looks, and how often it says so. */
const LOOK = Duration.seconds(1)
const LOOKS_A_LINE = 10

/**
 * Hands a backlog to the workers of a fleet, and waits until it has landed. The same dates again are the same
 * backfill while it is open: it is watched by another watcher, and goes on where it was stopped. In the
 * end the store is judged as `allHours` does, whatever the fleet has recorded.
 */
export const backfillByFleet = Effect.fn("backfillByFleet")(
  function* (options: FleetBackfillOptions = {}) {
    const { retry } = yield* Run
    const fleet = yield* Fleet
    const run = runOf(options)
    const found =
      options.watch === true ? Option.some(yield* lastOf(options)) : yield* submitted(options)
    if (Option.isNone(found)) return yield* judgeBackfill(run, [])
    const { whole } = yield* watched(found.value)
    const outcomes = yield* decodeResults(yield* retry(fleet.results(found.value)))
    // Without dates the oldest gap would be another one by now.
    const dated = { ...run, start: whole.first, end: whole.last, isRelative: !isByDate(options) }
    return yield* judgeBackfill(dated, outcomes)
  },
  (self, options) => summarized(Effect.provideServiceEffect(self, Staging, nothingStaged), options)
)

/** What is staged on this machine is in no worker's reach: it is missing until `sync` has uploaded it. */
const nothingStaged = Effect.map(Staging, (staging) =>
  Staging.of({ ...staging, list: Stream.empty })
)

/** Lets no further window of a backfill begin. */
export const stopBackfill = Effect.fn("stopBackfill")(function* (options: BackfillOptions = {}) {
  const fleet = yield* Fleet
  const backfill = yield* lastOf(options)
  yield* fleet.stop(backfill)
  const { isStopped: _, whole: __, ...standing } = yield* fleet.standing(backfill)
  return standing satisfies StoppedBackfill
})

/** The name of a backfill: the lake, and the dates as they were typed. */
const nameOf = Effect.fnUntraced(function* ({ end, start }: BackfillOptions) {
  const { location } = yield* ObjectStorage
  const { identity: source } = yield* Amplitude
  return { location, source, dates: `${start ?? ""}--${end ?? ""}` }
})

const submitted = Effect.fnUntraced(function* (options: BackfillOptions) {
  const fleet = yield* Fleet
  const { requests: windows, window: whole } = yield* planBackfill(options)
  const { lanes = defaults.backfillLanes } = options
  const name = yield* nameOf(options)
  return yield* fleet.submit({ ...name, whole, lanes, windows })
})

const lastOf = Effect.fnUntraced(function* (options: BackfillOptions) {
  const fleet = yield* Fleet
  const name = yield* nameOf(options)
  return yield* Effect.flatMap(
    fleet.find(name),
    Option.match({
      onSome: Effect.succeed,
      onNone: () =>
        Effect.fail(
          new FleetError({
            reason: "NotFound",
            method: "look at",
            place: fleet.place,
            detail: `it knows no backfill of "${name.location}" with these dates`
          })
        )
    })
  )
})

/** Looks until nothing more will land. A database that is away for a while is waited for. */
const watched = Effect.fnUntraced(function* (backfill: string) {
  const fleet = yield* Fleet
  const progress = yield* Progress
  let reported = 0
  for (let looks = 0; ; looks += 1) {
    const look = yield* Effect.either(fleet.standing(backfill))
    if (look._tag === "Left") {
      if (!look.left.isTransient) return yield* look.left
      yield* Effect.logWarning(`${look.left.message}; looking again`)
    } else {
      const standing = look.right
      if (looks === 0) progress.planned(standing.hours)
      progress.done(standing.hoursDone - reported)
      reported = standing.hoursDone
      const isOver = standing.done === standing.windows || standing.isStopped
      if (isOver || looks % LOOKS_A_LINE === 0) yield* Effect.logInfo(textOf(standing))
      if (isOver) return standing
      if (looks > 0 && looks % LOOKS_A_LINE === 0 && standing.running === 0) {
        yield* Effect.logWarning("No worker has a window of it: does one run for this lake?")
      }
    }
    yield* Effect.sleep(LOOK)
  }
})

function textOf(it: FleetStanding): string {
  const left = it.isStopped ? "; stopped, and goes on when backfill is typed again" : ""
  return `Of ${it.windows} windows, ${it.done} are done and ${it.running} on their way, by ${it.workers} ${it.workers === 1 ? "worker" : "workers"}${left}`
}
