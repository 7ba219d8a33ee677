import assert from "node:assert/strict"
import { setImmediate } from "node:timers/promises"
import { describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Logger, LogLevel, Random, Scheduler } from "effect"
import * as fc from "fast-check"
import {
  allHours,
  fetchHours,
  recheckWindow,
  type RunOptions,
  syncHours
} from "../../src/programs/runPipeline.ts"
import { summarize, type Summary } from "../../src/programs/run/Summary.ts"
import { inShard, Shard } from "../../src/programs/plan/Shard.ts"
import type { Hour } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"
import {
  type Command,
  HOURS,
  LAG_HOURS,
  type Model,
  model,
  type Run,
  SETTLE_HOURS
} from "../fixtures/model/modelRun.ts"
import { isLong, SECONDS } from "../fixtures/long.ts"
import type { Process } from "../fixtures/model/modelCalls.ts"
import {
  closed,
  makeModelWorld,
  modelHour,
  type ModelWorld,
  settled
} from "../fixtures/model/modelWorld.ts"

const RETRIES = 2

const programs = { fetch: fetchHours, sync: syncHours, all: allHours, recheck: recheckWindow }

function shardOf({ shard }: Run): Shard | undefined {
  return shard === null ? undefined : new Shard({ shard: shard[0], shards: shard[1] })
}

function optionsOf(run: Run): RunOptions {
  const { hours, source } = run
  return {
    start: modelHour(hours[0]),
    end: modelHour(hours[1]),
    shard: shardOf(run),
    lookbackDays: 1,
    healDays: 30,
    lagHours: LAG_HOURS,
    settleHours: SETTLE_HOURS,
    requestHours: run.requestHours,
    concurrency: run.concurrency,
    layout: run.layout,
    format: run.format,
    retries: RETRIES,
    retryBase: Duration.seconds(1),
    // Nothing else ends what never answers.
    maxDuration: source.some(([, { do: what }]) => what === "hang")
      ? Duration.minutes(10)
      : undefined,
    version: "0.0.0-model"
  }
}

const QUIET_TURNS = 6
/** Enough for another thread to inflate a part, which no call and no clock shows. */
const IDLE_ROUNDS = 5000

/** What became of a run: `null` where it was killed. */
interface Ended {
  readonly run: Run
  readonly begun: number
  readonly summary: Summary | null
}

/** Runs programs side by side, with time passing when all of them wait, until each has ended or is killed. */
const runAll = Effect.fnUntraced(function* (world: ModelWorld, runs: ReadonlyArray<Run>) {
  const begun = world.time.now()
  const running = yield* Effect.forEach(runs, (run) =>
    Effect.gen(function* () {
      const { process, layer } = world.start(run)
      const program = programs[run.program](optionsOf(run)).pipe(
        Effect.catchAll((error) =>
          Effect.succeed(
            summarize({
              window: null,
              outcomes: [],
              isByDate: true,
              error,
              retries: 0,
              durationMs: 0
            })
          )
        ),
        Effect.provide(layer)
      )
      return { process, fiber: yield* Effect.fork(program) }
    })
  )
  const isOver = ({ fiber }: (typeof running)[number]) => fiber.unsafePoll() !== null
  let [calls, quiet, idle] = [0, 0, 0]
  while (!running.every(isOver)) {
    yield* Effect.promise(() => setImmediate())
    for (const { process, fiber } of running) {
      if (process.isDead) fiber.unsafeInterruptAsFork(fiber.id())
    }
    // Archives are read by way of a few macrotasks: time passes once nobody does anything any more.
    const made = running.reduce((sum, { process }) => sum + process.calls, 0)
    quiet = made === calls ? quiet + 1 : 0
    calls = made
    if (quiet < QUIET_TURNS) continue
    quiet = 0
    if (world.time.wakeNext()) idle = 0
    else assert.ok((idle += 1) < IDLE_ROUNDS, "a run neither ends nor waits for anything")
  }
  return yield* Effect.forEach(running, ({ fiber, process }) => endOf(fiber, process, begun))
})

const endOf = (fiber: Fiber.RuntimeFiber<Summary>, { isDead, run }: Process, begun: number) =>
  Effect.map(Fiber.await(fiber), (exit): Ended => {
    if (Exit.isSuccess(exit)) return { run, begun, summary: exit.value }
    assert.ok(isDead && Cause.isInterruptedOnly(exit.cause), Cause.pretty(exit.cause))
    return { run, begun, summary: null }
  })

const REFUSED = /^(AmplitudeError\.(Unauthorized|Forbidden)|\w+\.AccessDenied)$/
const TEMPORARY =
  /^(AmplitudeError\.(GatewayTimeout|RateLimited|Unavailable|Stalled)|ObjectStorageError\.(Unavailable|NoSpace)|SpoolError\.(NoSpace|Failed)|UnpackerError\.Unreadable|LandingError\.OutOfTime)$/
const PERMANENT =
  /^(AmplitudeError\.(TooLarge|Untrusted|Redirected|Rejected)|ObjectStorageError\.(NotFound|Misconfigured|Failed)|SpoolError\.Misconfigured|LandingError\.ForeignFile)$/

function isKnown(error: string): boolean {
  return REFUSED.test(error) || TEMPORARY.test(error) || PERMANENT.test(error)
}

/**
 * The exit code by the table of the design: the first of 8, 7, 3 that applies; 5 where nothing could
 * be done, no gap is known, and a later run may succeed.
 */
function expectedExit(summary: Summary, { program }: Run): number {
  const { accepted, conflicts, empty, error, failed, landed, olderGaps } = summary
  const { exitCode, open, pending, postponed, skipped } = summary
  const errors = [...failed, ...(error === undefined ? [] : [error])].map((it) => it.error)
  // By the run's own clock, which may differ, an hour that is left pending may have become a gap.
  const isGap = pending.length > 0 && exitCode === 3
  const isLate =
    open.length + postponed.length > 0 || ((isGap || olderGaps !== null) && program !== "sync")
  if (conflicts.length > 0 || errors.some((it) => !isKnown(it))) return 8
  if (errors.some((it) => REFUSED.test(it))) return 7
  if (errors.length === 0) return isLate ? 3 : 0
  if (errors.every((it) => TEMPORARY.test(it))) {
    return landed.length + empty.length > 0 || isLate ? 3 : 5
  }
  const hours = [failed, landed, empty, skipped, pending, open, postponed, accepted].flat()
  return hours.length > 0 ? 3 : 2
}

/**
 * Hours that another shard is to land. What is staged is landed first, whosever it is, or skipped where
 * the answer to its put was lost.
 */
function otherShardsHours({ open, pending, postponed }: Summary, run: Run) {
  const isOwn = inShard(shardOf(run))
  return [...open, ...pending, ...postponed].filter((hour) => !isOwn(hour))
}

/** A run that ended says of every hour of its window what is true of it. */
const assertTruthful = Effect.fnUntraced(function* (
  world: ModelWorld,
  { run, begun, ...ended }: Ended
) {
  const { summary } = ended
  if (summary === null) return
  assert.equal(summary.exitCode, expectedExit(summary, run), JSON.stringify(summary))
  const named = [
    ...summary.landed,
    ...summary.empty,
    ...summary.skipped,
    ...summary.pending,
    ...summary.open,
    ...summary.accepted,
    ...summary.postponed,
    ...summary.failed.map(({ hour }) => hour)
  ].sort()
  assert.equal(new Set(named).size, named.length, "an hour is named twice")
  if (summary.error === undefined && (run.program === "fetch" || run.program === "all")) {
    const [first, last] = [modelHour(run.hours[0]), modelHour(run.hours[1])]
    const asked = new Window({ first, last }).hours.filter(inShard(shardOf(run)))
    const missing = asked.filter((hour) => !named.includes(hour))
    assert.deepEqual(missing, [], "hours of the window are not named")
    assert.deepEqual(otherShardsHours(summary, run), [], "hours of another shard are named")
  }
  const { staging } = world.machines[run.machine]
  for (const hour of [...summary.landed, ...summary.empty, ...summary.skipped]) {
    // In either: another run may stage what this one misses, and move what it stages.
    const stands = yield* Effect.forEach([world.store, staging], (place) =>
      world.linesIn(place, hour)
    )
    const isThere = stands.some((lines) => lines !== undefined)
    assert.ok(isThere, `${hour} is said to stand, and does not`)
  }
  for (const hour of summary.empty) assert.deepEqual(world.linesAt(hour, world.time.now()), [])
  if (run.skew === 0) {
    for (const hour of summary.open) assert.ok(!closed(hour, begun), `${hour} was closed`)
  }
})

/** Whether a run can end well: what goes wrong in it passes within the retries that it has. */
function isBearable({ kill, program, skew, source, spool, staging, store }: Run): boolean {
  const passes = ([, { do: what, ...fault }]: (typeof source)[number]) =>
    ["cut", "flip", "html"].includes(what) ||
    (what === "lie" && program !== "recheck") ||
    ("reason" in fault && /^(Unavailable|RateLimited|Stalled)$/.test(fault.reason))
  return (
    kill === null &&
    skew === 0 &&
    staging.length + spool.length === 0 &&
    source.length + store.length <= RETRIES &&
    source.every(passes) &&
    store.every(([, { reason }]) => reason === "Unavailable")
  )
}

const assertWell = ({ run, summary }: Ended) => {
  assert.ok(summary !== null)
  const said = `${run.program}: ${JSON.stringify(summary)}`
  assert.deepEqual([summary.failed, summary.error], [[], undefined], said)
  assert.equal(summary.exitCode, expectedExit(summary, run), said)
}

const plain: Omit<Run, "program" | "machine" | "hours"> = {
  shard: null,
  format: "jsonl",
  layout: "hourly",
  requestHours: HOURS,
  concurrency: 4,
  paces: [],
  skew: 0,
  kill: null,
  source: [],
  store: [],
  staging: [],
  spool: []
}

function all(machine: 0 | 1): Run {
  return { ...plain, program: "all", machine, hours: [0, HOURS - 1] }
}

const perform = Effect.fnUntraced(function* (world: ModelWorld, command: Command) {
  if (command.do === "pass") return world.time.pass(command.hours * 3_600_000)
  if (command.do === "edit") return yield* world.edit(command.machine, command.which, command.how)
  const ended = yield* runAll(world, command.runs)
  yield* world.assertSubset
  yield* Effect.forEach(ended, (it) => assertTruthful(world, it))
  const isEdited = world.machines.some(({ edited }) => edited.size > 0)
  if (!isEdited && command.runs.every(isBearable)) ended.forEach(assertWell)
})

/** Without faults, a run lands all that is closed, and the run after it does nothing. */
const assertConverges = Effect.fnUntraced(function* (world: ModelWorld) {
  yield* world.removeEdited
  const now = world.time.now()
  const hours = Array.from({ length: HOURS }, (_, index) => modelHour(index))
  // One after the other: an hour staged in one form and landed at once in another would be in both.
  for (const machine of [0, 1] as const) {
    const ended = yield* runAll(world, [all(machine)])
    yield* world.assertSubset
    ended.forEach(assertWell)
  }
  const absent = yield* Effect.filter(hours, (hour) =>
    Effect.map(world.linesIn(world.store, hour), (lines) => lines === undefined)
  )
  const mayBeAbsent = (hour: Hour) =>
    !closed(hour, now) || (!settled(hour, now) && world.linesAt(hour, now).length === 0)
  assert.deepEqual(
    absent.filter((hour) => !mayBeAbsent(hour)),
    [],
    "hours did not land"
  )

  world.time.pass((HOURS + SETTLE_HOURS + 1) * 3_600_000)
  const whole = yield* runAll(world, [all(0)])
  whole.forEach(assertWell)
  yield* world.assertSubset
  for (const hour of hours) {
    assert.ok((yield* world.linesIn(world.store, hour)) !== undefined, `${hour} did not land`)
  }
  const before = { ...world.counts }
  const after = yield* runAll(world, [all(0)])
  after.forEach(assertWell)
  assert.deepEqual(after[0]?.summary?.skipped, hours)
  assert.deepEqual({ ...world.counts }, before, "a run with nothing to do asks or puts")
  yield* runAll(world, [all(1)])
  for (const { spool, staging } of world.machines) {
    assert.deepEqual(yield* Effect.orDie(spool.list("memory-123456")), [], "the spool holds")
    for (const hour of hours) assert.equal(yield* world.linesIn(staging, hour), undefined)
  }
})

// Most of the time would go into stacks that nobody reads.
Error.stackTraceLimit = 3

const inWorld = (given: Model, happens: (world: ModelWorld) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const world = yield* makeModelWorld(given)
    yield* Effect.withClock(happens(world), world.time.clock)
  }).pipe(
    Effect.withRandom(Random.make(1)),
    Logger.withMinimumLogLevel(LogLevel.None),
    // Always in microtasks, so that all is done that can be done when a macrotask comes.
    Effect.withScheduler(new Scheduler.MixedScheduler(Number.MAX_SAFE_INTEGER)),
    Effect.runPromise
  )

const hold = (given: Model) =>
  inWorld(given, (world) =>
    Effect.gen(function* () {
      for (const command of given.commands) yield* perform(world, command)
      yield* assertConverges(world)
    })
  )

type Scenario = readonly [name: string, commands: ReadonlyArray<Command>]

const alone = (run: Partial<Run> & Pick<Run, "program">): Command => ({
  do: "run",
  runs: [{ ...plain, machine: 0, hours: [0, HOURS - 1], ...run }]
})

/** Calls of the store in an `all` that lands one hour: list, check, put. */
const PUT = 2

const scenarios: ReadonlyArray<Scenario> = [
  [
    "an archive that a killed run left, of which the next run wants one hour only",
    [alone({ program: "fetch", kill: [6, "before"] }), alone({ program: "fetch", hours: [2, 2] })]
  ],
  [
    "an object that was stored while the answer was lost",
    [
      alone({
        program: "all",
        hours: [0, 0],
        store: [[PUT, { when: "after", reason: "Unavailable" }]]
      })
    ]
  ],
  [
    "an object of which other bytes arrived than were sent",
    [
      alone({
        program: "all",
        hours: [0, 0],
        store: [[PUT, { when: "before", reason: "Corrupt" }]]
      })
    ]
  ],
  [
    "a staged file that somebody edited",
    [
      alone({ program: "fetch" }),
      { do: "edit", machine: 0, which: 1, how: "append" },
      alone({ program: "sync" }),
      alone({ program: "all" })
    ]
  ],
  [
    "two runs that move the same staged hours at once",
    [
      alone({ program: "fetch" }),
      {
        do: "run",
        runs: [
          { ...all(0), program: "sync", paces: [2] },
          { ...all(0), paces: [1] }
        ]
      }
    ]
  ],
  [
    "a shard that was killed, beside one that has none, and the other shard after",
    [
      {
        do: "run",
        runs: [
          { ...all(0), shard: [1, 2], paces: [3], kill: [9, "before"] },
          { ...all(1), hours: [1, 4], paces: [2] }
        ]
      },
      alone({ program: "all", shard: [2, 2] })
    ]
  ]
]

/** Two shards of an `all`, on a machine each. */
const shards = [
  { ...all(0), shard: [1, 2] },
  { ...all(1), shard: [2, 2] }
] satisfies ReadonlyArray<Run>

const ordinary = Array.from({ length: HOURS }, (_, id) => ({
  lines: [`{"uuid":${id}}`],
  isLate: false
}))

const { FAULTS_PATH, FAULTS_SEED } = process.env

describe("A lake to which anything happens", () => {
  it("has every hour once two shards have run, each by one of them", () =>
    inWorld({ hours: ordinary, foreign: [], begin: 14, commands: [] }, (world) =>
      Effect.gen(function* () {
        const ended = yield* runAll(world, shards)
        ended.forEach(assertWell)
        const landed = ended.map(({ summary }) => summary?.landed ?? [])
        assert.deepEqual(
          landed.map(({ length }) => length),
          [HOURS / 2, HOURS / 2]
        )
        assert.equal(new Set(landed.flat()).size, HOURS)
        assert.equal(world.counts.puts, HOURS)
        yield* assertConverges(world)
      })
    ))

  for (const [name, commands] of scenarios) {
    it(`bears ${name}`, () => hold({ hours: ordinary, foreign: [], begin: 14, commands }))
  }

  it(
    "is a subset of its source, loses nothing local, and converges",
    { timeout: SECONDS * 1000 + 120_000 },
    async () => {
      const property = fc.asyncProperty(model, hold)
      if (FAULTS_SEED !== undefined) {
        const path = FAULTS_PATH === undefined ? {} : { path: FAULTS_PATH }
        return await fc.assert(property, { seed: Number(FAULTS_SEED), ...path })
      }
      const until = Date.now() + Math.max(1, SECONDS) * 1000
      // The same runs each time, unless a larger number is set. A failure names its seed and path.
      const first = isLong ? Date.now() % 2 ** 30 : 1
      for (let seed = first; Date.now() < until; seed++) {
        await fc.assert(property, {
          seed,
          numRuns: isLong ? 10 : 4,
          interruptAfterTimeLimit: 60_000
        })
      }
    }
  )
})
