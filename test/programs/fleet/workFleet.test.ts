import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option, TestClock } from "effect"
import { workFleet, type WorkersLake } from "../../../src/programs/fleet/workFleet.ts"
import { failedHour } from "../../../src/programs/run/failureKind.ts"
import { type HourOutcome, Landed } from "../../../src/programs/run/HourOutcome.ts"
import { AmplitudeError } from "../../../src/services/Amplitude.ts"
import { Fleet, FleetError, type FleetLane, type TakenWindow } from "../../../src/services/Fleet.ts"
import { Window } from "../../../src/services/Window.ts"
import { hour } from "../../fixtures/world.ts"

const LAKE = { location: "s3://bucket/lake/", source: "shop" }
const WINDOW = new Window({ first: hour("2025-11-10T20"), last: hour("2025-11-10T21") })
const TAKEN: TakenWindow = { ...LAKE, backfill: "1", window: WINDOW, turn: 1 }
const landed = WINDOW.hours.map((it) => new Landed({ hour: it, events: 1, bytes: 9 }))

const lost = new FleetError({
  reason: "Unavailable",
  method: "take from",
  place: "postgres://db/lake",
  detail: "the connection was terminated"
})

type Land = WorkersLake["land"]

/** A worker of a fleet that gives one window, and again after each loss, and what that fleet was told. */
const makeWorker = Effect.fnUntraced(function* (land: Land, taken = TAKEN) {
  const told: Array<string> = []
  const loss = yield* Deferred.make<never, FleetError>()
  let opened = 0
  const lane = Effect.sync((): FleetLane => {
    opened += 1
    let isLeft = true
    return {
      lost: opened === 1 ? Deferred.await(loss) : Effect.never,
      take: () =>
        Effect.sync(() => {
          const found = isLeft ? Option.some(taken) : Option.none()
          isLeft = false
          return found
        }),
      finish: (_, result, stops) =>
        Effect.sync(() => {
          const tags = (result as ReadonlyArray<HourOutcome>).map(({ _tag }) => _tag)
          told.push(`finish ${tags.join()}${stops ? ", stop" : ""}`)
        }),
      giveBack: () => Effect.sync(() => void told.push("give back"))
    }
  })
  const fleet = Layer.mock(Fleet, {
    place: "postgres://db/lake",
    lane,
    purge: () => Effect.succeed(0)
  })
  const { run, standing } = yield* workFleet([{ ...LAKE, land }], { worker: "me" }).pipe(
    Effect.provide(fleet)
  )
  const running = yield* Effect.fork(Effect.provide(run, fleet))
  yield* settle
  return {
    told,
    standing,
    running,
    lose: Deferred.fail(loss, lost)
  }
})
/** Lets what can go on without time go on. */
const settle = Effect.repeatN(Effect.yieldNow(), 50)

const failing =
  (reason: AmplitudeError["reason"]): Land =>
  (window) =>
    Effect.succeed(
      window.hours.map((it) => failedHour(it, new AmplitudeError({ reason, window, detail: "no" })))
    )

describe("workFleet()", () => {
  it.effect("lands what it takes, and records the outcome of each hour", () =>
    Effect.gen(function* () {
      const worker = yield* makeWorker(() => Effect.succeed(landed))
      assert.deepEqual(worker.told, ["finish Landed,Landed"])
      const { busy, connected, windows } = yield* worker.standing
      assert.deepEqual([busy, connected, windows], [0, 1, { landed: 1, failed: 0, lost: 0 }])
      yield* Fiber.interrupt(worker.running)
      assert.equal((yield* worker.standing).connected, 0)
    })
  )

  it.effect("hands over what it was landing when it is interrupted", () =>
    Effect.gen(function* () {
      const worker = yield* makeWorker(() => Effect.never)
      assert.equal((yield* worker.standing).busy, 1)
      yield* Fiber.interrupt(worker.running)
      assert.deepEqual(worker.told, ["give back"])
    })
  )

  it.effect("interrupts what it was landing when its lane is lost, and begins again", () =>
    Effect.gen(function* () {
      let [begun, interrupted] = [0, 0]
      const worker = yield* makeWorker(() =>
        Effect.onInterrupt(
          Effect.zipRight(
            Effect.sync(() => (begun += 1)),
            begun === 0 ? Effect.never : Effect.succeed(landed)
          ),
          () => Effect.sync(() => (interrupted += 1))
        )
      )
      yield* worker.lose
      yield* settle
      assert.deepEqual([interrupted, worker.told], [1, []])
      assert.equal((yield* worker.standing).connected, 0)
      yield* TestClock.adjust("1 second")
      yield* settle
      assert.deepEqual([begun, worker.told], [2, ["finish Landed,Landed"]])
      assert.deepEqual((yield* worker.standing).windows, { landed: 1, failed: 0, lost: 1 })
      yield* Fiber.interrupt(worker.running)
    })
  )

  it.effect("stops a backfill whose keys are refused, and no other", () =>
    Effect.gen(function* () {
      const refused = yield* makeWorker(failing("Forbidden"))
      assert.deepEqual(refused.told, ["finish Failed,Failed, stop"])
      yield* Fiber.interrupt(refused.running)
      const late = yield* makeWorker(failing("Unavailable"))
      assert.deepEqual(late.told, ["finish Failed,Failed"])
      yield* Fiber.interrupt(late.running)
    })
  )

  it.effect("does not begin a window with which ten workers have died", () =>
    Effect.gen(function* () {
      let begun = 0
      const land: Land = () =>
        Effect.sync(() => {
          begun += 1
          return landed
        })
      const last = yield* makeWorker(land, { ...TAKEN, turn: 10 })
      assert.deepEqual([begun, last.told], [1, ["finish Landed,Landed"]])
      yield* Fiber.interrupt(last.running)
      const worker = yield* makeWorker(land, { ...TAKEN, turn: 11 })
      assert.deepEqual([begun, worker.told], [1, ["finish Failed,Failed"]])
      yield* Fiber.interrupt(worker.running)
    })
  )
})
