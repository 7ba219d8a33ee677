import { Effect, Option } from "effect"
import { HourMetadata, metadataFromText, replacing } from "../../services/HourMetadata.ts"
import { replacedKey } from "../../services/LakeMark.ts"
import {
  addressOf,
  type ObjectHead,
  type ObjectStorage,
  ObjectStorageError
} from "../../services/ObjectStorage.ts"
import { Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import { type HourToLand, putVerified } from "../land/landObject.ts"
import { hasReplaced } from "../land/refuseAsConflict.ts"
import type { Retryable } from "../run/retryPolicy.ts"
import { Run } from "../run/Run.ts"
import { ResolveError } from "./ResolveError.ts"

/** An object that is kept after it was replaced. */
interface KeptObject {
  /** Below the prefix. */
  readonly key: string
  readonly lineset: string
}

/**
 * Replaces exactly this object by an hour, which then names it in `replaces`. The old object is
 * kept and verified first. Fails as `ObjectChanged` if the store's object is another one by now,
 * unless it holds this hour already. Returns the full address of what was replaced.
 */
export const replaceObject = Effect.fn("replaceObject")(function* <E extends Retryable>(
  store: ObjectStorage["Type"],
  old: ObjectHead,
  { metadata, ...hour }: HourToLand<E>
) {
  const kept = yield* keepObject(store, old)
  const { replaces } = Option.getOrElse(metadataFromText(old.metadata), () => ({ replaces: [] }))
  const target = {
    ...hour,
    metadata: new HourMetadata({ ...metadata, replaces: replacing(kept.lineset, { replaces }) })
  }
  if (!(yield* putVerified(store, target, old.etag))) {
    const { retry } = yield* Run
    const now = yield* retry(store.head(old.key))
    const isDone = Option.exists(
      now,
      (it) => it.metadata["lineset"] === metadata.lineset && hasReplaced(it, kept)
    )
    if (!isDone) return yield* objectChanged(store, old.key)
  }
  return addressOf(store, kept.key)
})

export function objectChanged(store: ObjectStorage["Type"], key: string): ResolveError {
  return new ResolveError({
    reason: "ObjectChanged",
    detail: `"${addressOf(store, key)}" is another object than when the conflict was found; look at it, and keep the store's version or remove the object`
  })
}

/** Keeps a copy of an object beside the hours, under a key that no pipeline takes for one. */
const keepObject = Effect.fn("replaceObject.keep")(function* (
  store: ObjectStorage["Type"],
  { key, metadata, size }: ObjectHead
): Effect.fn.Return<KeptObject, ObjectStorageError | UnpackerError, Run | Unpacker> {
  const { retry } = yield* Run
  const unpacker = yield* Unpacker
  const known = metadataFromText(metadata)
  // As plain lines, so that also an object that does not inflate has a digest.
  const read = yield* retry(unpacker.digest(key, store.get(key), "jsonl"))
  const { sha256 } = read
  // Metadata of other bytes would file this object under the lineset of ours.
  const own = Option.filter(known, (it) => it.sha256 === sha256)
  const lineset = Option.match(own, { onNone: () => read.lineset, onSome: (it) => it.lineset })
  const kept = replacedKey(key, lineset)
  const text = { ...metadata, sha256 }
  yield* retry(store.put({ key: kept, size, sha256, metadata: text, body: store.get(key) }))
  const head = yield* retry(store.head(kept))
  if (Option.exists(head, (it) => it.size === size && it.metadata["sha256"] === sha256)) {
    return { key: kept, lineset }
  }
  return yield* new ObjectStorageError({
    reason: "Corrupt",
    method: "put",
    path: addressOf(store, kept),
    detail: `it is no copy of "${addressOf(store, key)}", which was not replaced; move it away and run again`
  })
})
