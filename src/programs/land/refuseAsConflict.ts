import { Effect, Either, Option } from "effect"
import type { Clock } from "../../services/Clock.ts"
import type { Hour } from "../../services/Hour.ts"
import { type Format, hourOfKey } from "../../services/HourKey.ts"
import { type HourMetadata, metadataFromText, metadataToText } from "../../services/HourMetadata.ts"
import { sameLines } from "../../services/LinesDigest.ts"
import {
  addressOf,
  type ObjectHead,
  ObjectStorage,
  type ObjectStorageError
} from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import { Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import { originOf } from "../plan/stagedHours.ts"
import { isResolved, type LandedLines, markConflict } from "../resolve/conflictMarks.ts"
import { LandingError } from "../run/LandingError.ts"
import type { Retryable } from "../run/retryPolicy.ts"
import { Run } from "../run/Run.ts"
import { differingLines } from "./differingLines.ts"
import type { HourToLand } from "./landObject.ts"

/** The objects of an hour in a store, and what is in them. */
export interface LandedVersion {
  readonly keys: ReadonlyArray<string>
  readonly lines: LandedLines
}

/**
 * Settles what happens to an hour that differs from the store's version. `false` if ours is not
 * needed: the store's object has replaced it, or a person has chosen the store's. Otherwise keeps a
 * copy of ours in staging below `failed_uploads/`, marks the conflict in the store and fails as
 * `Conflict`. The caller may remove the original only if the mark was recorded, too.
 */
export const refuseAsConflict = Effect.fn("refuseAsConflict")(function* <E extends Retryable>(
  store: ObjectStorage["Type"],
  ours: HourToLand<E>,
  { keys, lines }: LandedVersion
): Effect.fn.Return<
  false,
  LandingError | ObjectStorageError | UnpackerError | E,
  Clock | ObjectStorage | Run | Staging | Unpacker
> {
  const { retry } = yield* Run
  const staging = yield* Staging
  const { metadata } = ours
  const { hour } = metadata
  const objects = (yield* Effect.forEach(keys, (key) => retry(store.head(key)))).flatMap((it) =>
    Option.toArray(it)
  )
  if (objects.some((object) => hasReplaced(object, metadata))) {
    yield* Effect.logInfo(`The store has replaced this version of ${hour} by a newer one`)
    return false
  }
  if (yield* isResolved(store, { hour, ours: metadata, objects })) {
    yield* Effect.logInfo(`This version of ${hour} was dropped for the store's by a person`)
    return false
  }
  const copy = addressOf(staging, yield* keepCopy(ours))
  const isRecorded = yield* markConflict(store, {
    hour,
    ours: metadata,
    landed: lines,
    objects,
    copy
  })
  const differing = yield* differenceOf(store, ours, { keys, lines })
  return yield* conflictError({
    hour,
    addresses: keys.map((key) => addressOf(store, key)),
    lines,
    ours: metadata,
    isRecorded,
    more: `${differing === "" ? "" : ` The first lines that differ, by uuid: ${differing}.`} Nothing was overwritten; ours is kept as "${copy}"`
  })
})

/** Whether an object has replaced the version with these lines, directly or through others. */
export function hasReplaced(
  { metadata }: Pick<ObjectHead, "metadata">,
  { lineset }: Pick<HourMetadata, "lineset">
): boolean {
  return Option.exists(metadataFromText(metadata), ({ replaces }) => replaces.includes(lineset))
}

/** Whether lines were removed from an object because they were about a person. */
export function isRedacted({ metadata }: Pick<ObjectHead, "metadata">): boolean {
  return metadata["redacted"] !== undefined
}

interface ConflictOptions {
  readonly hour: Hour
  /** The full addresses of the store's objects. */
  readonly addresses: ReadonlyArray<string>
  readonly lines: LandedLines
  readonly ours: Pick<HourMetadata, "events" | "lineset">
  /** Whether the store has a mark of the conflict. */
  readonly isRecorded: boolean
  /** What else there is to say, beginning with a space. */
  readonly more: string
}

/** Names both versions of an hour. */
export function conflictError(options: ConflictOptions): LandingError {
  const { addresses, hour, isRecorded, lines, more, ours } = options
  const landed = Either.match(lines, {
    onLeft: ({ message }) => `an object that cannot be read: ${message}`,
    onRight: ({ events, lineset }) => `${events} events, lineset ${lineset}`
  })
  return new LandingError({
    reason: "Conflict",
    isRecorded,
    detail:
      `"${addresses.join('" and "')}" already holds a different version of ${hour} (${landed}; ` +
      `ours has ${ours.events}, lineset ${ours.lineset}).${more}`
  })
}

function differenceOf<E>(
  store: ObjectStorage["Type"],
  ours: HourToLand<E>,
  { keys, lines }: LandedVersion
): Effect.Effect<string> {
  if (Either.isLeft(lines)) return Effect.succeed("")
  const { bytes } = lines.right
  return differingLines(
    keys.map((key) => ({ format: formatOf(key), bytes, body: store.get(key) })),
    { format: formatOf(ours.key), bytes: ours.metadata.bytes, body: ours.body }
  )
}

/**
 * Keeps a copy of an hour in staging and returns its key. A copy of an earlier run counts if it is
 * this lake's and whole. Another lake's, or one that somebody changed, stays, and ours gets another
 * name.
 */
const keepCopy = Effect.fn("keepCopy")(function* <E>({
  body,
  key,
  metadata,
  size
}: HourToLand<E>): Effect.fn.Return<
  string,
  ObjectStorageError | UnpackerError | E,
  ObjectStorage | Staging | Unpacker
> {
  const { location } = yield* ObjectStorage
  const staging = yield* Staging
  const unpacker = yield* Unpacker
  for (let number = 1; ; number++) {
    const copy = failedUploadKey(key, metadata.sha256, number)
    const text = metadataToText(metadata)
    const object = { key: copy, size, sha256: metadata.sha256, metadata: text, body }
    if (yield* staging.put(object)) return copy
    const standing = yield* staging.head(copy)
    if (Option.exists(standing, (it) => originOf(it.metadata).lake !== location)) continue
    const isWhole = yield* unpacker.digest(copy, staging.get(copy), formatOf(key)).pipe(
      Effect.map((read) => read.sha256 === metadata.sha256 && sameLines(read, metadata)),
      // The copy is broken, not its source.
      Effect.catchTag("UnpackerError", () => Effect.succeed(false))
    )
    if (isWhole) return copy
  }
})

/** The format that a key says. */
export function formatOf(key: string): Format {
  return Option.match(hourOfKey(key), { onNone: () => "jsonl", onSome: ({ format }) => format })
}

/** Where the copies of refused hours are kept in staging. */
export const FAILED_UPLOADS = "failed_uploads/"

/**
 * Where the copy of a refused hour is kept in staging. The digest in the name distinguishes copies,
 * and keeps them out of every inventory.
 */
export function failedUploadKey(key: string, sha256: string, number = 1): string {
  const copy = number === 1 ? sha256.slice(0, 8) : `${sha256.slice(0, 8)}-${number}`
  return FAILED_UPLOADS + key.replace(/(?=\.jsonl(\.gz)?$)/, `.${copy}`)
}
