import { createHash } from "node:crypto"
import { createGunzip } from "node:zlib"
import { Effect, Stream } from "effect"
import type { Format } from "../../services/HourKey.ts"
import type { SpooledArchive } from "../../services/Spool.ts"
import { Unpacker, type UnpackerError } from "../../services/Unpacker.ts"
import { fromPromise, streamWithReader, withReader } from "./reader.ts"
import { type Budget, digestHour, type HourDigest, hourBytes, newBudget } from "./hourDigest.ts"
import { type InflateWay, undocumentedCalls } from "./inflateWay.ts"
import { openInflater, slices } from "./inflater.ts"
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

const openWith = (digestHour: DigestHour): Unpacker["Type"]["open"] =>
  Effect.fn("Unpacker.open")(function* (archive, format, options = {}) {
    const budget = newBudget()
    return yield* unpackParts(yield* readDirectory(archive, options), options, (hour, own) =>
      Effect.map(digestHour(archive, own, format, budget), ({ open, ...digest }) => ({
        ...digest,
        hour,
        parts: own.length,
        body: streamWithReader(archive, (read) =>
          hourBytes(read, archive.path, own, format, { open, size: digest.size })
        )
      }))
    )
  })

export type DigestObject = Unpacker["Type"]["digest"]

/** Digests an object in this thread. */
export const digestObject: DigestObject = (
  path,
  body,
  format,
  { onLines = () => Effect.void, parse = false } = {}
) =>
  Effect.acquireUseRelease(
    Effect.sync(() => openInflater(createGunzip({ chunkSize: 256 * 1024 }), refusal(path))),
    (inflater) =>
      Effect.gen(function* () {
        const lines = countLines(refusal(path), false)
        const parsed = parse ? parseLines() : undefined
        const hash = createHash("sha256")
        let size = 0
        const take = (bytes: Uint8Array) =>
          Effect.zipRight(
            fromPromise(async () => {
              lines.update(bytes)
              parsed?.update(bytes)
            }),
            onLines(bytes)
          )
        const inflated = (push: () => Promise<void>) =>
          Effect.flatMap(
            fromPromise(async () => {
              await push()
              return inflater.take()
            }),
            Effect.forEach(take, { discard: true })
          )
        yield* Stream.runForEach(body, (bytes) =>
          Effect.suspend(() => {
            size += bytes.length
            hash.update(bytes)
            if (format === "jsonl") return take(bytes)
            return Effect.forEach(slices(bytes), (slice) => inflated(() => inflater.push(slice)), {
              discard: true
            })
          })
        )
        if (format === "jsonl.gz") yield* inflated(() => inflater.finish())
        return {
          ...lines.finish().digest,
          size,
          sha256: hash.digest("hex"),
          ...(parsed === undefined ? {} : { invalid: parsed.finish() })
        }
      }),
    (inflater) => Effect.sync(() => inflater.close())
  ).pipe(Effect.withSpan("Unpacker.digest"))

/** An unpacker that digests hours with `digestHour`, which inflates in this way. */
export function makeUnpacker(
  digestHour: DigestHour,
  way: InflateWay,
  digest: DigestObject = digestObject
): Unpacker["Type"] {
  return Unpacker.of({
    open: openWith(digestHour),
    digest,
    undocumentedCalls: Effect.sync(() => undocumentedCalls(way))
  })
}
