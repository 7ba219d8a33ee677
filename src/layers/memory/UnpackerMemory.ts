import { createHash } from "node:crypto"
import { crc32 } from "node:zlib"
import { gzipSync } from "fflate"
import { Chunk, Effect, Layer, Option, Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { Format } from "../../services/HourKey.ts"
import { addDigests, noLines } from "../../services/LinesDigest.ts"
import type { SpooledArchive } from "../../services/Spool.ts"
import { Unpacker, UnpackerError } from "../../services/Unpacker.ts"
import { collectBytes } from "./bytes.ts"
import { cutLines } from "../unpack/cutLines.ts"
import { type Read, fromPromise, withReader } from "../unpack/reader.ts"
import { gunzipAll, inflateAll } from "../unpack/gzip/gunzipMemory.ts"
import { type Budget, NEWLINE, NEWLINE_MEMBER, newBudget, spend } from "../unpack/hourDigest.ts"
import { parseLines } from "../unpack/jsonLines.ts"
import { countLines } from "../unpack/linesDigest.ts"
import { refusal } from "../unpack/refusal.ts"
import { unpackParts } from "../unpack/unpackedArchive.ts"
import { readDirectory, type ZipPart } from "../unpack/zipDirectory.ts"

const CHUNK = 256 * 1024

async function readHour(
  read: Read,
  path: string,
  parts: ReadonlyArray<ZipPart>,
  format: Format,
  budget: Budget
) {
  const pieces: Array<Uint8Array> = []
  let sum = noLines
  for (const part of parts) {
    const refuse = refusal(path, part.name)
    const data = await read(part.dataStart, part.compressedSize)
    const members = part.method === 0 ? data : inflateAll(data, refuse)
    if (members.length !== part.size || crc32(members) !== part.crc32) {
      throw refuse("Corrupt", "Its size or CRC-32 differs from the directory")
    }
    const bytes = gunzipAll(members, refuse)
    spend(budget, bytes.length, refuse)
    const lines = countLines(refuse, true)
    lines.update(bytes)
    const { digest, isOpen } = lines.finish()
    sum = addDigests(sum, digest)
    pieces.push(format === "jsonl" ? bytes : members)
    if (isOpen) {
      sum = { ...sum, bytes: sum.bytes + 1 }
      pieces.push(format === "jsonl" ? NEWLINE : NEWLINE_MEMBER)
    }
  }
  const object = Buffer.concat(pieces)
  return { sum, object, sha256: sha256(object) }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}

function chunksOf(object: Uint8Array): Stream.Stream<Uint8Array> {
  return Stream.unfold(0, (at) =>
    at < object.length
      ? Option.some([object.subarray(at, at + CHUNK), at + CHUNK] as const)
      : Option.none()
  )
}

const unpackHour = Effect.fnUntraced(function* (
  archive: SpooledArchive,
  hour: Hour,
  parts: ReadonlyArray<ZipPart>,
  format: Format,
  budget: Budget
) {
  const load = (left: Budget) =>
    withReader(archive, (read) => readHour(read, archive.path, parts, format, left))
  const { sum, object, sha256 } = yield* load(budget)
  const body = Effect.flatMap(load(newBudget()), (again) =>
    again.sha256 === sha256
      ? Effect.succeed(chunksOf(again.object))
      : new UnpackerError({
          reason: "Corrupt",
          path: archive.path,
          detail: "The archive has changed since it was opened"
        })
  )
  return {
    ...sum,
    hour,
    parts: parts.length,
    size: object.length,
    sha256,
    body: Stream.unwrap(body)
  }
})

const open: Unpacker["Type"]["open"] = Effect.fn("UnpackerMemory.open")(function* (
  archive,
  format,
  options = {}
) {
  const budget = newBudget()
  return yield* unpackParts(yield* readDirectory(archive, options), options, (hour, own) =>
    unpackHour(archive, hour, own, format, budget)
  )
})

const digest: Unpacker["Type"]["digest"] = Effect.fn("UnpackerMemory.digest")(function* (
  path,
  body,
  format,
  { onLines = () => Effect.void, parse = false } = {}
) {
  const object = Buffer.concat(Chunk.toReadonlyArray(yield* Stream.runCollect(body)))
  const refuse = refusal(path)
  const lines = countLines(refuse, false)
  const parsed = parseLines()
  const bytes = yield* fromPromise(async () => {
    const all = format === "jsonl" ? object : gunzipAll(object, refuse)
    lines.update(all)
    parsed.update(all)
    return all
  })
  yield* onLines(bytes)
  return {
    ...lines.finish().digest,
    size: object.length,
    sha256: sha256(object),
    ...(parse ? { invalid: parsed.finish() } : {})
  }
})

const cut: Unpacker["Type"]["cut"] = (path, body, format, numbers) =>
  Stream.unwrap(
    Effect.flatMap(collectBytes(body), (object) =>
      fromPromise(async () => {
        const lines = format === "jsonl" ? object : gunzipAll(object, refusal(path))
        const left = Buffer.concat(cutLines(numbers)(lines))
        return chunksOf(format === "jsonl" ? left : gzipSync(left))
      })
    )
  )

/**
 * Inflates with fflate, holding whole hours in memory: for small archives. Makes the same checks as
 * `UnpackerZip`.
 */
export function make(): Effect.Effect<Unpacker["Type"]> {
  return Effect.succeed(
    Unpacker.of({ open, digest, cut, undocumentedCalls: Effect.succeed("not available") })
  )
}

/**
 * @example
 * ```ts
 * import * as UnpackerMemory from "amplitude-lake/layers/UnpackerMemory"
 *
 * export const unpacker = UnpackerMemory.layer()
 * ```
 */
export function layer(): Layer.Layer<Unpacker> {
  return Layer.effect(Unpacker, make())
}
