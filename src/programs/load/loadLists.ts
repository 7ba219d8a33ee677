import { Effect, Option, Stream } from "effect"
import { referenceStreams } from "../../services/Amplitude.ts"
import { Hour } from "../../services/Hour.ts"
import type { StoredList } from "../../services/LakeMark.ts"
import { addressOf, ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { type OpenWarehouse, ReferenceList } from "../../services/Warehouse.ts"
import type { Lake } from "../plan/inventory.ts"
import { inShard, type Shard } from "../plan/Shard.ts"
import { isPlannedStop, type RunError } from "../run/failureKind.ts"
import { Run } from "../run/Run.ts"
import { sha256Of } from "../run/sha256Of.ts"
import { joinBytes } from "../run/splitLines.ts"
import { entriesIn } from "../snapshot/listEntries.ts"
import { isOfWarehouse } from "./endHours.ts"
import type { ListName, ListOutcome } from "./ListSummary.ts"
import { LoadError } from "./LoadError.ts"

interface ListsToKnow {
  readonly shard?: Shard | undefined
  readonly replace?: Hour | undefined
  readonly reconcile?: boolean | undefined
}

/**
 * The stored lists that are dated within a run's hours. None if the store has no hours, since no warehouse
 * belongs to it yet, and none if a single hour is replaced or a pipe is reconciled.
 */
export function listsToKnow(
  { inventory, lists }: Lake,
  { reconcile = false, replace, shard }: ListsToKnow,
  {
    first = "",
    last = "9"
  }: { readonly first: string | undefined; readonly last: string | undefined }
): ReadonlyArray<StoredList> {
  if (reconcile || replace !== undefined || inventory.size === 0) return []
  const isInShard = inShard(shard)
  return lists.filter(
    ({ date }) =>
      first.slice(0, 10) <= date && date <= last.slice(0, 10) && isInShard(Hour.make(`${date}T00`))
  )
}

/** Those of some lists that are not loaded. */
export function notLoaded<A extends ListName>(
  known: ReadonlyArray<A>,
  rows: ReadonlyArray<ListName>
): ReadonlyArray<A> {
  const loaded = new Set(rows.map(nameOf))
  return known.filter((it) => !loaded.has(nameOf(it)))
}

function nameOf({ date, stream }: ListName): string {
  return `${date}/${stream}`
}

interface LoadLists {
  readonly warehouse: OpenWarehouse
  /** The store's prefix. Defaults to none. */
  readonly prefix?: string | undefined
  /** In milliseconds since 1970. */
  readonly now: number
}

/** Loads the lists that are not loaded. One that fails stops no other; a warehouse that fails does. */
export const loadLists = Effect.fnUntraced(function* (
  known: ReadonlyArray<StoredList>,
  outcomes: Array<ListOutcome>,
  options: LoadLists
): Effect.fn.Return<void, RunError, ObjectStorage | Run> {
  if (known.length === 0) return
  const { retry } = yield* Run
  const missing = new Set(notLoaded(known, yield* retry(options.warehouse.lists)))
  let isOver = false
  for (const list of known) {
    const { date, stream } = list
    let isLoaded = false
    const ended = (outcome: { readonly _tag: "Loaded" | "Skipped" | "Postponed" }) =>
      Effect.sync(() => {
        // A list may have been committed just before the time was over.
        if (isLoaded) return
        isLoaded = outcome._tag === "Loaded"
        outcomes.push({ ...outcome, date, stream })
      })
    if (!missing.has(list)) yield* ended({ _tag: "Skipped" })
    else if (isOver) yield* ended({ _tag: "Postponed" })
    else {
      yield* loadList(list, options, ended({ _tag: "Loaded" })).pipe(
        Effect.catchAll((error: RunError) => {
          if (isPlannedStop(error)) {
            isOver = true
            return ended({ _tag: "Postponed" })
          }
          if (isOfWarehouse(error)) return Effect.fail(error)
          outcomes.push({ _tag: "Failed", date, stream, error })
          return Effect.logError(error.message)
        }),
        Effect.annotateLogs({ list: nameOf(list) })
      )
    }
  }
})

const loadList = Effect.fnUntraced(function* (
  list: StoredList,
  { now, prefix = "", warehouse }: LoadLists,
  ended: Effect.Effect<void>
) {
  const { beforeDeadline, retry } = yield* Run
  const { entries, sha256 } = yield* beforeDeadline(retry(readList(list)))
  const row = new ReferenceList({
    date: list.date,
    stream: list.stream,
    key: prefix + list.key,
    entries: entries.length,
    sha256,
    loadedAt: now
  })
  const once = Effect.uninterruptible(Effect.zipRight(warehouse.loadList(row, entries), ended))
  yield* beforeDeadline(retry(once))
})

/** The entries of a list, if they are those that the object's metadata announce. */
const readList = Effect.fnUntraced(function* ({ key, stream }: StoredList) {
  const store = yield* ObjectStorage
  const path = addressOf(store, key)
  const differs = (problem: string) => {
    const detail = `"${path}" is not what its metadata say: ${problem}`
    return new LoadError({ reason: "Differs", detail })
  }
  const head = yield* store.head(key)
  if (Option.isNone(head)) {
    const detail = "it was removed after the store was listed"
    return yield* new ObjectStorageError({ reason: "NotFound", method: "head", path, detail })
  }
  const { records, sha256: expected } = head.value.metadata
  if (records === undefined || expected === undefined) {
    return yield* differs("they name no number of records and no SHA-256")
  }
  const bytes = joinBytes([...(yield* Stream.runCollect(store.get(key)))])
  const sha256 = yield* sha256Of(bytes)
  if (sha256 !== expected) {
    return yield* differs(`its SHA-256 is ${sha256} instead of ${expected}`)
  }
  const { field } = referenceStreams[stream]
  const entries = entriesIn(bytes, field)
  if (entries === undefined) return yield* differs(`it is no JSON with a list under "${field}"`)
  if (String(entries.length) !== records) {
    return yield* differs(`it has ${entries.length} entries instead of ${records}`)
  }
  return { entries, sha256 }
})
