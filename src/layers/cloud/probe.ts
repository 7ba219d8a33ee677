import { Effect, Either, Option, Stream } from "effect"
import {
  type NewObject,
  ObjectStorageError,
  SHA256_OF_NOTHING
} from "../../services/ObjectStorage.ts"
import { failed, type StoreAttempt } from "./failure.ts"

/** Key of the empty object that tests a store. Listings hide it. */
export const PROBE = ".amplitude-lake-probe"

const probe: NewObject<never> = {
  key: PROBE,
  size: 0,
  sha256: SHA256_OF_NOTHING,
  metadata: {},
  body: Stream.empty
}

export interface StoreProbe {
  /** The put, for error messages. */
  readonly attempt: StoreAttempt
  readonly list: Effect.Effect<unknown, ObjectStorageError>
  readonly put: (object: NewObject<never>) => Effect.Effect<boolean, ObjectStorageError>
  readonly head: Effect.Effect<unknown, ObjectStorageError>
}

/**
 * Lists and, in parallel, puts the probe and looks it up. If the probe is new it is put twice, and
 * the second put must be refused.
 */
export const tryStore = Effect.fnUntraced(function* ({ attempt, head, list, put }: StoreProbe) {
  const tryPut = Effect.gen(function* () {
    if ((yield* put(probe)) && (yield* put(probe))) {
      const detail =
        "This store ignores If-None-Match and would overwrite existing objects; use a store that honors it"
      return yield* failed(attempt, "Misconfigured", detail)
    }
    yield* head
  })
  const [listed, tried] = yield* Effect.all([Effect.either(list), Effect.either(tryPut)], {
    concurrency: 2
  })
  if (Either.isRight(listed)) return yield* tried
  const refused = listed.left
  const also = Option.getOrUndefined(Either.getLeft(tried))
  const isMore = also?.detail !== refused.detail && also?.reason === "AccessDenied"
  // Whoever has to request permissions needs to know all that are missing.
  return yield* refused.reason === "AccessDenied" && isMore
    ? new ObjectStorageError({ ...refused, detail: `${refused.detail}; ${also.detail}` })
    : refused
})
