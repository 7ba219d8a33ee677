import { Effect, Option, type Stream } from "effect"
import { type Format, hourOfKey } from "../../services/HourKey.ts"
import { type HourMetadata, metadataFromText, metadataToText } from "../../services/HourMetadata.ts"
import { addDigests, type LinesDigest, noLines, sameLines } from "../../services/LinesDigest.ts"
import { isNotFound, ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Staging } from "../../services/Staging.ts"
import { Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import { countBytes } from "../run/countBytes.ts"
import { takeInventory } from "../plan/inventory.ts"
import { Empty, Landed } from "../run/HourOutcome.ts"
import { LandingError } from "../run/LandingError.ts"
import type { Retryable } from "../run/retryPolicy.ts"
import { Run } from "../run/Run.ts"
import { countLanded, inSpanEach } from "../run/telemetry.ts"

/** An hour's object, ready to be put. */
export interface HourToLand<E> {
  readonly key: string
  /** In bytes. */
  readonly size: number
  readonly metadata: HourMetadata
  /** Can be run more than once. */
  readonly body: Stream.Stream<Uint8Array, E>
}

/**
 * Lands an hour at most once: `true` if this call created its object and verified it, `false` if
 * the same hour was there before. A different hour under the key fails as `Conflict`: nothing is
 * overwritten, and our version is kept in staging under `failed_uploads/`. With `replacing`, the
 * object with that etag is replaced instead.
 */
export const landObject = Effect.fn("landObject")(function* <E extends Retryable>(
  store: ObjectStorage["Type"],
  hour: HourToLand<E>,
  replacing?: string
): Effect.fn.Return<
  boolean,
  LandingError | ObjectStorageError | UnpackerError | E,
  Run | Staging | ObjectStorage | Unpacker
> {
  const { log, retry } = yield* Run
  const { key, size, metadata } = hour
  const body = countBytes(hour.body, (yield* Progress).sent)
  const put = store
    .put(
      { key, size, sha256: metadata.sha256, metadata: metadataToText(metadata), body },
      { replacing }
    )
    .pipe(inSpanEach("put", { hour: metadata.hour, key, bytes: size, events: metadata.events }))
  if (yield* retry(put)) {
    const head = yield* retry(store.head(key))
    const isWhole = Option.exists(
      head,
      (it) => it.size === size && it.metadata["sha256"] === metadata.sha256
    )
    if (isWhole || (Option.isNone(head) && (yield* isMoved(store, metadata)))) {
      // An interruption finds both done or neither.
      yield* Effect.uninterruptible(
        Effect.zipRight(countLanded(metadata), log.ended(outcomeOfNew(metadata)))
      )
      return true
    }
    return yield* new LandingError({
      reason: "NotVerified",
      detail: `"${key}" in ${store.place} does not match what was uploaded; inspect it, delete it and run again`
    })
  }
  const landed = yield* digestLanded(store, [key], { size, sha256: metadata.sha256 }).pipe(
    Effect.asSome,
    Effect.catchIf(isNotFound, (error) =>
      Effect.flatMap(isMoved(store, metadata), (moved) =>
        moved ? Effect.succeedNone : Effect.fail(error)
      )
    )
  )
  if (Option.isNone(landed) || sameLines(landed.value, metadata)) return false

  return yield* refuseAsConflict(store, hour, landed.value)
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

/**
 * Keeps a copy of an hour in staging under `failed_uploads/` and fails, because the store has a
 * different version. Fails as `Conflict` only if the copy is complete: the caller may then remove
 * the original.
 */
export const refuseAsConflict = Effect.fn("refuseAsConflict")(function* <E>(
  store: ObjectStorage["Type"],
  { key, size, metadata, body }: HourToLand<E>,
  landed: LinesDigest
): Effect.fn.Return<
  never,
  LandingError | ObjectStorageError | UnpackerError | E,
  Staging | Unpacker
> {
  const staging = yield* Staging
  const unpacker = yield* Unpacker
  const copy = failedUploadKey(key, metadata.sha256)
  const isNew = yield* staging.put({
    key: copy,
    size,
    sha256: metadata.sha256,
    metadata: metadataToText(metadata),
    body
  })
  const isKept =
    isNew ||
    (yield* unpacker.digest(copy, staging.get(copy), formatOf(key)).pipe(
      Effect.map(({ sha256 }) => sha256 === metadata.sha256),
      // The copy is broken, not its source.
      Effect.catchTag("UnpackerError", () => Effect.succeed(false))
    ))
  if (!isKept) {
    return yield* new LandingError({
      reason: "NotVerified",
      detail: `"${copy}" in ${staging.place} is not the copy that was kept there; move it away and run again`
    })
  }
  return yield* new LandingError({
    reason: "Conflict",
    detail:
      `"${key}" in ${store.place} already holds a different version of this hour ` +
      `(${landed.events} events, lineset ${landed.lineset}; ` +
      `the new one has ${metadata.events}, lineset ${metadata.lineset}). ` +
      `Nothing was overwritten; compare it with "${copy}" in ${staging.place}`
  })
})

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

function formatOf(key: string): Format {
  return Option.match(hourOfKey(key), { onNone: () => "jsonl", onSome: ({ format }) => format })
}

/**
 * Where the copy of a refused hour is kept in staging. The digest in the name distinguishes copies,
 * and keeps them out of every inventory.
 */
export function failedUploadKey(key: string, sha256: string): string {
  return `failed_uploads/${key.replace(/(?=\.jsonl(\.gz)?$)/, `.${sha256.slice(0, 8)}`)}`
}
