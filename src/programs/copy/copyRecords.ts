import { Effect, Option, Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { CopyTarget } from "../../services/CopyTarget.ts"
import { conflictName, conflictOf, isLakeKey, markKey, markOfKey } from "../../services/LakeMark.ts"
import { ObjectStorage, SHA256_OF_NOTHING } from "../../services/ObjectStorage.ts"
import { Unpacker } from "../../services/Unpacker.ts"
import { fingerprintOf } from "../plan/fingerprint.ts"
import type { HourObject, Inventory } from "../plan/inventory.ts"
import { Run } from "../run/Run.ts"
import { putCopy } from "./copyHour.ts"

/**
 * Copies what people decided and what was replaced, and returns how many records were new. A
 * conflict and its decision name the store's object by its ETag, so they get the one that it has in
 * the target. Those about an object that is gone, or between several objects, stay behind.
 */
export const copyRecords = Effect.fn("copyRecords")(function* (standing: {
  readonly source: Inventory
  readonly target: Inventory
}) {
  const source = yield* ObjectStorage
  const target = yield* CopyTarget
  const { retry } = yield* Run
  const there = new Set<string>()
  const keys: Array<string> = []
  yield* retry(Stream.runForEach(target.list, ({ key }) => Effect.sync(() => void there.add(key))))
  yield* retry(
    Stream.runForEach(source.list, ({ key }) =>
      Effect.sync(() => {
        if (isLakeKey(key)) keys.push(key)
      })
    )
  )
  let copied = 0
  for (const key of keys.sort()) {
    const record = yield* recordInTarget(key, standing)
    if (record === undefined || there.has(record.key)) continue
    if (yield* copyRecord(key, record)) copied += 1
  }
  return copied
})

interface TargetRecord {
  readonly key: string
  /** What its metadata say otherwise than in the source. */
  readonly text?: Readonly<Record<string, string>>
}

/** `undefined` for a record that says nothing about the target. */
const recordInTarget = Effect.fnUntraced(function* (
  key: string,
  { source, target }: { readonly source: Inventory; readonly target: Inventory }
): Effect.fn.Return<TargetRecord | undefined> {
  const mark = Option.getOrUndefined(markOfKey(key))
  if (mark === undefined || mark.folder === "accepted" || mark.folder === "withdrawn") {
    return { key }
  }
  const conflict = Option.getOrUndefined(conflictOf(mark.name))
  // A choice between several objects: only the chosen one is copied.
  if (conflict === undefined) return undefined
  const isOfThese = (yield* fingerprintIn(source, conflict.hour)) === conflict.fingerprint
  const fingerprint = yield* fingerprintIn(target, conflict.hour)
  if (!isOfThese || fingerprint === undefined) return undefined
  const keys = (target.get(conflict.hour) ?? []).map((object) => object.key)
  return {
    key: markKey(mark.folder, conflictName(conflict.hour, conflict.lineset, fingerprint)),
    text: mark.folder === "conflicts" ? { keys: encodeURIComponent(keys.join("\n")) } : {}
  }
})

const fingerprintIn = (inventory: Inventory, hour: Hour): Effect.Effect<string | undefined> => {
  const objects: ReadonlyArray<HourObject> = inventory.get(hour) ?? []
  return objects.length === 0 ? Effect.succeed(undefined) : fingerprintOf(objects)
}

const copyRecord = Effect.fnUntraced(function* (key: string, { key: name, text }: TargetRecord) {
  const source = yield* ObjectStorage
  const { retry } = yield* Run
  const head = yield* retry(source.head(key))
  if (Option.isNone(head)) return false
  const { size } = head.value
  const metadata = { ...head.value.metadata, ...text }
  const body = source.get(key)
  if (size === 0) {
    return yield* putCopy(name, { size, sha256: SHA256_OF_NOTHING, metadata, body: Stream.empty })
  }
  const unpacker = yield* Unpacker
  // As plain lines, because only the digest of the bytes matters.
  const { sha256 } = yield* retry(unpacker.digest(key, body, "jsonl"))
  return yield* putCopy(name, { size, sha256, metadata, body })
})
