import { Effect, Either, Option, Stream } from "effect"
import {
  type NewObject,
  ObjectStorageError,
  SHA256_OF_NOTHING
} from "../../services/ObjectStorage.ts"
import { failed, type StoreAttempt } from "./failure.ts"

/** Key of the empty object that tests a store. Listings hide it. */
export const PROBE = ".amplitude-lake-probe"

/** The empty object under that key. */
export const probe: NewObject<never> = {
  key: PROBE,
  size: 0,
  sha256: SHA256_OF_NOTHING,
  metadata: {},
  body: Stream.empty
}

/** Another object under its key, which a store must refuse. */
export const otherProbe: NewObject<never> = {
  key: PROBE,
  size: 1,
  sha256: "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881",
  metadata: {},
  body: Stream.make(new TextEncoder().encode("x"))
}

const IGNORES =
  "This store ignores If-None-Match and would overwrite existing objects; use a store that honors it"

interface PartsProbe {
  readonly attempt: StoreAttempt
  /** Puts `probe` in one request. */
  readonly put: Effect.Effect<boolean, ObjectStorageError>
  /** Puts `otherProbe` in parts. */
  readonly putInParts: Effect.Effect<boolean, ObjectStorageError>
}

/**
 * Proves, once, that a store refuses an upload in parts under a key that is taken: some that honor
 * If-None-Match in a single put ignore it there.
 */
export function provesParts({
  attempt,
  put,
  putInParts
}: PartsProbe): Effect.Effect<void, ObjectStorageError> {
  const oneByOne = Effect.unsafeMakeSemaphore(1)
  let isProven = false
  const prove = Effect.gen(function* () {
    if (isProven) return
    yield* put
    if (yield* putInParts) {
      return yield* failed(attempt, "Misconfigured", `${IGNORES} in uploads in parts, too`)
    }
    isProven = true
  })
  return oneByOne.withPermits(1)(prove)
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
      return yield* failed(attempt, "Misconfigured", IGNORES)
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
