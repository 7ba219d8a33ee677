/**
 * The command that ends a conflict.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { resolveConflict } from "../../programs/resolve/resolveConflict.ts"
import { Hour } from "../../services/Hour.ts"
import {
  clockLayer,
  sourceLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { resolvedText } from "../text/resolvedText.ts"
import { version } from "../../programs/run/version.ts"
import { hostName, userName } from "../machine.ts"
import { retryOf } from "./options.ts"
import { type Work, work } from "./Report.ts"

export function resolve(settings: SettingsOf<"resolve">): Work<ReportOf<"resolve">> {
  const { conflict, format, keep, layout, source } = settings
  return work({
    layer: Layer.mergeAll(
      source._tag === "Unasked" ? Layer.empty : sourceLayer(source),
      clockLayer({ now: undefined }),
      storeLayer(settings),
      stagingLayer(settings),
      spoolLayer(settings),
      unpackerLayer(settings)
    ),
    run: Effect.gen(function* () {
      const resolved = yield* resolveConflict(Hour.make(conflict), {
        ...retryOf(settings),
        keep,
        layout,
        format,
        user: userName(),
        host: hostName(),
        version
      })
      return {
        json: resolved,
        text: () => resolvedText(resolved, settings.store),
        exitCode: resolved.exitCode
      }
    })
  })
}
