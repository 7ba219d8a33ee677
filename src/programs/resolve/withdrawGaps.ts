import { Effect, Schema } from "effect"
import { Clock } from "../../services/Clock.ts"
import { Hour } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { takeLake } from "../plan/inventory.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"
import { putMark } from "./markLake.ts"
import { ResolveError } from "./ResolveError.ts"

export interface WithdrawGapsOptions extends RetryOptions {
  /** Who decided it. */
  readonly user: string
}

/** The hours that count as gaps again, unless they have landed or another acceptance has them. */
export class WithdrawnGaps extends Schema.Class<WithdrawnGaps>("WithdrawnGaps")({
  name: Schema.String,
  first: Hour,
  last: Hour,
  hours: Schema.Int,
  exitCode: Schema.Literal(0)
}) {}

/** Takes back the acceptance of that name; fails with `UnknownAcceptance` where none counts. */
export const withdrawGaps = Effect.fn("withdrawGaps")(
  function* (name: string, { user }: WithdrawGapsOptions) {
    const { retry } = yield* Run
    const store = yield* ObjectStorage
    const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
    const { acceptances } = yield* retry(takeLake(store))
    const found = acceptances.find((it) => it.name === name)
    if (found === undefined) {
      const names = acceptances.map((it) => it.name)
      const known = names.length === 0 ? "there is none" : `there are ${names.join(", ")}`
      return yield* new ResolveError({
        reason: "UnknownAcceptance",
        detail: `no acceptance in ${store.place} is named "${name}": ${known}`
      })
    }
    yield* putMark(store, "withdrawn", name, { user, time: new Date(now).toISOString() })
    const { window } = found
    return new WithdrawnGaps({
      name,
      first: window.first,
      last: window.last,
      hours: window.length,
      exitCode: 0
    })
  },
  (self, _name, options) => asRun(self, options)
)
