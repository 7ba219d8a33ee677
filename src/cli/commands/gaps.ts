/**
 * The commands about hours that stay missing.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { listGaps } from "../../programs/inspect/listGaps.ts"
import { acceptGaps } from "../../programs/resolve/acceptGaps.ts"
import { withdrawGaps } from "../../programs/resolve/withdrawGaps.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { clockLayer, stagingLayer, storeLayer } from "../layers.ts"
import { userName } from "../machine.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { acceptedText, gapsText, withdrawnText } from "../text/gapsText.ts"
import { retryOf } from "./options.ts"
import { type Work, work } from "./Report.ts"

export function gaps(settings: SettingsOf<"gaps">): Work<ReportOf<"gaps">> {
  return work({
    layer: Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings)),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const { lagHours, settleHours } = settings
      const found = yield* listGaps({ ...retryOf(settings), lagHours, settleHours })
      return { json: found, text: () => gapsText(found, place), exitCode: found.exitCode }
    })
  })
}

export function acceptGapsOf(settings: SettingsOf<"gaps accept">): Work<ReportOf<"gaps accept">> {
  return work({
    layer: Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings)),
    run: Effect.gen(function* () {
      const { endDate, lagHours, reason, settleHours, startDate } = settings
      const accepted = yield* acceptGaps({
        ...retryOf(settings),
        start: startDate.hour,
        end: endDate.hour,
        lagHours,
        settleHours,
        reason,
        user: userName()
      })
      return { json: accepted, text: () => acceptedText(accepted), exitCode: accepted.exitCode }
    })
  })
}

export function withdrawGapsOf(
  settings: SettingsOf<"gaps withdraw">
): Work<ReportOf<"gaps withdraw">> {
  return work({
    layer: Layer.mergeAll(clockLayer({ now: undefined }), storeLayer(settings)),
    run: Effect.gen(function* () {
      const { acceptance } = settings
      const withdrawn = yield* withdrawGaps(acceptance, {
        ...retryOf(settings),
        user: userName()
      })
      return { json: withdrawn, text: () => withdrawnText(withdrawn), exitCode: withdrawn.exitCode }
    })
  })
}
