/** The zip that the Export API returns, created part by part. */
import { gzipSync } from "node:zlib"
import { Zip, ZipPassThrough } from "fflate"
import { Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"

/** The longest window that the Export API accepts: 365 days. */
export const maxWindowHours = 365 * 24

export interface ArchivePart {
  readonly hour: Hour
  readonly number: number
  /** Uncompressed JSON lines. */
  readonly lines: Uint8Array
}

/** Amplitude's name of a part, with its hour not padded: `123456/123456_2025-11-10_3#0.json.gz`. */
function partName(project: string, { hour, number }: ArchivePart): string {
  return `${project}/${project}_${hour.slice(0, 10)}_${Number(hour.slice(11))}#${number}.json.gz`
}

function* zipChunks(project: string, parts: Iterable<ArchivePart>): IterableIterator<Uint8Array> {
  const chunks: Array<Uint8Array> = []
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error
    chunks.push(chunk)
  })
  const add = (name: string, bytes: Uint8Array) => {
    const entry = new ZipPassThrough(name)
    // A zip stores local time, so a local date reads the same in every time zone.
    entry.mtime = new Date(2025, 0, 1)
    zip.add(entry)
    entry.push(bytes, true)
  }
  add(`${project}/`, new Uint8Array())
  for (const part of parts) {
    add(partName(project, part), gzipSync(part.lines, { level: 1 }))
    yield* chunks.splice(0)
  }
  zip.end()
  yield* chunks
}

/**
 * A zip of stored entries with data descriptors; the same parts give the same lines, which another version
 * of zlib may compress to other bytes. Takes a part from `parts` only when its bytes are needed, and
 * can be run again if `parts` can. No ZIP64: less than 4 GiB and 65,535 parts.
 */
export function exportArchive(
  project: string,
  parts: Iterable<ArchivePart>
): Stream.Stream<Uint8Array> {
  // `Stream.fromIterable` would take 4,096 parts at once.
  return Stream.suspend(() => Stream.fromIteratorSucceed(zipChunks(project, parts), 1))
}
