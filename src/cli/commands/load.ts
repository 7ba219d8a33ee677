/**
 * The command that loads landed hours into a warehouse.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { loadHours, type LoadOptions } from "../../programs/load/loadHours.ts"
import type { LoadSummary } from "../../programs/load/LoadSummary.ts"
import { planLoad } from "../../programs/load/planLoad.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { Hour } from "../../services/Hour.ts"
import { INTERRUPTED_ERROR } from "../ending.ts"
import { clockLayer, storeLayer, unpackerLayer, warehouseLayer } from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { exitCodeOfSignal } from "../signals.ts"
import { advisedLoad } from "../text/advice.ts"
import { loadPlanText, loadText } from "../text/loadText.ts"
import { loadingOf } from "./options.ts"
import { noText, type Report, type Work, work } from "./Report.ts"

export function load(settings: SettingsOf<"load">): Work<ReportOf<"load">> {
  const { dryRun, snowflake, warehouseFile } = settings
  const warehouse =
    snowflake === undefined
      ? warehouseFile
      : `Snowflake ${snowflake.account}: ${snowflake.database}.${snowflake.schema}`
  const layer = Layer.mergeAll(
    clockLayer(settings),
    storeLayer(settings),
    unpackerLayer(),
    warehouseLayer(settings)
  )
  const options = optionsOf(settings)
  if (dryRun) {
    const run = Effect.map(planLoad(options), (plan) => ({
      json: plan,
      text: () => loadPlanText(plan, warehouse),
      exitCode: EXIT.done
    }))
    return work({ layer, run })
  }
  let soFar: LoadSummary | undefined
  const keep = (summary: LoadSummary) =>
    Effect.sync(() => {
      soFar = summary
    })
  return work({
    layer,
    run: loadHours({ ...options, onInterrupt: keep }).pipe(
      // A signal may come before this is reported.
      Effect.tap(keep),
      Effect.map((summary) => reportOf(summary, warehouse))
    ),
    interrupted: () => ({
      ...(soFar === undefined ? { text: noText } : reportOf(soFar, warehouse)),
      exitCode: exitCodeOfSignal(),
      error: INTERRUPTED_ERROR
    })
  })
}

function optionsOf(settings: SettingsOf<"load">): LoadOptions {
  const { endDate, reconcile, replace, shard, startDate, yesterday } = settings
  return {
    ...loadingOf(settings),
    start: startDate?.hour,
    end: endDate?.hour,
    isRelative: (endDate ?? startDate)?.isRelative,
    yesterday,
    shard,
    reconcile,
    replace: replace === undefined ? undefined : Hour.make(replace)
  }
}

function reportOf(summary: LoadSummary, warehouse: string): Report<LoadSummary> {
  const { exitCode } = summary
  const told = advisedLoad(summary)
  const { error } = told
  const hasHours = error === undefined || summary.window !== null
  return {
    json: told,
    text: hasHours ? () => loadText(told, warehouse) : noText,
    exitCode,
    error
  }
}
