import { Effect, Option, Ref } from "effect"
import type { AmplitudeError } from "../../services/Amplitude.ts"

/** What the requests of one run share. */
export interface RequestGate {
  readonly requests: Effect.Semaphore
  readonly unpackings: Effect.Semaphore
  /** A refusal of the keys: what one request was refused for, the next ones are not made for. */
  readonly refusal: Ref.Ref<Option.Option<AmplitudeError>>
  /** Whether it has been said that the clocks differ. */
  readonly isSkewSaid: Ref.Ref<boolean>
}

/** Amplitude allows 5 requests at once in all an account: two leave room for its other users. */
const REQUESTS_AT_ONCE = 2

export const makeRequestGate: Effect.Effect<RequestGate> = Effect.all({
  requests: Effect.makeSemaphore(REQUESTS_AT_ONCE),
  unpackings: Effect.makeSemaphore(1),
  refusal: Ref.make(Option.none<AmplitudeError>()),
  isSkewSaid: Ref.make(false)
})
