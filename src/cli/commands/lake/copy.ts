/**
 * The command that copies a lake.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { copyLake } from "../../../programs/copy/copyLake.ts"
import { ObjectStorage } from "../../../services/ObjectStorage.ts"
import type { ReportOf } from "../../json/outputs.ts"
import { storeLayer, targetLayer, unpackerLayer } from "../../layers.ts"
import type { SettingsOf } from "../../settings/settingsOf.ts"
import { copyText } from "../../text/lake/copyText.ts"
import { retryOf } from "../options.ts"
import { type Work, work } from "../Report.ts"

export function copy(settings: SettingsOf<"copy">): Work<ReportOf<"copy">> {
  const { concurrency, dryRun, maxDuration, toFormat, toLayout } = settings
  return work({
    layer: Layer.mergeAll(storeLayer(settings), targetLayer(settings), unpackerLayer()),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const copied = yield* copyLake({
        ...retryOf(settings),
        concurrency,
        maxDuration,
        dryRun,
        layout: toLayout,
        format: toFormat
      })
      return { json: copied, text: () => copyText(copied, place), exitCode: copied.exitCode }
    })
  })
}
