import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { metadataFromText } from "../../services/HourMetadata.ts"
import { byKey, ObjectStorage, type ObjectStorageError } from "../../services/ObjectStorage.ts"
import type { LoadedHour } from "../../services/Warehouse.ts"
import type { HourObject } from "../plan/inventory.ts"
import { Run } from "../run/Run.ts"
import {
  type DecideOptions,
  type Decision,
  decideLoad,
  inListing,
  type InStore
} from "./decideLoad.ts"
import { LoadError } from "./LoadError.ts"

/** An hour that store or ledger have. */
export interface KnownHour {
  readonly hour: Hour
  readonly objects: ReadonlyArray<HourObject>
  readonly row: LoadedHour | undefined
}

/** What becomes of an hour, and what that was decided by. */
export interface Looked extends KnownHour {
  readonly store: InStore
  readonly decision: Decision
}

/**
 * Decides about an hour. Its object is looked up unless the listing says enough, as it does of an
 * hour that is loaded from just this object.
 */
export const lookUp = Effect.fnUntraced(function* (
  known: KnownHour,
  options: DecideOptions
): Effect.fn.Return<Looked, ObjectStorageError | LoadError, Run | ObjectStorage> {
  const objects = [...known.objects].sort(byKey)
  const row = options.replace === true ? undefined : known.row
  const listed = inListing(objects, row)
  const store = listed ?? (yield* lookAtObject(known.hour, objects))
  return { ...known, objects, store, decision: decideLoad(store, known.row, options) }
})

const lookAtObject = Effect.fnUntraced(function* (
  hour: Hour,
  [object]: ReadonlyArray<HourObject>
): Effect.fn.Return<InStore, ObjectStorageError | LoadError, Run | ObjectStorage> {
  const { retry } = yield* Run
  const storage = yield* ObjectStorage
  const key = object?.key ?? ""
  const head = yield* retry(storage.head(key))
  if (Option.isNone(head)) return { _tag: "Nothing" }
  const { etag, metadata: text } = head.value
  const metadata = metadataFromText(text)
  if (Option.isSome(metadata)) {
    return { _tag: "Ours", etag, metadata: metadata.value }
  }
  if (text["lineset"] === undefined) return { _tag: "Unverified", etag }
  return yield* new LoadError({
    reason: "Differs",
    detail: `${hour}: the metadata of "${key}" are from this program but cannot be parsed`
  })
})
