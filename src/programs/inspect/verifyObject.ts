import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { type HourMetadata, metadataFromText } from "../../services/HourMetadata.ts"
import type { ObjectHead, ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { type ObjectDigest, Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import type { HourObject } from "../plan/inventory.ts"
import { countBytes } from "../run/countBytes.ts"
import { Run } from "../run/Run.ts"

type Read = ObjectDigest

/** The result for one object. */
export type Found =
  | { readonly _tag: "Same"; readonly read: Read }
  | { readonly _tag: "Foreign"; readonly read: Read; readonly etag: string }
  | {
      readonly _tag: "Differs"
      readonly problems: ReadonlyArray<string>
      readonly read?: Read | undefined
    }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Unread"; readonly error: ObjectStorageError | UnpackerError }

/**
 * Reads an object back, in constant memory, and compares it with its metadata. Without these its lines
 * are parsed, or with `parse`.
 */
export const verifyObject = (
  store: ObjectStorage["Type"],
  object: HourObject,
  parse = false
): Effect.Effect<Found, never, Run | Unpacker> =>
  Effect.gen(function* () {
    const { key, format } = object
    const { retry } = yield* Run
    const unpacker = yield* Unpacker
    const progress = yield* Progress
    const head = yield* retry(store.head(key))
    if (Option.isNone(head)) return { _tag: "Gone" } as const
    const { etag, metadata, size } = head.value
    const body = countBytes(store.get(key), progress.received)
    const options = { parse: parse || Option.isNone(metadataFromText(metadata)), size }
    const found = yield* retry(unpacker.digest(key, body, format, options)).pipe(
      Effect.map((read) => judge(object, { etag, size, metadata }, read)),
      Effect.catchTag("UnpackerError", (error) =>
        Effect.succeed<Found>(
          // A thread that ended says nothing about the object.
          error.reason === "Unreadable"
            ? { _tag: "Unread", error }
            : { _tag: "Differs", problems: [error.detail] }
        )
      )
    )
    if (found._tag !== "Differs") return found
    // Another run may have replaced an empty hour between the two lookups.
    const now = yield* retry(store.head(key))
    const isSame = Option.exists(now, (it) => it.etag === etag)
    return isSame ? found : yield* verifyObject(store, object, parse)
  }).pipe(
    Effect.catchTag("ObjectStorageError", (error) =>
      Effect.succeed<Found>(
        error.reason === "Corrupt"
          ? { _tag: "Differs", problems: [error.detail] }
          : error.reason === "NotFound"
            ? { _tag: "Gone" }
            : { _tag: "Unread", error }
      )
    ),
    Effect.tap((found) => Effect.logDebug(`Read "${object.key}" back: ${found._tag}`))
  )

/** Compares what was read with the object's metadata. */
function judge(
  { hour }: HourObject,
  { etag, metadata: text, size }: Pick<ObjectHead, "etag" | "metadata" | "size">,
  read: Read
): Found {
  const metadata = metadataFromText(text)
  const problems = read.size === size ? [] : [`read ${read.size} of ${size} bytes`]
  if (Option.isSome(metadata)) problems.push(...differences(hour, metadata.value, read))
  else if (text["lineset"] !== undefined) {
    problems.push("its metadata is from this program but cannot be parsed")
  } else if (read.invalid !== undefined && read.invalid > 0) {
    problems.push(`${read.invalid} of its ${read.events} lines are not JSON objects`)
  }
  if (problems.length > 0) return { _tag: "Differs", problems, read }
  return Option.isSome(metadata) ? { _tag: "Same", read } : { _tag: "Foreign", read, etag }
}

const COMPARED = ["bytes", "events", "malformed", "lineset", "sha256"] as const

/** How what was read of an hour differs from what its metadata say. */
export function differences(
  hour: Hour,
  says: Pick<HourMetadata, (typeof COMPARED)[number] | "hour">,
  read: Pick<Read, (typeof COMPARED)[number]>
): ReadonlyArray<string> {
  return [
    ...(says.hour === hour ? [] : [`its metadata is for ${says.hour}`]),
    ...COMPARED.filter((name) => says[name] !== read[name]).map(
      (name) => `${name} ${shown(read[name])}, metadata says ${shown(says[name])}`
    )
  ]
}

/** A number, or the beginning of a digest. */
function shown(value: number | string): string {
  const text = String(value)
  return text.length > 16 ? `${text.slice(0, 16)}…` : text
}
