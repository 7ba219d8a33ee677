/**
 * The command that builds the models in the warehouse.
 *
 * @module
 */
import * as fs from "node:fs/promises"
import { Effect } from "effect"
import { buildModels, type ModelSummary } from "../../programs/answer/buildModels.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { CommandError } from "../CommandError.ts"
import type { ReportOf } from "../json/outputs.ts"
import { answeringLayer } from "../layers.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { advised } from "../text/advice.ts"
import { modelText } from "../text/modelText.ts"
import { readCompiledModels } from "./compiledModels.ts"
import { retryOf } from "./options.ts"
import { type Report, type Work, work } from "./Report.ts"

export function model(settings: SettingsOf<"model">): Work<ReportOf<"model">> {
  return work({
    layer: answeringLayer(settings),
    run: Effect.gen(function* () {
      const summary = yield* buildModels({
        ...retryOf(settings),
        models: yield* readCompiledModels(),
        sites: yield* textOf("--sites", settings.sites),
        ipRanges: yield* textOf("--ip-ranges", settings.ipRanges)
      })
      return reportOf(summary, settings.warehouseFile)
    })
  })
}

function reportOf(summary: ModelSummary, warehouseFile: string): Report<ModelSummary> {
  const error = summary.error && advised(summary.error)
  const told = { ...summary, ...(error === undefined ? {} : { error }) }
  return {
    json: told,
    text: () => modelText(told, warehouseFile),
    exitCode: summary.exitCode,
    error
  }
}

/** A file that the user names. */
function textOf(flag: string, file: string | undefined) {
  if (file === undefined) return Effect.succeed(undefined)
  return Effect.tryPromise({
    try: () => fs.readFile(file, "utf8"),
    catch: (cause) =>
      new CommandError({
        message: `${flag} "${file}" cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        exitCode: EXIT.usage
      })
  })
}
