import { Effect, Schema } from "effect"
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

/** The outcomes of several windows. */
export const decodeResults = (
  results: ReadonlyArray<unknown>
): Effect.Effect<ReadonlyArray<HourOutcome>> =>
  Effect.map(
    Effect.forEach(results, (it) => Effect.orDie(Schema.decodeUnknown(WindowResult)(it))),
    (all) => all.flat()
  )
