/**
 * The command that lands a backlog.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import {
  backfillHours,
  type BackfillOptions,
  planBackfill
} from "../../programs/fleet/backfillHours.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import {
  archiveFolderLayer,
  clockLayer,
  fleetLayer,
  sourceLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { Several } from "../settings/severalLakes.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { movingOf } from "./options.ts"
import { planReport } from "./planReport.ts"
import { type Work, work } from "./Report.ts"
import { summarized } from "./summaryReport.ts"

export function backfill({
  lakes,
  ...settings
}: SettingsOf<"backfill"> & Several<"backfill">): Work<ReportOf<"backfill">> {
  const { source } = settings
  const options = optionsOf(settings)
  const lake = Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings))
  if (source._tag === "Unasked") {
    return work({ layer: lake, run: Effect.map(planBackfill(options), (it) => planReport(it)) })
  }
  const about = Effect.map(ObjectStorage, ({ place }) => ({ place, source }))
  if (settings.databaseUrl !== undefined) {
    const { databaseUrl, stop, watch } = settings
    const layer = Layer.mergeAll(lake, sourceLayer(source), fleetLayer({ databaseUrl }))
    const fleet = Effect.promise(() => import("../fleet/backfill.ts"))
    if (lakes !== undefined) {
      const parts = lakes.flatMap(({ source, ...lake }) =>
        source._tag === "Unasked"
          ? []
          : [{ lake: { ...lake, source }, options: { ...optionsOf({ ...lake, source }), watch } }]
      )
      const layer = fleetLayer({ databaseUrl })
      return stop
        ? work({ layer, run: Effect.flatMap(fleet, (it) => it.stopAll(parts)) })
        : work({ layer, run: Effect.flatMap(fleet, (it) => it.submitAll(parts)) })
    }
    if (stop) return work({ layer, run: Effect.flatMap(fleet, (it) => it.stop(options)) })
    return work({
      layer,
      ...summarized(
        (more) => Effect.flatMap(fleet, (it) => it.submit({ ...options, ...more, watch })),
        about
      )
    })
  }
  return work({
    layer: Layer.mergeAll(
      lake,
      sourceLayer(source),
      unpackerLayer(settings),
      archiveFolderLayer(settings),
      spoolLayer(settings)
    ),
    ...summarized((more) => backfillHours({ ...options, ...more }), about)
  })
}

function optionsOf(settings: SettingsOf<"backfill">): BackfillOptions {
  const { endDate, format, lagHours, lanes, requestHours, settleHours, startDate } = settings
  return {
    ...movingOf(settings),
    start: startDate?.hour,
    end: endDate?.hour,
    isRelative: (endDate ?? startDate)?.isRelative,
    lagHours,
    settleHours,
    requestHours,
    format,
    lanes
  }
}
