import { Clock, Duration, Effect, Layer, Option, Ref, type Scope } from "effect"
import {
  type BackfillName,
  Fleet,
  FleetError,
  type FleetLake,
  type FleetLane,
  type NewBackfill,
  type TakenWindow
} from "../../services/Fleet.ts"
import type { Window } from "../../services/Window.ts"

interface KeptWindow {
  readonly window: Window
  state: "waiting" | "running" | "done"
  lane: number | undefined
  worker: string | undefined
  turn: number
  result: unknown
}

interface Kept {
  readonly id: string
  readonly backfill: NewBackfill
  readonly windows: ReadonlyArray<KeptWindow>
  isStopped: boolean
  endedAt: number | undefined
}

const PLACE = "memory:fleet"

function isNamed({ backfill }: Kept, { dates, location, source }: BackfillName): boolean {
  return backfill.location === location && backfill.source === source && backfill.dates === dates
}

function kept(id: string, backfill: NewBackfill): Kept {
  const windows = backfill.windows.map((window): KeptWindow => ({
    window,
    state: "waiting",
    lane: undefined,
    worker: undefined,
    turn: 0,
    result: undefined
  }))
  return { id, backfill, windows, isStopped: false, endedAt: undefined }
}

/** A fleet in memory, for the workers of one process. */
export const make = (): Effect.Effect<Fleet["Type"]> => Effect.sync(makeNow)

function makeNow(): Fleet["Type"] {
  const backfills: Array<Kept> = []
  /** Who has each lane of each project. */
  const holders = new Map<string, object>()
  let last = 0

  const openOf = (name: BackfillName) =>
    backfills.find((it) => it.endedAt === undefined && isNamed(it, name))
  const known = (id: string) => backfills.find((it) => it.id === id)
  const stop = (id: string) => {
    const it = known(id)
    if (it !== undefined) it.isStopped = true
  }

  /** Takes a window for a lane: the one that it left behind, or else the newest that waits. */
  const takeFor = (
    session: object,
    lakes: ReadonlyArray<FleetLake>,
    worker: string
  ): Option.Option<TakenWindow> => {
    const begun = backfills.filter(
      ({ backfill: { location, source }, endedAt, isStopped }) =>
        endedAt === undefined &&
        !isStopped &&
        lakes.some((it) => it.location === location && it.source === source)
    )
    for (const source of new Set(begun.map(({ backfill }) => backfill.source))) {
      const its = begun.filter(({ backfill }) => backfill.source === source)
      const lanes = Math.max(...its.map(({ backfill }) => backfill.lanes))
      for (let lane = 1; lane <= lanes; lane += 1) {
        const key = `${source}/${lane}`
        if (holders.has(key)) continue
        const left = its
          .filter(({ backfill }) => backfill.lanes >= lane)
          .flatMap(({ backfill, id, windows }) =>
            windows
              .filter(
                (it) => it.state === "waiting" || (it.state === "running" && it.lane === lane)
              )
              .toSorted((one, other) => (one.window.first < other.window.first ? 1 : -1))
              .map((it) => ({ backfill, id, it }))
          )
        const next = left.find(({ it }) => it.state === "running") ?? left[0]
        if (next === undefined) continue
        const { backfill, id, it } = next
        holders.set(key, session)
        Object.assign(it, { state: "running", lane, worker, turn: it.turn + 1 })
        const { location } = backfill
        return Option.some({ location, source, backfill: id, window: it.window, turn: it.turn })
      }
    }
    return Option.none()
  }

  /** The window that was taken, unless somebody else has taken it since. */
  const held = ({ backfill, turn, window }: TakenWindow) =>
    known(backfill)?.windows.find(
      (it) => it.window.first === window.first && it.turn === turn && it.state === "running"
    )

  const letGo = (session: object) => {
    for (const [key, holder] of holders) if (holder === session) holders.delete(key)
  }

  const lane: Effect.Effect<FleetLane, never, Scope.Scope> = Effect.gen(function* () {
    const session = {}
    const isOpen = yield* Ref.make(true)
    yield* Effect.addFinalizer(() =>
      Effect.zipRight(
        Ref.set(isOpen, false),
        Effect.sync(() => letGo(session))
      )
    )
    const during = <A>(method: FleetError["method"], does: (now: number) => A) =>
      Effect.gen(function* () {
        if (yield* Ref.get(isOpen)) return does(yield* Clock.currentTimeMillis)
        const detail = "the lane is closed"
        return yield* new FleetError({ reason: "Unavailable", method, place: PLACE, detail })
      })
    return {
      lost: Effect.never,
      take: (lakes, worker) => during("take from", () => takeFor(session, lakes, worker)),
      finish: (taken, result, stops) =>
        during("record in", (now) => {
          const it = held(taken)
          if (it !== undefined) Object.assign(it, { state: "done", lane: undefined, result })
          if (stops) stop(taken.backfill)
          const whole = known(taken.backfill)
          if (whole?.windows.every(({ state }) => state === "done") === true) {
            whole.endedAt ??= now
          }
          letGo(session)
        }),
      giveBack: (taken) =>
        during("record in", () => {
          const it = held(taken)
          if (it !== undefined) {
            Object.assign(it, { state: "waiting", lane: undefined, turn: it.turn - 1 })
          }
          letGo(session)
        })
    }
  })

  return Fleet.of({
    place: PLACE,
    submit: (backfill) =>
      Effect.sync(() => {
        const open = openOf(backfill)
        if (open !== undefined) {
          open.isStopped = false
          return Option.some(open.id)
        }
        if (backfill.windows.length === 0) return Option.none()
        last += 1
        backfills.push(kept(String(last), backfill))
        return Option.some(String(last))
      }),
    find: (name) =>
      Effect.sync(() =>
        Option.map(
          Option.fromNullable(openOf(name) ?? backfills.findLast((it) => isNamed(it, name))),
          ({ id }) => id
        )
      ),
    standing: (id) =>
      Effect.suspend(() => {
        const it = known(id)
        if (it === undefined) {
          const detail = `backfill ${id} is not known, or was purged`
          return new FleetError({ reason: "NotFound", method: "look at", place: PLACE, detail })
        }
        const { backfill, isStopped, windows } = it
        const running = windows.filter(({ state }) => state === "running")
        const done = windows.filter(({ state }) => state === "done")
        const hoursOf = (some: typeof windows) =>
          some.reduce((sum, { window }) => sum + window.length, 0)
        return Effect.succeed({
          whole: backfill.whole,
          windows: windows.length,
          running: running.length,
          done: done.length,
          hours: hoursOf(windows),
          hoursDone: hoursOf(done),
          workers: new Set(running.map(({ worker }) => worker)).size,
          isStopped
        })
      }),
    results: (id) =>
      Effect.sync(() =>
        (known(id)?.windows ?? [])
          .filter(({ state }) => state === "done")
          .toSorted((one, other) => (one.window.first < other.window.first ? -1 : 1))
          .map(({ result }) => result)
      ),
    stop: (id) => Effect.sync(() => stop(id)),
    purge: (days) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const before = now - Duration.toMillis(Duration.days(days))
        const left = backfills.filter(({ endedAt = Infinity }) => endedAt >= before)
        const count = backfills.length - left.length
        backfills.splice(0, backfills.length, ...left)
        return count
      }),
    lane
  })
}

/**
 * @example
 * ```ts
 * import * as FleetMemory from "amplitude-lake/layers/FleetMemory"
 *
 * export const fleet = FleetMemory.layer()
 * ```
 */
export function layer(): Layer.Layer<Fleet> {
  return Layer.effect(Fleet, make())
}
