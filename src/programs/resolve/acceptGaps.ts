import { Effect, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { Hour } from "../../services/Hour.ts"
import { acceptanceName } from "../../services/LakeMark.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Window } from "../../services/Window.ts"
import { planRun } from "../plan/planRun.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run, type SettleOptions } from "../run/Run.ts"
import { putMark } from "./markLake.ts"
import { ResolveError } from "./ResolveError.ts"

export interface AcceptGapsOptions extends SettleOptions, RetryOptions {
  /** First hour. */
  readonly start: Hour
  /** Last hour, included. */
  readonly end: Hour
  /** Why these hours stay missing. */
  readonly reason: string
  /** Who decided it. */
  readonly user: string
}

/** What was accepted, and how many of the hours between the dates are no gaps and were left alone. */
export class AcceptedGaps extends Schema.Class<AcceptedGaps>("AcceptedGaps")({
  accepted: Schema.Array(
    Schema.Struct({ name: Schema.String, first: Hour, last: Hour, hours: Schema.Int })
  ),
  left: Schema.Struct({
    landed: Schema.Int,
    accepted: Schema.Int,
    /** Open or pending: they may still land by themselves. */
    unsettled: Schema.Int,
    /** Before the lake's first landed hour. */
    before: Schema.Int
  }),
  exitCode: Schema.Literal(0)
}) {}

/**
 * Declares the gaps between two dates final, each run of neighbours by one mark that says why, who
 * and when. Fails with `NoGap` where there is none.
 */
export const acceptGaps = Effect.fn("acceptGaps")(
  function* ({ end, reason, start, user }: AcceptGapsOptions) {
    const { isSettled } = yield* Run
    const store = yield* ObjectStorage
    const { lake, store: standing } = yield* planRun({ start, end })
    const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
    const gaps = lake.gaps({ first: start, last: end })
    if (gaps.length === 0) {
      return yield* new ResolveError({
        reason: "NoGap",
        detail: `${store.place} lacks no settled hour from ${start} to ${end}`
      })
    }
    const accepted = yield* Effect.forEach(gaps, (gap) =>
      Effect.map(
        nameOf(store, gap, { reason, user, time: new Date(now).toISOString() }),
        (name) => ({
          name,
          first: gap.first,
          last: gap.last,
          hours: gap.length
        })
      )
    )
    const isAccepted = (hour: Hour) => lake.acceptances.some(({ window }) => window.includes(hour))
    const others = new Window({ first: start, last: end }).hours.filter(
      (hour) => !gaps.some((gap) => gap.includes(hour))
    )
    const kinds = others.map((hour) => {
      if (standing.inventory.has(hour)) return "landed"
      if (lake.firstLanded === undefined || hour < lake.firstLanded) return "before"
      return isSettled(hour, now) && isAccepted(hour) ? "accepted" : "unsettled"
    })
    const count = (kind: string) => kinds.filter((it) => it === kind).length
    return new AcceptedGaps({
      accepted,
      left: {
        landed: count("landed"),
        accepted: count("accepted"),
        unsettled: count("unsettled"),
        before: count("before")
      },
      exitCode: 0
    })
  },
  (self, options) => asRun(self, options)
)

/** Puts the mark under the first number that is free: earlier acceptances may have been withdrawn. */
const nameOf = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  gap: Window,
  text: Readonly<Record<string, string>>
) {
  for (let number = 1; ; number++) {
    const name = acceptanceName(gap, number)
    if (yield* putMark(store, "accepted", name, text)) return name
  }
})
