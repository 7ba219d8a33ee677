/**
 * The command that copies a lake.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import type { CopySummary } from "../../../programs/copy/CopySummary.ts"
import { copyLake } from "../../../programs/copy/copyLake.ts"
import { ObjectStorage } from "../../../services/ObjectStorage.ts"
import type { ReportOf } from "../../json/outputs.ts"
import { storeLayer, targetLayer, unpackerLayer } from "../../layers.ts"
import type { SettingsOf } from "../../settings/settingsOf.ts"
import { copyText } from "../../text/lake/copyText.ts"
import { retryOf } from "../options.ts"
import { type Work, work } from "../Report.ts"
import { soFar } from "./soFar.ts"

export function copy(settings: SettingsOf<"copy">): Work<ReportOf<"copy">> {
  const { concurrency, dryRun, maxDuration, toFormat, toLayout } = settings
  const { interrupted, keep } = soFar<ReportOf<"copy">>()
  return work({
    layer: Layer.mergeAll(storeLayer(settings), targetLayer(settings), unpackerLayer()),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const reportOf = (copied: CopySummary) => ({
        json: copied,
        text: () => copyText(copied, place),
        exitCode: copied.exitCode
      })
      const report = reportOf(
        yield* copyLake({
          ...retryOf(settings),
          concurrency,
          maxDuration,
          dryRun,
          layout: toLayout,
          format: toFormat,
          onInterrupt: (copied) => keep(reportOf(copied))
        })
      )
      yield* keep(report)
      return report
    }),
    interrupted
  })
}
