import { randomBytes } from "node:crypto"
import { Effect } from "effect"
import { landWindow } from "../../programs/fleet/landWindow.ts"
import { workFleet, type WorkersLake } from "../../programs/fleet/workFleet.ts"
import { Fleet } from "../../services/Fleet.ts"
import { movingOf } from "../commands/options.ts"
import { hostName } from "../machine.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { plural } from "../text/printed.ts"
import { fleetLakeOf, lakeLayer } from "./lakeOf.ts"
import { serveHealth } from "./health.ts"

type Settings = SettingsOf<"worker">

/** Joins the fleet with these lakes, until a signal comes. */
export const work = Effect.fn("work")(function* (
  settings: Settings,
  lakes: ReadonlyArray<Settings>
) {
  const { healthHost, healthPort, keepDays, workerLanes: lanes } = settings
  const fleet = yield* Fleet
  // A machine may run several, and a container's process number is always the same.
  const worker = `${hostName()}-${randomBytes(3).toString("hex")}`
  const known = yield* Effect.forEach(lakes, workersLake)
  const { run, standing } = yield* workFleet(known, { worker, lanes, keepDays })
  if (healthPort !== undefined) {
    yield* serveHealth({ host: healthHost, port: healthPort, standing })
  }
  yield* Effect.logInfo(
    `Worker ${worker} has ${plural(lanes, "lane")} for ${plural(known.length, "lake")}, in ${fleet.place}`
  )
  return yield* run
}, Effect.scoped)

/** Each window gets layers of its own, as a run on the same machine would have. */
const workersLake = Effect.fnUntraced(function* (settings: Settings) {
  const { format, lagHours, settleHours } = settings
  const options = {
    ...movingOf({ ...settings, maxDuration: undefined }),
    format,
    lagHours,
    settleHours
  }
  const lake: WorkersLake = {
    ...(yield* fleetLakeOf(settings)),
    land: (window) => Effect.provide(landWindow(window, options), lakeLayer(settings))
  }
  return lake
})
