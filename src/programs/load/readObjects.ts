import { Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { Format } from "../../services/HourKey.ts"
import type { HourMetadata } from "../../services/HourMetadata.ts"
import { addDigests, type LinesDigest, noLines } from "../../services/LinesDigest.ts"
import { ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import type { HourObject } from "../plan/inventory.ts"
import { countBytes } from "../run/countBytes.ts"
import { differences } from "../inspect/verifyObject.ts"
import { LoadError } from "./LoadError.ts"

const NEWLINE = new Uint8Array([10])

/** What was read of an hour's objects. */
export interface ReadLines extends LinesDigest {
  /** Of the bytes of each object, separated by commas. */
  readonly sha256: string
}

/**
 * Reads an hour's objects in order, as one run of lines, in constant memory. `onLines` receives the
 * lines, split anywhere.
 */
export const readObjects = Effect.fnUntraced(function* <E, R>(
  objects: ReadonlyArray<HourObject>,
  onLines: (lines: Uint8Array) => Effect.Effect<void, E, R>
): Effect.fn.Return<
  ReadLines,
  E | ObjectStorageError | UnpackerError,
  R | ObjectStorage | Unpacker
> {
  const store = yield* ObjectStorage
  const unpacker = yield* Unpacker
  const progress = yield* Progress
  let sum = noLines
  const digests: Array<string> = []
  for (const { format, key, size } of objects) {
    // The line before it may lack its newline.
    if (digests.length > 0) yield* onLines(NEWLINE)
    const body = countBytes(store.get(key), progress.received)
    const read = yield* unpacker.digest(key, body, format, { onLines, size })
    sum = addDigests(sum, read)
    digests.push(read.sha256)
  }
  return { ...sum, sha256: digests.join(",") }
})

/** What an hour's objects are said to hold. */
export type Announced = Pick<
  HourMetadata,
  "hour" | "bytes" | "events" | "malformed" | "lineset" | "sha256"
>

/** Reads an hour's objects, and fails if they are not what was announced. */
export const readAnnounced = Effect.fnUntraced(function* <E, R>(
  hour: Hour,
  objects: ReadonlyArray<HourObject>,
  announced: Announced,
  onLines: (lines: Uint8Array) => Effect.Effect<void, E, R>
) {
  const read = yield* readObjects(objects, onLines)
  const problems = differences(hour, announced, read)
  if (problems.length === 0) return
  const keys = objects.map(({ key }) => `"${key}"`).join(", ")
  return yield* new LoadError({
    reason: "Differs",
    detail: `${hour}: ${keys} is not what its metadata say: ${problems.join("; ")}`
  })
})

/** The format of an hour's objects. Parts of one hour have one. */
export function formatOf([first]: ReadonlyArray<HourObject>): Format {
  return first?.format ?? "jsonl"
}
