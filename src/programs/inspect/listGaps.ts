import { Effect, Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { planRun } from "../plan/planRun.ts"
import { readMark } from "../resolve/markLake.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, type SettleOptions } from "../run/Run.ts"

const Stretch = Schema.Struct({ first: Hour, last: Hour, hours: Schema.Int })

/** The gaps of a whole lake, and those that a person has accepted; oldest first. */
export class GapList extends Schema.Class<GapList>("GapList")({
  gaps: Schema.Array(Stretch),
  acceptances: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      ...Stretch.fields,
      /** Why, who and when, as far as the mark says. */
      reason: Schema.optional(Schema.String),
      user: Schema.optional(Schema.String),
      time: Schema.optional(Schema.String)
    })
  ),
  exitCode: Schema.Literal(0)
}) {}

/** Lists gaps and acceptances by one listing of the store, and a look at each acceptance. */
export const listGaps = Effect.fn("listGaps")(
  function* (_options: SettleOptions & RetryOptions = {}) {
    const store = yield* ObjectStorage
    const { lake, window } = yield* planRun({})
    const acceptances = yield* Effect.forEach(
      lake.acceptances,
      ({ name, window }) =>
        Effect.map(readMark(store, "accepted", name), ({ reason, time, user }) => ({
          name,
          first: window.first,
          last: window.last,
          hours: window.length,
          ...(reason === undefined ? {} : { reason }),
          ...(user === undefined ? {} : { user }),
          ...(time === undefined ? {} : { time })
        })),
      { concurrency: 16 }
    )
    return new GapList({
      gaps: lake
        .gaps({ last: window.last })
        .map((gap) => ({ first: gap.first, last: gap.last, hours: gap.length })),
      acceptances,
      exitCode: 0
    })
  },
  (self, options) => asRun(self, options)
)
