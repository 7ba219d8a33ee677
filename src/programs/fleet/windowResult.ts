import { Effect, Schema } from "effect"
import { Fleet, FleetError } from "../../services/Fleet.ts"
import {
  Accepted,
  Empty,
  Failed,
  type HourOutcome,
  Landed,
  Open,
  Pending,
  Postponed,
  Skipped
} from "../run/HourOutcome.ts"

/** What a worker records of a window: hours, counts and the messages of failures, never an event. */
const WindowResult = Schema.Array(
  Schema.Union(Landed, Empty, Skipped, Pending, Open, Accepted, Postponed, Failed)
)

export const encodeResult = (outcomes: ReadonlyArray<HourOutcome>): unknown =>
  Schema.encodeSync(WindowResult)(outcomes)

/** The outcomes of several windows. Fails where a worker of another version has recorded them otherwise. */
export const decodeResults = Effect.fnUntraced(function* (
  results: ReadonlyArray<unknown>
): Effect.fn.Return<ReadonlyArray<HourOutcome>, FleetError, Fleet> {
  const { place } = yield* Fleet
  const all = yield* Effect.forEach(results, (it) => Schema.decodeUnknown(WindowResult)(it)).pipe(
    Effect.mapError(({ message }) => {
      const detail = `the result of a window cannot be read; run workers and backfill by one version: ${message}`
      return new FleetError({ reason: "Failed", method: "look at", place, detail })
    })
  )
  return all.flat()
})
