/**
 * The command that writes a report of the warehouse.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { buildModels } from "../../programs/answer/buildModels.ts"
import { loadHours } from "../../programs/load/loadHours.ts"
import { readReport } from "../../programs/report/readReport.ts"
import { exitCodeOfBoth, EXIT } from "../../programs/run/exitCode.ts"
import { answeringLayer, clockLayer, storeLayer, unpackerLayer } from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { SettingsOf, Store } from "../settings/settingsOf.ts"
import { advised, advisedLoad } from "../text/advice.ts"
import { reportText } from "../report/reportText.ts"
import { readCompiledModels } from "./compiledModels.ts"
import { loadingOf, retryOf } from "./options.ts"
import { type Work, work } from "./Report.ts"
import { writePage } from "../report/writePage.ts"

type Settings = SettingsOf<"report">

export function report(settings: Settings): Work<ReportOf<"report">> {
  const { store } = settings
  const warehouse = answeringLayer(settings)
  if (store === undefined) return work({ layer: warehouse, run: write(settings, {}) })
  return work({
    layer: Layer.mergeAll(warehouse, clockLayer(settings), storeLayer({ store }), unpackerLayer()),
    run: Effect.flatMap(build(settings, store), (built) => write(settings, built))
  })
}

/** Loads and models. What could not be loaded is told, and does not keep the rest from its report. */
const build = Effect.fnUntraced(function* (settings: Settings, store: Store) {
  const load = yield* loadHours(
    loadingOf({ ...settings, store, maxDuration: undefined, unverified: false })
  )
  const model = yield* buildModels({
    ...retryOf(settings),
    models: yield* readCompiledModels()
  })
  return { load: advisedLoad(load), model }
})

type Built = Partial<Effect.Effect.Success<ReturnType<typeof build>>>

const write = Effect.fnUntraced(function* (settings: Settings, { load, model }: Built) {
  const figures = yield* readReport(retryOf(settings))
  const { reportPage } = yield* Effect.promise(() => import("../report/reportPage.ts"))
  const file = settings.out
  const bytes = yield* writePage(file, reportPage(figures))
  const error = load?.error ?? (model?.error && advised(model.error))
  const exitCode = exitCodeOfBoth(load?.exitCode ?? EXIT.done, model?.exitCode ?? EXIT.done, true)
  return {
    json: {
      file,
      ...figures,
      ...(load === undefined ? {} : { load }),
      ...(model === undefined ? {} : { model })
    },
    text: () => reportText({ figures, file, bytes, load, model }),
    exitCode,
    error
  }
})
