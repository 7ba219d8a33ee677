/**
 * The command that joins a fleet.
 *
 * @module
 */
import { Effect } from "effect"
import { fleetLayer } from "../layers.ts"
import type { Several } from "../settings/severalLakes.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { type Work, work } from "./Report.ts"

export function worker({
  lakes,
  ...settings
}: SettingsOf<"worker"> & Several<"worker">): Work<undefined> {
  return work({
    layer: fleetLayer(settings),
    run: Effect.flatMap(
      Effect.promise(() => import("../fleet/worker.ts")),
      (fleet) => fleet.work(settings, lakes ?? [settings])
    )
  })
}
