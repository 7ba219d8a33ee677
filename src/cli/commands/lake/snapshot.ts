import { Effect, Layer } from "effect"
import { Snapshot } from "../../../programs/snapshot/Snapshot.ts"
import { takeSnapshot } from "../../../programs/snapshot/takeSnapshot.ts"
import { ObjectStorage } from "../../../services/ObjectStorage.ts"
import { clockLayer, sourceLayer, storeLayer } from "../../layers.ts"
import type { ReportOf } from "../../json/outputs.ts"
import type { SettingsOf } from "../../settings/settingsOf.ts"
import { advised } from "../../text/advice.ts"
import { snapshotText } from "../../text/lake/snapshotText.ts"
import { retryOf } from "../options.ts"
import { type Work, work } from "../Report.ts"

export function snapshot(settings: SettingsOf<"snapshot">): Work<ReportOf<"snapshot">> {
  const { source } = settings
  return work({
    layer: Layer.mergeAll(sourceLayer(source), clockLayer(settings), storeLayer(settings)),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const taken = yield* takeSnapshot(retryOf(settings))
      const lists = taken.lists.map(({ message, ...list }) =>
        message === undefined ? list : advised({ ...list, message }, source)
      )
      const report = new Snapshot({ ...taken, lists })
      return { json: report, text: () => snapshotText(report, place), exitCode: taken.exitCode }
    })
  })
}
