/**
 * The commands that land hours in a store or in staging.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { landAndLoad } from "../../programs/load/landAndLoad.ts"
import { planLoad } from "../../programs/load/planLoad.ts"
import { isByDate } from "../../programs/plan/planWindow.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import {
  allHours,
  archivedHours,
  fetchHours,
  planHours,
  planSync,
  recheckWindow,
  syncHours
} from "../../programs/runPipeline.ts"
import type { Clock } from "../../services/Clock.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import type { Unpacker } from "../../services/Unpacker.ts"
import {
  archiveFilesLayer,
  archiveFolderLayer,
  clockLayer,
  sourceLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer,
  warehouseLayer
} from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { AskedSource, SettingsOf } from "../settings/settingsOf.ts"
import { userName } from "../machine.ts"
import { loadPlanText } from "../text/loadText.ts"
import { stagedText } from "../text/printed.ts"
import { datesOf, loadingOf, movingOf, runOptions } from "./options.ts"
import { planReport } from "./planReport.ts"
import { type Work, work } from "./Report.ts"
import { summarized, type SummaryOptions } from "./summaryReport.ts"

type Landing = SettingsOf<"fetch" | "all">

export function fetch(settings: SettingsOf<"fetch">): Work<ReportOf<"fetch">> {
  const { source } = settings
  return source._tag === "Unasked" ? plan(settings) : land(settings, source, fetchHours)
}

export function all(settings: SettingsOf<"all">): Work<ReportOf<"all">> {
  const { source } = settings
  switch (source._tag) {
    case "Unasked":
      return plan(settings)
    case "Archives":
      return landFiles(settings, source.files)
    default:
      return land(settings, source, allHours)
  }
}

export function sync(settings: SettingsOf<"sync">): Work<ReportOf<"sync">> {
  if (settings.dryRun) return showSync(settings)
  return work({
    layer: Layer.mergeAll(
      clockLayer({ now: undefined }),
      storeLayer(settings),
      stagingLayer(settings),
      unpackerLayer()
    ),
    ...summarized(
      (options) => syncHours({ ...movingOf(settings), ...adoptingOf(settings), ...options }),
      Effect.map(ObjectStorage, ({ place }) => ({ place }))
    )
  })
}

function adoptingOf({ adoptForeign, adoptProject }: SettingsOf<"sync">) {
  return { adoptProject, adoptForeign: adoptForeign ? { user: userName() } : undefined }
}

function land(
  settings: Landing,
  source: AskedSource,
  program: typeof fetchHours | typeof allHours
): Work<ReportOf<"fetch" | "all">> {
  const run = settings.recheck ? recheckWindow : program
  const isStaged = run === fetchHours
  const where = isStaged ? Staging : ObjectStorage
  return landing({
    settings,
    layer: Layer.mergeAll(
      sourceLayer(source),
      clockLayer(settings),
      storeLayer(settings),
      stagingLayer(settings),
      unpackerLayer(settings),
      archiveFolderLayer(settings),
      spoolLayer(settings)
    ),
    run: (options) => run({ ...runOptions(settings), ...options }),
    about: Effect.gen(function* () {
      const { place } = yield* where
      return { place, isStaged, source }
    })
  })
}

function landFiles(
  settings: SettingsOf<"all">,
  files: ReadonlyArray<string>
): Work<ReportOf<"all">> {
  return landing({
    settings,
    layer: Layer.mergeAll(
      clockLayer(settings),
      storeLayer(settings),
      stagingLayer(settings),
      unpackerLayer(settings),
      archiveFilesLayer()
    ),
    run: (options) => archivedHours(files, { ...runOptions(settings), ...options }),
    about: Effect.map(ObjectStorage, ({ place }) => ({ place }))
  })
}

interface LandingWork<Provided> {
  readonly settings: Landing
  readonly layer: Layer.Layer<Provided>
  readonly run: Parameters<typeof landAndLoad<Provided>>[0]
  readonly about: Effect.Effect<SummaryOptions, never, Provided>
}

/** Work that lands, and loads afterwards if it is to. */
function landing<Provided>({
  about,
  layer,
  run,
  settings
}: LandingWork<Provided | Clock | ObjectStorage | Unpacker>): Work<ReportOf<"all">> {
  if (!isLoading(settings)) return work({ layer, ...summarized(run, about) })
  const dates = isByDate(datesOf(settings))
  const { warehouseFile } = settings
  return work({
    layer: Layer.merge(layer, warehouseLayer(settings)),
    ...summarized(
      (options) => landAndLoad(run, { ...loadingOf(settings), ...options, isByDate: dates }),
      Effect.map(about, (it) => ({ ...it, warehouse: warehouseFile }))
    )
  })
}

function isLoading(settings: Landing): settings is SettingsOf<"all"> {
  return "load" in settings && settings.load
}

/** Shows what fetch or all would request, and load of what has landed. */
function plan(settings: Landing): Work<ReportOf<"fetch" | "all">> {
  const layer = Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings))
  const options = runOptions(settings)
  const planned = Effect.map(planHours(options), (found) =>
    planReport(found, options.shard && String(options.shard))
  )
  if (!isLoading(settings)) return work({ layer, run: planned })
  const { warehouseFile } = settings
  return work({
    layer: Layer.mergeAll(layer, unpackerLayer(), warehouseLayer(settings)),
    run: Effect.zipWith(planned, planLoad(loadingOf(settings)), (report, load) => ({
      ...report,
      json: { ...report.json, load },
      text: () => `${report.text()}\n${loadPlanText(load, warehouseFile)}`
    }))
  })
}

/** Shows what sync would upload. */
function showSync(settings: SettingsOf<"sync">): Work<ReportOf<"sync">> {
  return work({
    layer: Layer.merge(storeLayer(settings), stagingLayer(settings)),
    run: Effect.map(planSync({ ...movingOf(settings), ...adoptingOf(settings) }), (found) => {
      const staged = [...found.staged.keys()].sort()
      const { elsewhere, files } = found
      const foreign: { readonly foreignFiles?: ReadonlyArray<string> } = settings.adoptForeign
        ? { foreignFiles: files }
        : {}
      return {
        json: { dryRun: true, staged, stagedElsewhere: elsewhere, ...foreign },
        text: () => stagedText(staged, { elsewhere, files }),
        exitCode: EXIT.done
      }
    })
  })
}
