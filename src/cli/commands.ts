/**
 * What each command does, once its settings are settled: an effect that prints its result and answers its exit code.
 *
 * @module
 */
import { Chunk, Duration, Effect, Layer, Option, Stream } from "effect"
import type { RunError } from "../programs/failureKind.ts"
import { failureKind } from "../programs/failureKind.ts"
import { makeRetryPolicy } from "../programs/retryPolicy.ts"
import {
  allHours,
  fetchHours,
  planHours,
  recheckWindow,
  type RunOptions,
  syncHours
} from "../programs/runPipeline.ts"
import { statusOfHours } from "../programs/statusOfHours.ts"
import { Summary } from "../programs/Summary.ts"
import { hourOfKey } from "../services/HourKey.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import { Staging } from "../services/Staging.ts"
import { clockLayer, pipelineLayer, stagingLayer, storeLayer, unpackerLayer } from "./layers.ts"
import type { CommandError } from "./CommandError.ts"
import { print } from "./print.ts"
import { listText, planText, statusText, summaryText } from "./printed.ts"
import type { CommandName, Settings } from "./settings.ts"
import { version } from "./version.ts"

function runOptions(settings: Settings): RunOptions {
  return {
    start: settings.startDate,
    end: settings.endDate,
    yesterday: settings.yesterday,
    lookbackDays: settings.lookbackDays,
    lagHours: settings.lagHours,
    healDays: settings.healDays,
    settleHours: settings.settleHours,
    requestHours: settings.requestHours,
    concurrency: settings.concurrency,
    layout: settings.layout,
    format: settings.format,
    retries: settings.retries,
    base: Duration.millis(settings.retryBaseMs),
    maxDuration: settings.maxDuration,
    version
  }
}

/** What a failure of a whole run means to a script. */
const EXIT_CODE = { integrity: 8, refused: 7, temporary: 5, permanent: 2 } as const

const NOTHING = {
  window: null,
  landed: [],
  empty: [],
  skipped: [],
  pending: [],
  open: [],
  failed: [],
  events: 0,
  bytes: 0,
  retries: 0,
  durationMs: 0
} as const

/** A run that ended before it could go through its hours. */
function summaryOfFailure(error: RunError): Summary {
  return new Summary({
    ...NOTHING,
    exitCode: EXIT_CODE[failureKind(error)],
    error: { error: `${error._tag}.${error.reason}`, message: error.message }
  })
}

const printSummary = Effect.fnUntraced(function* (
  summary: Summary,
  settings: Settings,
  place: string
) {
  yield* print(settings.json ? JSON.stringify(summary) : summaryText(summary, place))
  return summary.exitCode
})

/** Prints what a run did, also when it failed as a whole. */
const summarizedRun = Effect.fnUntraced(function* <R>(
  run: Effect.Effect<Summary, RunError, R>,
  settings: Settings,
  place: string
) {
  return yield* Effect.matchEffect(run, {
    onSuccess: (summary) => printSummary(summary, settings, place),
    onFailure: (error) => reportFailure(error, settings)
  })
})

const reportFailure = Effect.fnUntraced(function* (error: RunError, settings: Settings) {
  const summary = summaryOfFailure(error)
  yield* Effect.logError(error.message)
  if (settings.json) yield* print(JSON.stringify(summary))
  return summary.exitCode
})

const dryRun = Effect.fnUntraced(function* (settings: Settings) {
  const plan = yield* planHours(runOptions(settings))
  const { window, present, open, requests } = plan
  const summary = new Summary({
    ...NOTHING,
    window: { first: window.first, last: window.last },
    skipped: present,
    open,
    requests: requests.map(({ first, last }) => ({ first, last })),
    exitCode: 0
  })
  yield* print(settings.json ? JSON.stringify(summary) : planText(plan))
  return 0
})

const land = (program: typeof fetchHours | typeof allHours, place: "store" | "staging") =>
  Effect.fnUntraced(function* (settings: Settings) {
    if (settings.dryRun) {
      const layers = Layer.mergeAll(
        clockLayer(settings),
        storeLayer(settings),
        stagingLayer(settings)
      )
      return yield* dryRun(settings).pipe(
        Effect.catchAll((error) => reportFailure(error, settings)),
        Effect.provide(layers)
      )
    }
    const run = settings.recheck ? recheckWindow : program
    return yield* Effect.gen(function* () {
      const where = place === "store" || settings.recheck ? yield* ObjectStorage : yield* Staging
      return yield* summarizedRun(run(runOptions(settings)), settings, where.place)
    }).pipe(Effect.provide(pipelineLayer(settings)))
  })

const sync = Effect.fnUntraced(function* (settings: Settings) {
  const layers = Layer.mergeAll(storeLayer(settings), stagingLayer(settings), unpackerLayer())
  return yield* Effect.gen(function* () {
    const store = yield* ObjectStorage
    return yield* summarizedRun(syncHours(runOptions(settings)), settings, store.place)
  }).pipe(Effect.provide(layers))
})

const status = Effect.fnUntraced(function* (settings: Settings) {
  const layers = Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings))
  return yield* Effect.gen(function* () {
    const options = runOptions(settings)
    const found = yield* statusOfHours(options, yield* makeRetryPolicy(options))
    yield* print(settings.json ? JSON.stringify(found) : statusText(found))
    return found.exitCode
  }).pipe(
    Effect.catchAll((error) => reportFailure(error, settings)),
    Effect.provide(layers)
  )
})

const list = Effect.fnUntraced(function* (settings: Settings) {
  return yield* Effect.gen(function* () {
    const store = yield* ObjectStorage
    const policy = yield* makeRetryPolicy(runOptions(settings))
    const found = Chunk.toReadonlyArray(yield* policy.retry(Stream.runCollect(store.list)))
    const objects = found
      .map(({ key, size }) => {
        const hour = Option.getOrNull(Option.map(hourOfKey(key), (keyed) => keyed.hour))
        return { hour, size, key }
      })
      .sort((one, other) => (one.key < other.key ? -1 : 1))
    yield* print(settings.json ? JSON.stringify({ objects }) : listText(objects))
    return 0
  }).pipe(
    Effect.catchAll((error) => reportFailure(error, settings)),
    Effect.provide(storeLayer(settings))
  )
})

/** Loads the HTTP server with it, which no other command needs. */
const simulate = Effect.fnUntraced(function* (settings: Settings) {
  const program = yield* Effect.promise(() => import("./simulate.ts"))
  return yield* program.simulate(settings)
})

/** Every command by its name. */
export const runCommand: {
  readonly [Name in CommandName]: (settings: Settings) => Effect.Effect<number, CommandError>
} = {
  fetch: land(fetchHours, "staging"),
  sync,
  all: land(allHours, "store"),
  status,
  list,
  simulate
}
