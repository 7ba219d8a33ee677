import { Clock, Duration, Effect, Option, Ref } from "effect"
import {
  Fleet,
  FleetError,
  type FleetLake,
  type FleetLane,
  type TakenWindow
} from "../../services/Fleet.ts"
import type { Window } from "../../services/Window.ts"
import { failedHour } from "../run/failureKind.ts"
import type { HourOutcome } from "../run/HourOutcome.ts"
import { encodeResult } from "./windowResult.ts"

/** A lake that a worker has the keys of. */
export interface WorkersLake extends FleetLake {
  /** Lands a window, and says what became of each hour. */
  readonly land: (window: Window) => Effect.Effect<ReadonlyArray<HourOutcome>>
}

export interface WorkOptions {
  /** Names this worker in the database. */
  readonly worker: string
  /** Windows at once. Defaults to 1. */
  readonly lanes?: number | undefined
  /** How long ended backfills are kept. Defaults to 30 days. */
  readonly keepDays?: number | undefined
}

/** What a worker does at the moment, and has done so far. */
export interface WorkerStanding {
  readonly lanes: number
  /** Lanes with a connection to the database. */
  readonly connected: number
  readonly busy: number
  readonly windows: { readonly landed: number; readonly failed: number; readonly lost: number }
}

/** How often a lane that found nothing looks again, and how long it waits for a lost database. */
const LOOK = Duration.seconds(1)
const PURGE = Duration.hours(1)
const KEEP_DAYS = 30
/** So many workers must die with a window before it counts as failed. */
const MOST_TURNS = 10

/**
 * Lands windows of these lakes, one after the other in each lane, until it is interrupted. A window whose lane
 * is lost, with the database or the connection to it, is interrupted, and begun again by whoever has
 * that lane next.
 */
export const workFleet = Effect.fn("workFleet")(function* (
  lakes: ReadonlyArray<WorkersLake>,
  options: WorkOptions
) {
  const { keepDays = KEEP_DAYS, lanes = 1, worker } = options
  const fleet = yield* Fleet
  const standing = yield* Ref.make<WorkerStanding>({
    lanes,
    connected: 0,
    busy: 0,
    windows: { landed: 0, failed: 0, lost: 0 }
  })
  const purge = fleet.purge(keepDays).pipe(
    Effect.tap((count) =>
      count === 0 ? Effect.void : Effect.logInfo(`Forgot ${count} backfills that ended long ago`)
    ),
    Effect.catchIf(
      (error) => error.isTransient,
      () => Effect.succeed(0)
    ),
    Effect.zipRight(Effect.sleep(PURGE)),
    Effect.forever
  )
  const lane = again(laneOf(lakes, worker, standing))
  const run: Effect.Effect<never, FleetError, Fleet> = Effect.raceFirst(
    purge,
    Effect.zipRight(
      Effect.all(
        Array.from({ length: lanes }, () => lane),
        { concurrency: "unbounded", discard: true }
      ),
      Effect.never
    )
  )
  return { standing: Ref.get(standing), run }
})

/** Waits for a database that is away, and goes on. */
const again = <R>(lane: Effect.Effect<never, FleetError, R>): Effect.Effect<never, FleetError, R> =>
  Effect.forever(
    Effect.catchIf(
      lane,
      (error) => error.isTransient,
      ({ message }) =>
        Effect.zipRight(Effect.logWarning(`${message}; trying again`), Effect.sleep(LOOK))
    )
  )

type Change = (standing: WorkerStanding) => Partial<WorkerStanding>

const laneOf = (
  lakes: ReadonlyArray<WorkersLake>,
  worker: string,
  standing: Ref.Ref<WorkerStanding>
) => {
  const change = (by: Change) => Ref.update(standing, (it) => ({ ...it, ...by(it) }))
  const during = (name: "connected" | "busy") => {
    const add = (more: number) => change((it) => ({ [name]: it[name] + more }))
    return Effect.acquireRelease(add(1), () => add(-1))
  }
  const count = (name: keyof WorkerStanding["windows"]) =>
    change(({ windows }) => ({ windows: { ...windows, [name]: windows[name] + 1 } }))

  const landed = Effect.fnUntraced(function* (lane: FleetLane, taken: TakenWindow) {
    yield* during("busy")
    const begun = yield* Clock.currentTimeMillis
    yield* Effect.logInfo(
      `Begins ${taken.window}${taken.turn > 1 ? `, for the ${taken.turn}. time` : ""}`
    )
    const outcomes = yield* Effect.raceFirst(land(lakes, taken), lane.lost)
    const failed = outcomes.filter((it) => it._tag === "Failed")
    // Every other window would be refused as well, by Amplitude or the store.
    const isRefused =
      failed.length === taken.window.length && failed.every(({ kind }) => kind === "refused")
    yield* lane.finish(taken, encodeResult(outcomes), isRefused)
    yield* count(failed.length === 0 ? "landed" : "failed")
    const took = Math.round(((yield* Clock.currentTimeMillis) - begun) / 1000)
    yield* Effect.logInfo(
      `${taken.window}: ${outcomes.length - failed.length} hours are done, ${failed.length} failed, in ${took} s`
    )
  }, Effect.scoped)

  return Effect.gen(function* () {
    const fleet = yield* Fleet
    const lane = yield* fleet.lane
    yield* during("connected")
    for (;;) {
      const taken = yield* lane.take(lakes, worker)
      if (Option.isNone(taken)) {
        yield* Effect.raceFirst(Effect.sleep(LOOK), lane.lost)
        continue
      }
      yield* landed(lane, taken.value).pipe(
        Effect.annotateLogs("lake", taken.value.location),
        Effect.onInterrupt(() => handedOver(lane, taken.value)),
        Effect.tapError(() => count("lost"))
      )
    }
  }).pipe(Effect.scoped)
}

const land = Effect.fnUntraced(function* (
  lakes: ReadonlyArray<WorkersLake>,
  { location, source, turn, window }: TakenWindow
) {
  const lake = lakes.find((it) => it.location === location && it.source === source)
  const { place } = yield* Fleet
  if (lake !== undefined && turn <= MOST_TURNS) return yield* lake.land(window)
  const error = new FleetError({
    reason: "Abandoned",
    method: "take from",
    place,
    detail: `"${window}" was begun ${turn - 1} times, and its worker died each time`
  })
  return window.hours.map((hour) => failedHour(hour, error))
})

/** Where this does not succeed, the window falls free with the connection. */
const handedOver = (lane: FleetLane, taken: TakenWindow): Effect.Effect<void> =>
  lane
    .giveBack(taken)
    .pipe(
      Effect.zipRight(Effect.logInfo(`Hands ${taken.window} over`)),
      Effect.disconnect,
      Effect.timeout("2 seconds"),
      Effect.ignore
    )
