import { Clock, Effect } from "effect"
import * as FleetMemory from "../../../src/layers/memory/FleetMemory.ts"
import { fleetContract } from "../../contracts/fleet.ts"

const DAY = 25 * 3_600_000

/** The clock of the system, a day later. */
const later: Clock.Clock = {
  ...Clock.make(),
  currentTimeMillis: Effect.sync(() => Date.now() + DAY)
}

fleetContract(
  "FleetMemory",
  Effect.map(FleetMemory.make(), (fleet) => ({ fleet, aDayLater: Effect.withClock(later) }))
)
