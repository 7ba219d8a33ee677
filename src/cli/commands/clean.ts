import { Effect, Layer } from "effect"
import { cleanLeftovers } from "../../programs/clean/cleanLeftovers.ts"
import {
  archiveFolderLayer,
  clockLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { advisedLeftover } from "../text/advice.ts"
import { cleaningText } from "../text/cleaningText.ts"
import { retryOf } from "./options.ts"
import { type Work, work } from "./Report.ts"

/** Removes what earlier runs left behind, or with `--dry-run` shows it. */
export function clean(settings: SettingsOf<"clean">): Work<ReportOf<"clean">> {
  const { abortUploads, archiveDays, concurrency, dryRun } = settings
  return work({
    layer: Layer.mergeAll(
      clockLayer({ now: undefined }),
      storeLayer(settings),
      stagingLayer(settings),
      spoolLayer(settings),
      archiveFolderLayer(settings),
      unpackerLayer()
    ),
    run: Effect.gen(function* () {
      const options = { ...retryOf(settings), abortUploads, archiveDays, concurrency, dryRun }
      const cleaned = yield* cleanLeftovers(options)
      const found = { ...cleaned, leftovers: cleaned.leftovers.map(advisedLeftover) }
      return { json: found, text: () => cleaningText(found), exitCode: found.exitCode }
    })
  })
}
