import { createHash } from "node:crypto"
import { Effect, ExecutionStrategy, Exit, type Option, Scope, Stream } from "effect"
import type { SpooledArchive } from "../../services/Spool.ts"
import { type UnpackedHour, Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import { cutObject } from "./cutObject.ts"
import { openGunzip } from "./gzip/gunzipFed.ts"
import type { Inflate } from "./gzip/inflater.ts"
import { fromSync, intoRooms, type Read, streamWithReader, withReader } from "./reader.ts"
import { digestHour, type HourDigest, type HourTask, hourBytes, newBudget } from "./hourDigest.ts"
import { inflateBy, type InflateWay, isHere, undocumentedCalls } from "./gzip/inflateWay.ts"
import { parseLines } from "./jsonLines.ts"
import { countLines } from "./linesDigest.ts"
import { refusal } from "./refusal.ts"
import { unpackParts } from "./unpackedArchive.ts"
import { readDirectory } from "./zipDirectory.ts"

/** The digest of an hour, and the file with its object's bytes if it was written. */
export type DraftedHour = Omit<HourDigest, "whyUnwritten"> & Pick<UnpackedHour, "draft">

/** Verifies and digests the parts of one hour of an archive. Makes the draft only to write the object to it. */
export type DigestHour = (
  archive: SpooledArchive,
  hour: HourTask,
  draft: Effect.Effect<Option.Option<string>, never, Scope.Scope>
) => Effect.Effect<DraftedHour, UnpackerError, Scope.Scope>

/** Digests in this thread, and writes no draft. */
export const digestHere: DigestHour = (archive, hour) =>
  withReader(archive, (read) => digestHour(read, hour))

const openWith = (digestHour: DigestHour, inflate: InflateWay): Unpacker["Type"]["open"] =>
  Effect.fn("Unpacker.open")(function* (archive, format, options = {}) {
    const { path } = archive
    const { draftFor = () => Effect.succeedNone } = options
    const budget = newBudget()
    const directory = yield* readDirectory(archive, options)
    const drafts = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    return yield* unpackParts(directory, options, (hour, parts) =>
      Effect.map(
        digestHour(archive, { path, parts, format, budget, inflate }, draftFor(hour)),
        ({ open, ...digest }) => {
          const object = (read: Read, way?: Inflate) =>
            hourBytes(read, path, parts, format, { open, size: digest.size }, way)
          const body = streamWithReader(archive, object)
          const lent = streamWithReader(archive, (read) =>
            object(intoRooms(read), inflateBy(inflate))
          )
          const unpacked = { ...digest, hour, parts: parts.length, body }
          return isHere(inflate) ? { ...unpacked, lent } : unpacked
        }
      )
    ).pipe(
      Scope.extend(drafts),
      Effect.onError(() => Scope.close(drafts, Exit.void))
    )
  })

export type DigestObject = Unpacker["Type"]["digest"]

/** Digests an object in this thread. */
export function digestObject(way: InflateWay): DigestObject {
  return (path, body, format, { onLines = () => Effect.void, parse = false } = {}) =>
    Effect.gen(function* () {
      const refuse = refusal(path)
      const gunzip = format === "jsonl.gz" ? yield* openGunzip(way, refuse) : undefined
      const lines = countLines(refuse, false)
      const parsed = parse ? parseLines() : undefined
      const hash = createHash("sha256")
      let size = 0
      const take = (bytes: Uint8Array) =>
        Effect.zipRight(
          fromSync(() => {
            lines.update(bytes)
            parsed?.update(bytes)
          }),
          onLines(bytes)
        )
      yield* Stream.runForEach(body, (bytes) =>
        Effect.suspend(() => {
          size += bytes.length
          hash.update(bytes)
          return gunzip === undefined ? take(bytes) : gunzip.push(bytes, take)
        })
      )
      if (gunzip !== undefined) yield* gunzip.finish(take)
      return {
        ...lines.finish().digest,
        size,
        sha256: hash.digest("hex"),
        ...(parsed === undefined ? {} : { invalid: parsed.finish() })
      }
    }).pipe(Effect.scoped, Effect.withSpan("Unpacker.digest"))
}

/** An unpacker that digests hours with `digestHour`, which inflates in this way. */
export function makeUnpacker(
  digestHour: DigestHour,
  way: InflateWay,
  digest: DigestObject = digestObject(way)
): Unpacker["Type"] {
  return Unpacker.of({
    open: openWith(digestHour, way),
    digest,
    cut: cutObject(way),
    undocumentedCalls: Effect.sync(() => undocumentedCalls(way))
  })
}
