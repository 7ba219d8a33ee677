/**
 * The command that shows the settings.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { configText } from "../text/configText.ts"
import { type Work, work } from "./Report.ts"

export function config({ configuration }: SettingsOf<"config">): Work<ReportOf<"config">> {
  return work({
    layer: Layer.empty,
    run: Effect.succeed({
      json: configuration,
      text: () => configText(configuration),
      exitCode: configuration.problems.length > 0 ? EXIT.usage : EXIT.done
    })
  })
}
