import { Effect, Option, type Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { Format } from "../../services/HourKey.ts"
import {
  HourMetadata,
  metadataFromText,
  metadataToText,
  replacing
} from "../../services/HourMetadata.ts"
import { noLines } from "../../services/LinesDigest.ts"
import {
  addressOf,
  type ObjectHead,
  type ObjectStorage,
  ObjectStorageError
} from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { Spool, type SpoolError } from "../../services/Spool.ts"
import { type ObjectDigest, Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import { differences } from "../inspect/verifyObject.ts"
import { emptyObject } from "../plan/emptyObject.ts"
import { countBytes } from "../run/countBytes.ts"
import { Run } from "../run/Run.ts"
import { type FoundLines, searchLines } from "./lines.ts"
import { Redaction } from "./Redaction.ts"
import type { FoundLinesAt } from "./RedactionSummary.ts"

type Store = ObjectStorage["Type"]

/** An object to search. */
export interface Searched {
  readonly key: string
  readonly format: Format
  readonly place: FoundLinesAt["place"]
  readonly hour?: Hour | undefined
}

/** How often an object is searched that others change meanwhile. */
const TRIES = 3

/**
 * Searches an object and, if the redaction is applied, rewrites it without the lines that were
 * found, on the condition of its ETag.
 */
export const redactObject = Effect.fn("redactObject")(function* (store: Store, object: Searched) {
  const { isApplied, tally } = yield* Redaction
  const path = addressOf(store, object.key)
  for (let tries = 1; tries <= TRIES; tries++) {
    const searched = yield* searchObject(store, object)
    if (searched === undefined) return { etag: "", isRewritten: false }
    const { found, head, read } = searched
    const isFound = found.numbers.length > 0
    const etag = isFound && isApplied ? yield* rewrite(store, object, searched) : head.etag
    if (etag === undefined) continue
    tally.objects += 1
    tally.lines += read.events
    tally.bytes += read.bytes
    tally.unparsed += found.unparsed
    if (!isFound) return { etag, isRewritten: false }
    const { hour, place } = object
    tally.found.push({
      place,
      path,
      lines: found.numbers.length,
      fate: isApplied ? "rewritten" : "found",
      ...(hour === undefined ? {} : { hour })
    })
    if (isApplied) yield* Effect.logInfo(`Removed ${found.numbers.length} lines from "${path}"`)
    if (place === "store" && hour !== undefined && isForeign(head)) tally.unverified.add(hour)
    return { etag, isRewritten: isApplied }
  }
  const detail = "others changed it again and again while it was rewritten; run again"
  return yield* new ObjectStorageError({ reason: "Failed", method: "put", path, detail })
})

function isForeign({ metadata }: ObjectHead): boolean {
  return Option.isNone(metadataFromText(metadata))
}

interface SearchedObject {
  readonly head: ObjectHead
  readonly read: ObjectDigest
  readonly found: FoundLines
}

/** `undefined` if it is gone. */
const searchObject = Effect.fnUntraced(function* (store: Store, { format, key }: Searched) {
  const { retry } = yield* Run
  const { people } = yield* Redaction
  const unpacker = yield* Unpacker
  const progress = yield* Progress
  const head = yield* retry(store.head(key))
  if (Option.isNone(head)) return undefined
  const once = Effect.suspend(() => {
    const search = searchLines(people)
    const onLines = (bytes: Uint8Array) => Effect.sync(() => search.update(bytes))
    const body = countBytes(store.get(key), progress.received)
    return Effect.map(unpacker.digest(key, body, format, { onLines }), (read) => ({
      read,
      found: search.finish()
    }))
  })
  return yield* retry(once).pipe(
    Effect.map((it): SearchedObject | undefined => ({ head: head.value, ...it })),
    Effect.catchIf(
      (error) => error._tag === "ObjectStorageError" && error.reason === "NotFound",
      () => Effect.succeed(undefined)
    )
  )
})

type Body = Stream.Stream<Uint8Array, ObjectStorageError | SpoolError | UnpackerError>

/** Puts an object without the lines that were found, and returns its ETag; `undefined` if it is another one by now. */
const rewrite = Effect.fnUntraced(function* (
  store: Store,
  { format, key, place }: Searched,
  { found, head, read }: SearchedObject
) {
  const { retry } = yield* Run
  const unpacker = yield* Unpacker
  const spool = yield* Spool
  const path = addressOf(store, key)
  const own = Option.getOrUndefined(metadataFromText(head.metadata))
  const problems = own === undefined ? [] : differences(own.hour, own, read)
  // What is kept of a replaced object may have been edited before. Its metadata are no promise.
  if (problems.length > 0 && place !== "replaced") {
    const detail = `it is not what its metadata say (${problems.join("; ")}), so it was not rewritten; restore it, and run again`
    return yield* new ObjectStorageError({ reason: "Corrupt", method: "get", path, detail })
  }
  const cut = unpacker.cut(key, store.get(key), format, found.numbers)
  // Compressing takes longer than all else, so it is done once.
  const body: Body = format === "jsonl" ? cut : yield* retry(spool.scratch(cut))
  const digest = yield* retry(unpacker.digest(key, body, format))
  const isCut =
    digest.events === read.events - found.numbers.length &&
    digest.bytes === read.bytes - found.bytes
  if (!isCut) return undefined
  const isEmpty = digest.events === 0
  const lines = isEmpty ? { ...digest, ...noLines, ...emptyObject(format) } : { ...digest, body }
  const { bytes, events, lineset, malformed, sha256, size } = lines
  const redacted =
    own === undefined || problems.length > 0
      ? undefined
      : new HourMetadata({
          ...own,
          events,
          bytes,
          lineset,
          malformed,
          sha256,
          replaces: replacing(own.lineset, own),
          redacted: own.redacted + found.numbers.length
        })
  const metadata = {
    ...head.metadata,
    ...(head.metadata["sha256"] === undefined ? {} : { sha256 }),
    ...(redacted === undefined ? {} : metadataToText(redacted))
  }
  const sent = countBytes(lines.body, (yield* Progress).sent)
  const put = { key, size, sha256, metadata, body: sent }
  const isPut = yield* retry(store.put(put, { replacing: head.etag })).pipe(
    // Its bytes changed between both readings.
    Effect.catchIf(
      (error) => error._tag === "ObjectStorageError" && error.reason === "Corrupt",
      () => Effect.succeed(false)
    )
  )
  const now = yield* retry(store.head(key))
  // Without metadata, an answer that was lost cannot be told from a change by somebody else.
  const isOurs = (it: ObjectHead) =>
    it.size === size &&
    (metadata["sha256"] === undefined ? isPut : it.metadata["sha256"] === sha256)
  return Option.getOrUndefined(Option.filter(now, isOurs))?.etag
}, Effect.scoped)
