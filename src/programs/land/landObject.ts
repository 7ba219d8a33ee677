import { Effect, Either, Option, type Stream } from "effect"
import type { Clock } from "../../services/Clock.ts"
import { type HourMetadata, metadataFromText, metadataToText } from "../../services/HourMetadata.ts"
import { addDigests, type LinesDigest, noLines, sameLines } from "../../services/LinesDigest.ts"
import { isNotFound, ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Staging } from "../../services/Staging.ts"
import { Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import type { LandedLines } from "../resolve/conflictMarks.ts"
import { countBytes } from "../run/countBytes.ts"
import { takeInventory } from "../plan/inventory.ts"
import { Empty, Landed } from "../run/HourOutcome.ts"
import { LandingError } from "../run/LandingError.ts"
import type { Retryable } from "../run/retryPolicy.ts"
import { Run } from "../run/Run.ts"
import { countLanded, inSpanEach } from "../run/telemetry.ts"
import { formatOf, refuseAsConflict } from "./refuseAsConflict.ts"

/** An hour's object, ready to be put. */
export interface HourToLand<E> {
  readonly key: string
  /** In bytes. */
  readonly size: number
  readonly metadata: HourMetadata
  /** Can be run more than once. */
  readonly body: Stream.Stream<Uint8Array, E>
  /** The same in memory that is used again, as `NewObject.lent` says. */
  readonly lent?: Stream.Stream<Uint8Array, E> | undefined
  /** A file of the store with the same bytes. */
  readonly draft?: string | undefined
}

/**
 * Lands an hour at most once: `true` if this call created its object and verified it, `false` if
 * the store has the same hour or a newer version of it. A different hour under the key fails as
 * `Conflict`: nothing is overwritten, our version is kept in staging under `failed_uploads/`, and
 * the store keeps a mark. With `replacing`, the object with that etag is replaced instead.
 */
export const landObject = Effect.fn("landObject")(function* <E extends Retryable>(
  store: ObjectStorage["Type"],
  hour: HourToLand<E>,
  replacing?: string
): Effect.fn.Return<
  boolean,
  LandingError | ObjectStorageError | UnpackerError | E,
  Clock | Run | Staging | ObjectStorage | Unpacker
> {
  const { log } = yield* Run
  const { key, size, metadata } = hour
  if (yield* putVerified(store, hour, replacing)) {
    // An interruption finds both done or neither.
    yield* Effect.uninterruptible(
      Effect.zipRight(countLanded(metadata), log.ended(outcomeOfNew(metadata)))
    )
    return true
  }
  const landed = yield* readLanded(store, [key], { size, sha256: metadata.sha256 }).pipe(
    Effect.asSome,
    Effect.catchIf(isNotFound, (error) =>
      Effect.flatMap(isMoved(store, metadata), (moved) =>
        moved ? Effect.succeedNone : Effect.fail(error)
      )
    )
  )
  if (Option.isNone(landed) || hasSameLines(landed.value, metadata)) return false

  return yield* refuseAsConflict(store, hour, { keys: [key], lines: landed.value })
})

/**
 * Puts an hour's object and looks it up afterwards; `false` if the key is taken, or the object to
 * replace has changed.
 */
export const putVerified = Effect.fn("putVerified")(function* <E extends Retryable>(
  store: ObjectStorage["Type"],
  hour: HourToLand<E>,
  replacing?: string
): Effect.fn.Return<boolean, LandingError | ObjectStorageError | E, Run | Staging | ObjectStorage> {
  const { retry } = yield* Run
  const { draft, key, lent, size, metadata } = hour
  const { sent } = yield* Progress
  let read = 0
  const count = (bytes: number) => {
    read += bytes
    sent(bytes)
  }
  const object = {
    key,
    size,
    sha256: metadata.sha256,
    metadata: metadataToText(metadata),
    body: countBytes(hour.body, count),
    lent: lent === undefined ? undefined : countBytes(lent, count),
    draft
  }
  const put = store
    .put(object, { replacing })
    .pipe(inSpanEach("put", { hour: metadata.hour, key, bytes: size, events: metadata.events }))
  if (!(yield* retry(put))) return false
  if (read === 0) sent(size)
  const head = yield* retry(store.head(key))
  const isWhole = Option.exists(
    head,
    (it) => it.size === size && it.metadata["sha256"] === metadata.sha256
  )
  if (isWhole || (Option.isNone(head) && (yield* isMoved(store, metadata)))) return true
  return yield* new LandingError({
    reason: "NotVerified",
    detail: `"${key}" in ${store.place} does not match what was uploaded; inspect it, delete it and run again`
  })
})

/** The outcome of an hour whose object was just created. */
export function outcomeOfNew({ bytes, events, hour }: HourMetadata): Landed | Empty {
  return events === 0 ? new Empty({ hour }) : new Landed({ hour, events, bytes })
}

/** Whether a file that was just staged is gone because another run moved its hour to the store. */
const isMoved = Effect.fnUntraced(function* (from: ObjectStorage["Type"], { hour }: HourMetadata) {
  const { retry } = yield* Run
  if (from !== (yield* Staging)) return false
  return (yield* retry(takeInventory(yield* ObjectStorage))).has(hour)
})

/** Whether the store's lines can be read and are these. */
export function hasSameLines(landed: LandedLines, ours: LinesDigest): boolean {
  return Either.isRight(landed) && sameLines(landed.right, ours)
}

/** Like `digestLanded`, but an object that is broken is an answer, not a failure. */
export const readLanded = (
  ...args: Parameters<typeof digestLanded>
): Effect.Effect<LandedLines, ObjectStorageError | UnpackerError, Run | Unpacker> =>
  digestLanded(...args).pipe(
    Effect.map(Either.right),
    Effect.catchIf(
      (error) => error._tag === "UnpackerError" && error.reason !== "Unreadable",
      (error) => Effect.succeed(Either.left(error as UnpackerError))
    )
  )

/**
 * The digest of an hour in a store: from the metadata of its objects, or read back if there are
 * none or the object's size differs from them. `ours` is what this run would put.
 */
export const digestLanded = Effect.fn("digestLanded")(function* (
  store: ObjectStorage["Type"],
  keys: ReadonlyArray<string>,
  ours?: { readonly size: number; readonly sha256: string }
): Effect.fn.Return<LinesDigest, ObjectStorageError | UnpackerError, Run | Unpacker> {
  const { retry } = yield* Run
  const unpacker = yield* Unpacker
  const digests = yield* Effect.forEach(keys, (key) =>
    Effect.gen(function* () {
      const format = formatOf(key)
      const head = yield* retry(store.head(key))
      const metadata = Option.flatMap(head, ({ size, metadata }) =>
        Option.filter(metadataFromText(metadata), ({ bytes, sha256 }) =>
          sha256 === ours?.sha256 ? size === ours.size : format !== "jsonl" || size === bytes
        )
      )
      if (Option.isSome(metadata)) return metadata.value
      return yield* retry(unpacker.digest(key, store.get(key), format))
    })
  )
  return digests.reduce<LinesDigest>(addDigests, noLines)
})
