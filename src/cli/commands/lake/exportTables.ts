/**
 * The command that writes the tables as Parquet files.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import * as programs from "../../../programs/export/exportTables.ts"
import type { ReportOf } from "../../json/outputs.ts"
import { answeringLayer, exportFolderLayer } from "../../layers.ts"
import type { SettingsOf } from "../../settings/settingsOf.ts"
import { exportText } from "../../text/lake/exportText.ts"
import { retryOf } from "../options.ts"
import { type Work, work } from "../Report.ts"

export function exportTables(settings: SettingsOf<"export">): Work<ReportOf<"export">> {
  const { dryRun, to, warehouseFile } = settings
  return work({
    layer: Layer.mergeAll(
      answeringLayer({ warehouseFile, exportsTo: to }),
      exportFolderLayer({ to })
    ),
    run: Effect.gen(function* () {
      const done = yield* programs.exportTables({ ...retryOf(settings), dryRun })
      return {
        json: done,
        text: () => exportText(done, warehouseFile),
        exitCode: done.exitCode
      }
    })
  })
}
