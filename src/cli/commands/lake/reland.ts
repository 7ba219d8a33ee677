/**
 * The command that replaces hours by what Amplitude returns now.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import type { RelandSummary } from "../../../programs/reland/RelandSummary.ts"
import { relandHours } from "../../../programs/reland/relandHours.ts"
import { version } from "../../../programs/run/version.ts"
import { ObjectStorage } from "../../../services/ObjectStorage.ts"
import type { ReportOf } from "../../json/outputs.ts"
import {
  clockLayer,
  sourceLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "../../layers.ts"
import { hostName, userName } from "../../machine.ts"
import type { SettingsOf } from "../../settings/settingsOf.ts"
import { advised } from "../../text/advice.ts"
import { relandText } from "../../text/lake/relandText.ts"
import { retryOf } from "../options.ts"
import { type Work, work } from "../Report.ts"
import { soFar } from "./soFar.ts"

export function reland(settings: SettingsOf<"reland">): Work<ReportOf<"reland">> {
  const { concurrency, dryRun, endDate, lagHours, maxDuration, requestHours } = settings
  const { settleHours, source, startDate } = settings
  const { interrupted, keep } = soFar<ReportOf<"reland">>()
  return work({
    layer: Layer.mergeAll(
      sourceLayer(source),
      clockLayer(settings),
      storeLayer(settings),
      stagingLayer(settings),
      spoolLayer(settings),
      unpackerLayer(settings)
    ),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const reportOf = (summary: RelandSummary) => {
        const found = { ...summary, failed: summary.failed.map((it) => advised(it, source)) }
        return { json: found, text: () => relandText(found, place), exitCode: found.exitCode }
      }
      const report = reportOf(
        yield* relandHours({
          ...retryOf(settings),
          concurrency,
          dryRun,
          lagHours,
          maxDuration,
          requestHours,
          settleHours,
          version,
          start: startDate.hour,
          end: endDate.hour,
          user: userName(),
          host: hostName(),
          onInterrupt: (summary) => keep(reportOf(summary))
        })
      )
      yield* keep(report)
      return report
    }),
    interrupted
  })
}
