import { Effect, Option, Ref } from "effect"
import type { AmplitudeError } from "../../services/Amplitude.ts"

/** State shared by all requests of one run. */
export interface RequestGate {
  readonly requests: Effect.Semaphore
  readonly unpackings: Effect.Semaphore
  /** A refusal of the keys by one request; the next ones are not sent. */
  readonly refusal: Ref.Ref<Option.Option<AmplitudeError>>
  /** Whether the clock skew has been logged. */
  readonly isSkewSaid: Ref.Ref<boolean>
}

export const makeRequestGate = (requestsAtOnce: number): Effect.Effect<RequestGate> =>
  Effect.all({
    requests: Effect.makeSemaphore(requestsAtOnce),
    unpackings: Effect.makeSemaphore(1),
    refusal: Ref.make(Option.none<AmplitudeError>()),
    isSkewSaid: Ref.make(false)
  })
