import { Effect } from "effect"
import {
  backfillByFleet,
  type FleetBackfillOptions,
  stopBackfill
} from "../../programs/fleet/backfillByFleet.ts"
import type { BackfillOptions } from "../../programs/fleet/backfillHours.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { plural } from "../text/printed.ts"

/** Hands a backlog to the fleet, and waits for it. */
export const submit = (options: FleetBackfillOptions) => backfillByFleet(options)

/** Stops a backfill, and reports how far it is. */
export const stop = (options: BackfillOptions) =>
  Effect.map(stopBackfill(options), (standing) => ({
    json: { stopped: true as const, ...standing },
    text: () =>
      [
        `stopped   ${plural(standing.windows, "window")}, ${standing.done} of them done`,
        `on their way   ${plural(standing.running, "window")} of ${plural(standing.workers, "worker")}`,
        "Type backfill without --stop to go on."
      ].join("\n"),
    exitCode: EXIT.done
  }))
