import { Effect, Option, Stream } from "effect"
import { CopyTarget } from "../../services/CopyTarget.ts"
import { hourKey, type Format, type Layout } from "../../services/HourKey.ts"
import { HourMetadata, metadataFromText, metadataToText } from "../../services/HourMetadata.ts"
import { sameLines } from "../../services/LinesDigest.ts"
import {
  addressOf,
  type ObjectHead,
  ObjectStorage,
  ObjectStorageError
} from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Unpacker, UnpackerError } from "../../services/Unpacker.ts"
import { differences } from "../inspect/verifyObject.ts"
import { digestLanded } from "../land/landObject.ts"
import { emptyObject } from "../plan/emptyObject.ts"
import type { HourObject } from "../plan/inventory.ts"
import { countBytes } from "../run/countBytes.ts"
import { LandingError } from "../run/LandingError.ts"
import type { Retryable } from "../run/retryPolicy.ts"
import { Run } from "../run/Run.ts"
import { recode } from "./recode.ts"

/** How hours are named and stored in the target; as in the source where it does not say. */
export interface TargetForm {
  readonly layout?: Layout | undefined
  readonly format?: Format | undefined
}

export interface CopiedHour {
  readonly _tag: "Copied" | "Skipped"
  /** Lines, if metadata tell. */
  readonly events: number
  /** In the target. */
  readonly bytes: number
  /** Whether another pipeline landed it, so that it has no metadata to compare with. */
  readonly isForeign: boolean
}

/** The key of an object in the target. Amplitude's parts keep theirs, because they have no other form. */
export function targetKey({ form, format, hour, key }: HourObject, target: TargetForm): string {
  return form === "parts" ? key : hourKey(hour, target.layout ?? form, target.format ?? format)
}

/**
 * Copies the objects of an hour that the target does not have. If it has the hour, in whatever form,
 * the lines are compared, and others fail as `Conflict`: nothing is changed.
 */
export const copyHour = Effect.fn("copyHour")(function* (
  objects: ReadonlyArray<HourObject>,
  standing: ReadonlyArray<HourObject>,
  form: TargetForm
) {
  const left = objects.filter(
    (object) => !standing.some(({ key }) => key === targetKey(object, form))
  )
  // Of several parts, a killed run may have copied some.
  const isPartial = standing.length < objects.length && standing.every((it) => it.form === "parts")
  if (standing.length > 0 && !isPartial) return yield* compareHour(objects, standing)
  let [events, bytes, isForeign] = [0, 0, false]
  for (const object of left) {
    const copied = yield* copyObject(object, form)
    if (copied === undefined) return yield* compareHour(objects, [standingAt(object, form)])
    events += copied.events
    bytes += copied.bytes
    isForeign ||= copied.isForeign
  }
  return { _tag: "Copied", events, bytes, isForeign } satisfies CopiedHour
})

function standingAt(object: HourObject, form: TargetForm): HourObject {
  return { ...object, key: targetKey(object, form) }
}

function keysOf(objects: ReadonlyArray<HourObject>): ReadonlyArray<string> {
  return objects.map(({ key }) => key)
}

/** Skips an hour whose lines the target has, or had before they were replaced there. */
const compareHour = Effect.fnUntraced(function* (
  objects: ReadonlyArray<HourObject>,
  standing: ReadonlyArray<HourObject>
) {
  const [source, target] = [yield* ObjectStorage, yield* CopyTarget]
  const { retry } = yield* Run
  const ours = yield* digestLanded(source, keysOf(objects))
  const theirs = yield* digestLanded(target, keysOf(standing))
  const skipped = {
    _tag: "Skipped",
    events: 0,
    bytes: 0,
    isForeign: false
  } satisfies CopiedHour
  if (sameLines(ours, theirs)) return skipped
  const [one, ...more] = standing
  if (one !== undefined && more.length === 0) {
    const head = yield* retry(target.head(one.key))
    const replaces = Option.match(
      Option.flatMap(head, ({ metadata }) => metadataFromText(metadata)),
      { onNone: (): ReadonlyArray<string> => [], onSome: (it) => it.replaces }
    )
    if (replaces.includes(ours.lineset)) {
      yield* Effect.logInfo("The target has a newer version of the hour, which stays")
      return skipped
    }
  }
  const addresses = keysOf(standing).map((key) => `"${addressOf(target, key)}"`)
  return yield* new LandingError({
    reason: "Conflict",
    detail: `${addresses.join(" and ")} has ${theirs.events} events (lineset ${theirs.lineset}), the source ${ours.events} (lineset ${ours.lineset}); nothing was changed: compare them, and copy to another prefix or remove the one that is wrong`
  })
})

/** `undefined` if the key is taken by now. */
const copyObject = Effect.fnUntraced(function* (object: HourObject, form: TargetForm) {
  const source = yield* ObjectStorage
  const { retry } = yield* Run
  const { key } = object
  const head = yield* retry(source.head(key))
  if (Option.isNone(head)) {
    const detail = "it was listed, and is gone; run again"
    const path = addressOf(source, key)
    return yield* new ObjectStorageError({ reason: "NotFound", method: "head", path, detail })
  }
  const prepared = yield* prepare(object, head.value, form)
  const isPut = yield* putCopy(targetKey(object, form), prepared).pipe(
    Effect.catchIf(
      (error) => error._tag === "ObjectStorageError" && error.reason === "Corrupt",
      ({ message }) => corrupt(addressOf(source, key), [message])
    )
  )
  if (!isPut) return undefined
  const isForeign = Option.isNone(metadataFromText(prepared.metadata))
  return { events: prepared.events, bytes: prepared.size, isForeign }
})

interface Prepared<E> {
  readonly size: number
  readonly sha256: string
  /** Lines, if metadata tell. */
  readonly events: number
  readonly metadata: Readonly<Record<string, string>>
  readonly body: Stream.Stream<Uint8Array, E>
}

/** What is put in the target: bytes whose size and digest are known, with the metadata of the lines. */
const prepare = Effect.fnUntraced(function* (
  { form: named, format, hour, key }: HourObject,
  { metadata: text, size }: ObjectHead,
  form: TargetForm
): Effect.fn.Return<
  Prepared<ObjectStorageError | UnpackerError>,
  ObjectStorageError | UnpackerError,
  ObjectStorage | Run | Unpacker
> {
  const source = yield* ObjectStorage
  const { retry } = yield* Run
  const unpacker = yield* Unpacker
  const to = named === "parts" ? format : (form.format ?? format)
  const metadata = Option.getOrUndefined(metadataFromText(text))
  if (metadata !== undefined && metadata.hour !== hour) {
    return yield* corrupt(addressOf(source, key), [`its metadata is for ${metadata.hour}`])
  }
  const stored = countBytes(source.get(key), (yield* Progress).received)
  // The digest of the bytes stands for the lines: the put fails unless it has read these bytes.
  if (metadata !== undefined && to === format) {
    return { size, sha256: metadata.sha256, events: metadata.events, metadata: text, body: stored }
  }
  const body =
    metadata?.events === 0 && metadata.bytes === 0
      ? emptyObject(to).body
      : recode(stored, format, to).pipe(
          Stream.mapError((error) =>
            error._tag === "RecodeFailure"
              ? new UnpackerError({ reason: "Corrupt", path: key, detail: error.message })
              : error
          )
        )
  const read = yield* retry(unpacker.digest(key, body, to))
  const { events, sha256 } = read
  if (metadata === undefined) return { size: read.size, sha256, events: 0, metadata: text, body }
  const problems = differences(hour, { ...metadata, sha256 }, read)
  if (problems.length > 0) return yield* corrupt(addressOf(source, key), problems)
  const recoded = metadataToText(new HourMetadata({ ...metadata, sha256 }))
  return { size: read.size, sha256, events, metadata: { ...text, ...recoded }, body }
})

function corrupt(path: string, problems: ReadonlyArray<string>): ObjectStorageError {
  const detail = `it is not what its metadata say, and was not copied: ${problems.join("; ")}`
  return new ObjectStorageError({ reason: "Corrupt", method: "get", path, detail })
}

/** Puts an object if its key is free, and looks it up afterwards. */
export const putCopy = Effect.fnUntraced(function* <E extends Retryable>(
  key: string,
  { body, metadata, sha256, size }: Omit<Prepared<E>, "events">
) {
  const target = yield* CopyTarget
  const { retry } = yield* Run
  const sent = countBytes(body, (yield* Progress).sent)
  if (!(yield* retry(target.put({ key, size, sha256, metadata, body: sent })))) return false
  const head = yield* retry(target.head(key))
  if (Option.exists(head, (it) => it.size === size)) return true
  return yield* new LandingError({
    reason: "NotVerified",
    detail: `"${addressOf(target, key)}" does not match what was copied; inspect it, delete it and run again`
  })
})
