import { Effect, Layer } from "effect"
import { Amplitude } from "../../services/Amplitude.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import {
  archiveFolderLayer,
  clockLayer,
  sourceLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "../layers.ts"
import type { AskedSource, SettingsOf } from "../settings/settingsOf.ts"

type Lake = Omit<SettingsOf<"worker">, "source"> & { readonly source: AskedSource }

/** Everything that landing a window of a lake needs. */
export function lakeLayer(settings: Pick<Lake, keyof Parts>) {
  return Layer.mergeAll(
    clockLayer(settings),
    storeLayer(settings),
    stagingLayer(settings),
    sourceLayer(settings.source),
    unpackerLayer(settings),
    archiveFolderLayer(settings),
    spoolLayer(settings)
  )
}

type Parts = Pick<
  Lake,
  "now" | "store" | "dataDir" | "source" | "inflate" | "archiveDir" | "workDir"
>

/** What the fleet calls a lake. */
export const fleetLakeOf = (settings: Pick<Lake, "store" | "source">) =>
  Effect.all({
    location: Effect.map(ObjectStorage, ({ location }) => location),
    source: Effect.map(Amplitude, ({ identity }) => identity)
  }).pipe(Effect.provide(Layer.merge(storeLayer(settings), sourceLayer(settings.source))))
