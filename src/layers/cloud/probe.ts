import { Effect, Either, Option, Stream } from "effect"
import { type NewObject, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { failed, type StoreAttempt } from "./failure.ts"

/** The key of the empty object that stores are tried out by; no listing shows it. */
export const PROBE = ".amplitude-lake-probe"

/** In hexadecimal. */
export const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

const probe: NewObject<never> = {
  key: PROBE,
  size: 0,
  sha256: SHA256_OF_NOTHING,
  metadata: {},
  body: Stream.empty
}

export interface StoreProbe {
  /** Of the put, for the error's words. */
  readonly attempt: StoreAttempt
  readonly list: Effect.Effect<unknown, ObjectStorageError>
  readonly put: (object: NewObject<never>) => Effect.Effect<boolean, ObjectStorageError>
  readonly head: Effect.Effect<unknown, ObjectStorageError>
}

/**
 * Lists, and meanwhile puts and looks up, the put twice where nothing stands there: the second has
 * to be refused.
 */
export const tryStore = Effect.fnUntraced(function* ({ attempt, head, list, put }: StoreProbe) {
  const tryPut = Effect.gen(function* () {
    if ((yield* put(probe)) && (yield* put(probe))) {
      const detail =
        "This store ignores If-None-Match and would overwrite what is there: use one that creates only if absent"
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
  // Whoever has to ask for permissions would rather hear of all that is missing.
  return yield* refused.reason === "AccessDenied" && isMore
    ? new ObjectStorageError({ ...refused, detail: `${refused.detail}; ${also.detail}` })
    : refused
})
