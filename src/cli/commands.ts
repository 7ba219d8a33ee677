/**
 * What each command does, once its settings are settled: an effect that prints its result and answers its exit code.
 *
 * @module
 */
import { Chunk, Effect, Layer, Option, Stream } from "effect"
import { checkSetup } from "../programs/inspect/checkSetup.ts"
import { cleanLeftovers } from "../programs/clean/cleanLeftovers.ts"
import type { RunError } from "../programs/run/failureKind.ts"
import { takeStagedInventory } from "../programs/plan/inventory.ts"
import { makeRetryPolicy } from "../programs/run/retryPolicy.ts"
import {
  allHours,
  archivedHours,
  fetchHours,
  planHours,
  recheckWindow,
  syncHours
} from "../programs/runPipeline.ts"
import { statusOfHours } from "../programs/inspect/statusOfHours.ts"
import { summarize, type Summary } from "../programs/run/Summary.ts"
import { verifyHours } from "../programs/inspect/verifyHours.ts"
import { hourOfKey } from "../services/HourKey.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import { Staging } from "../services/Staging.ts"
import { keepResult } from "./alerts.ts"
import {
  archiveFilesLayer,
  archiveFolderLayer,
  clockLayer,
  foldersLayer,
  sourceLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "./layers.ts"
import { cleaningText } from "./text/cleaningText.ts"
import type { CommandError } from "./CommandError.ts"
import { print, widthOf } from "./terminal/print.ts"
import { checkText, listText, planText, stagedText, summaryText } from "./text/printed.ts"
import { calendarText, canvasOf } from "./text/calendar.ts"
import { datesOf, movingOf, retryOf, runOptions, unused, windowOf } from "./runOptions.ts"
import type { AskedSource, SettingsOf } from "./settings/settingsOf.ts"
import type { CommandName, Values } from "./settings/table.ts"
import { setUpBucket, setUpIam } from "./setupCommands.ts"
import { exitCodeOfSignal } from "./signals.ts"
import { verificationText } from "./text/verificationText.ts"

type Json = Pick<Values, "json">

const NOTHING = { outcomes: [], retries: 0, durationMs: 0 } as const

/** The summary of a run that ended before it could go through its hours. */
function summaryOfFailure(error: RunError): Summary {
  return summarize({ ...NOTHING, window: null, isByDate: false, error })
}

const printSummary = Effect.fnUntraced(function* (summary: Summary, settings: Json, place: string) {
  yield* keepResult(summary)
  if (summary.error !== undefined) yield* Effect.logError(summary.error.message)
  if (settings.json) yield* print(JSON.stringify(summary))
  else if (summary.error === undefined || summary.window !== null)
    yield* print(summaryText(summary, place))
  return summary.exitCode
})

/** Prints what a run did, also when it failed as a whole or was interrupted. */
const summarizedRun = Effect.fnUntraced(function* <R>(
  run: Effect.Effect<Summary, RunError, R>,
  settings: Json,
  place: string
) {
  yield* keepResult(summarize({ ...NOTHING, window: null, isByDate: false }))
  return yield* run.pipe(
    Effect.catchAll((error) => Effect.succeed(summaryOfFailure(error))),
    Effect.onInterrupt(() => (settings.json ? printInterrupted : Effect.void)),
    Effect.flatMap((summary) => printSummary(summary, settings, place))
  )
})

const printInterrupted = Effect.suspend(() => {
  const nothing = summarize({ ...NOTHING, window: null, isByDate: false })
  const error = { error: "Interrupted", message: "The run was ended by a signal: run it again" }
  return print(JSON.stringify({ ...nothing, exitCode: exitCodeOfSignal(), error }))
}).pipe(Effect.catchAll(() => Effect.void))

/** Says why a command that looks at the store could not. */
const reportFailure = Effect.fnUntraced(function* (error: RunError, { json }: Json) {
  const { exitCode, error: failure } = summaryOfFailure(error)
  yield* keepResult({ error: failure })
  yield* Effect.logError(error.message)
  if (json) yield* print(JSON.stringify({ error: failure, exitCode }))
  return exitCode
})

type Landing = SettingsOf<"fetch" | "all">

const dryRun = Effect.fnUntraced(function* (settings: Landing) {
  const plan = yield* planHours(runOptions(settings))
  const { window, present, open, requests } = plan
  const summary = {
    ...summarize({ ...NOTHING, window, isByDate: false }),
    skipped: present,
    open,
    requests: requests.map(({ first, last }) => ({ first, last }))
  }
  yield* print(settings.json ? JSON.stringify(summary) : planText(plan))
  return 0
})

const planned = Effect.fnUntraced(function* (settings: Landing) {
  const layers = Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings))
  return yield* dryRun(settings).pipe(
    Effect.catchTag("ObjectStorageError", (error) => reportFailure(error, settings)),
    Effect.provide(layers)
  )
})

const landed = Effect.fnUntraced(function* (
  settings: Landing,
  source: AskedSource,
  program: typeof fetchHours | typeof allHours
) {
  const layers = Layer.mergeAll(
    sourceLayer(source),
    clockLayer(settings),
    storeLayer(settings),
    stagingLayer(settings),
    unpackerLayer(),
    archiveFolderLayer(settings),
    spoolLayer(settings)
  )
  const run = settings.recheck ? recheckWindow : program
  return yield* Effect.gen(function* () {
    const isStaged = program === fetchHours && !settings.recheck
    const where = isStaged ? yield* Staging : yield* ObjectStorage
    return yield* summarizedRun(run(runOptions(settings)), settings, where.place)
  }).pipe(Effect.provide(layers))
})

const archived = Effect.fnUntraced(function* (
  settings: SettingsOf<"all">,
  files: ReadonlyArray<string>
) {
  const layers = Layer.mergeAll(
    clockLayer(settings),
    storeLayer(settings),
    stagingLayer(settings),
    unpackerLayer(),
    archiveFilesLayer()
  )
  return yield* Effect.gen(function* () {
    const store = yield* ObjectStorage
    const run = archivedHours(files, runOptions(settings))
    return yield* summarizedRun(run, settings, store.place)
  }).pipe(Effect.provide(layers))
})

const fetch = (settings: SettingsOf<"fetch">) =>
  settings.source._tag === "Unasked"
    ? planned(settings)
    : landed(settings, settings.source, fetchHours)

const all = (settings: SettingsOf<"all">) => {
  switch (settings.source._tag) {
    case "Unasked":
      return planned(settings)
    case "Archives":
      return archived(settings, settings.source.files)
    default:
      return landed(settings, settings.source, allHours)
  }
}

/** What sync would move, in the place of moving it. */
const drySync = Effect.gen(function* () {
  const staging = yield* Staging
  const { staged } = yield* takeStagedInventory(staging)
  return [...staged.keys()].sort()
})

const sync = Effect.fnUntraced(function* (settings: SettingsOf<"sync">) {
  if (settings.dryRun) {
    return yield* drySync.pipe(
      Effect.flatMap((staged) =>
        print(settings.json ? JSON.stringify({ staged }) : stagedText(staged))
      ),
      Effect.as(0),
      Effect.catchTag("ObjectStorageError", (error) => reportFailure(error, settings)),
      Effect.provide(stagingLayer(settings))
    )
  }
  const layers = Layer.mergeAll(storeLayer(settings), stagingLayer(settings), unpackerLayer())
  return yield* Effect.gen(function* () {
    const store = yield* ObjectStorage
    return yield* summarizedRun(
      syncHours({ ...unused, ...movingOf(settings) }),
      settings,
      store.place
    )
  }).pipe(Effect.provide(layers))
})

const status = Effect.fnUntraced(function* (settings: SettingsOf<"status">) {
  const layers = Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings))
  return yield* Effect.gen(function* () {
    const options = {
      ...windowOf(settings),
      ...retryOf(settings),
      requestHours: unused.requestHours,
      withEvents: settings.events
    }
    const found = yield* statusOfHours(options, yield* makeRetryPolicy(options))
    yield* keepResult({ window: found.window, totals: found.totals })
    const drawn = { canvas: canvasOf(process.stdout), isShaded: settings.events }
    yield* print(settings.json ? JSON.stringify(found) : calendarText(found, drawn))
    return found.exitCode
  }).pipe(
    Effect.catchTag("ObjectStorageError", (error) => reportFailure(error, settings)),
    Effect.provide(layers)
  )
})

const list = Effect.fnUntraced(function* (settings: SettingsOf<"list">) {
  return yield* Effect.gen(function* () {
    const store = yield* ObjectStorage
    const policy = yield* makeRetryPolicy(retryOf(settings))
    const found = Chunk.toReadonlyArray(yield* policy.retry(Stream.runCollect(store.list)))
    const objects = found
      .map(({ key, size }) => {
        const hour = Option.getOrNull(Option.map(hourOfKey(key), (keyed) => keyed.hour))
        return { hour, size, key }
      })
      .sort((one, other) => (one.key < other.key ? -1 : 1))
    if (objects.length === 0) yield* Effect.logInfo(`Nothing stands in ${store.place}`)
    yield* print(settings.json ? JSON.stringify({ objects }) : listText(objects))
    return 0
  }).pipe(
    Effect.catchTag("ObjectStorageError", (error) => reportFailure(error, settings)),
    Effect.provide(storeLayer(settings))
  )
})

const check = Effect.fnUntraced(function* (settings: SettingsOf<"check">) {
  const layers = Layer.mergeAll(
    sourceLayer(settings.source),
    clockLayer(settings),
    storeLayer(settings),
    foldersLayer(settings)
  )
  const found = yield* checkSetup(settings).pipe(Effect.provide(layers))
  yield* print(settings.json ? JSON.stringify(found) : checkText(found, widthOf(process.stdout)))
  return found.exitCode
})

const verify = Effect.fnUntraced(function* (settings: SettingsOf<"verify">) {
  const layers = Layer.mergeAll(clockLayer(settings), storeLayer(settings), unpackerLayer())
  return yield* Effect.gen(function* () {
    const { place } = yield* ObjectStorage
    const { concurrency, sample, sampleSeed } = settings
    const options = {
      ...datesOf(settings),
      ...retryOf(settings),
      healDays: unused.healDays,
      concurrency,
      sample,
      sampleSeed
    }
    const found = yield* verifyHours(options, yield* makeRetryPolicy(options))
    yield* keepResult({ window: found.window, differing: found.differing, failed: found.failed })
    yield* print(settings.json ? JSON.stringify(found) : verificationText(found, place))
    return found.exitCode
  }).pipe(
    Effect.catchTag("ObjectStorageError", (error) => reportFailure(error, settings)),
    Effect.provide(layers)
  )
})

const clean = Effect.fnUntraced(function* (settings: SettingsOf<"clean">) {
  const layers = Layer.mergeAll(
    clockLayer({ now: undefined }),
    storeLayer(settings),
    stagingLayer(settings),
    spoolLayer(settings),
    archiveFolderLayer(settings),
    unpackerLayer()
  )
  return yield* Effect.gen(function* () {
    const { abortUploads, archiveDays, concurrency, dryRun } = settings
    const options = { abortUploads, archiveDays, concurrency, dryRun }
    const found = yield* cleanLeftovers(options, yield* makeRetryPolicy(retryOf(settings)))
    yield* print(settings.json ? JSON.stringify(found) : cleaningText(found))
    return found.exitCode
  }).pipe(
    Effect.catchTag("ObjectStorageError", (error) => reportFailure(error, settings)),
    Effect.provide(layers)
  )
})

const simulate = Effect.fnUntraced(function* (settings: SettingsOf<"simulate">) {
  const serving = yield* Effect.promise(() => import("./simulate/serve.ts"))
  return yield* serving.simulate(settings)
})

/** Every command by its name. */
export const runCommand: {
  readonly [C in CommandName]: (settings: SettingsOf<C>) => Effect.Effect<number, CommandError>
} = {
  fetch,
  sync,
  all,
  status,
  list,
  check,
  verify,
  clean,
  "setup bucket": setUpBucket,
  "setup iam": setUpIam,
  simulate
}
