/**
 * The command that joins a fleet.
 *
 * @module
 */
import { Effect } from "effect"
import { fleetLayer } from "../layers.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { type Work, work } from "./Report.ts"

/** Several lakes come from several env files. */
type Settings = SettingsOf<"worker"> & {
  readonly lakes?: ReadonlyArray<SettingsOf<"worker">> | undefined
}

export function worker({ lakes, ...settings }: Settings): Work<undefined> {
  return work({
    layer: fleetLayer(settings),
    run: Effect.flatMap(
      Effect.promise(() => import("../fleet/worker.ts")),
      (fleet) => fleet.work(settings, lakes ?? [settings])
    )
  })
}
