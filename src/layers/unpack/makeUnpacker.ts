import { createHash } from "node:crypto"
import { Effect, Stream } from "effect"
import type { Format } from "../../services/HourKey.ts"
import type { WriteBody } from "../../services/ObjectStorage.ts"
import type { SpooledArchive } from "../../services/Spool.ts"
import { Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import { cutObject } from "./cutObject.ts"
import { openGunzip } from "./gzip/gunzipFed.ts"
import { fromSync, streamWithReader, withReader } from "./reader.ts"
import { type Budget, digestHour, type HourDigest, hourBytes, newBudget } from "./hourDigest.ts"
import { type InflateWay, undocumentedCalls } from "./gzip/inflateWay.ts"
import { parseLines } from "./jsonLines.ts"
import { countLines } from "./linesDigest.ts"
import { refusal } from "./refusal.ts"
import { unpackParts } from "./unpackedArchive.ts"
import { readDirectory, type ZipPart } from "./zipDirectory.ts"

/** Verifies and digests the parts of one hour of an archive. */
export type DigestHour = (
  archive: SpooledArchive,
  parts: ReadonlyArray<ZipPart>,
  format: Format,
  budget: Budget
) => Effect.Effect<HourDigest, UnpackerError>

/** Digests in this thread. */
export function digestHere(way: InflateWay): DigestHour {
  return (archive, parts, format, budget) =>
    withReader(archive, (read) => digestHour(read, archive.path, parts, format, budget, way))
}

/** Writes the object of a digested hour to a file. */
export type WriteHour = (
  archive: SpooledArchive,
  parts: ReadonlyArray<ZipPart>,
  format: Format,
  hour: Pick<HourDigest, "open" | "size">
) => WriteBody<UnpackerError> | undefined

const openWith = (digestHour: DigestHour, writeHour: WriteHour): Unpacker["Type"]["open"] =>
  Effect.fn("Unpacker.open")(function* (archive, format, options = {}) {
    const budget = newBudget()
    return yield* unpackParts(yield* readDirectory(archive, options), options, (hour, own) =>
      Effect.map(digestHour(archive, own, format, budget), ({ open, ...digest }) => ({
        ...digest,
        hour,
        parts: own.length,
        body: streamWithReader(archive, (read) =>
          hourBytes(read, archive.path, own, format, { open, size: digest.size })
        ),
        writeTo: writeHour(archive, own, format, { open, size: digest.size })
      }))
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
  digest: DigestObject = digestObject(way),
  writeHour: WriteHour = () => undefined
): Unpacker["Type"] {
  return Unpacker.of({
    open: openWith(digestHour, writeHour),
    digest,
    cut: cutObject(way),
    undocumentedCalls: Effect.sync(() => undocumentedCalls(way))
  })
}
