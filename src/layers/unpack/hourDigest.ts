import { createHash } from "node:crypto"
import { closeSync, openSync, writeSync } from "node:fs"
import { setImmediate as turn } from "node:timers/promises"
import type { Format } from "../../services/HourKey.ts"
import { addDigests, type LinesDigest, noLines } from "../../services/LinesDigest.ts"
import type { Read } from "./reader.ts"
import { createGunzip } from "node:zlib"
import { inflate as inflateElsewhere } from "./gzip/inflater.ts"
import { gunzipBy, inflateBy, type InflateWay } from "./gzip/inflateWay.ts"
import { countLines } from "./linesDigest.ts"
import { type Refuse, refusal } from "./refusal.ts"
import type { ZipPart } from "./zipDirectory.ts"
import { gzipBytes } from "./zipPart.ts"

/** Bytes of all lines of one archive. The Export API itself stops at 4 GB, compressed. */
const MAX_LINES_BYTES = 200e9

const SMALL_PART = 16 * 1024

/** One gzip member that contains `\n`. */
export const NEWLINE_MEMBER: Uint8Array = Buffer.from(
  "1f8b0800000000000003e302009306d73201000000",
  "hex"
)
export const NEWLINE: Uint8Array = Buffer.from("\n")

/** The digest of an hour's object. */
export interface HourDigest extends LinesDigest {
  readonly size: number
  readonly sha256: string
  /** The names of parts without a final newline. */
  readonly open: ReadonlySet<string>
  /** Why the file lacks some of the object's bytes, if it does. */
  readonly whyUnwritten?: string | undefined
}

/** An hour of an archive, and how to digest it. */
export interface HourTask {
  /** The archive's, for messages. */
  readonly path: string
  readonly parts: ReadonlyArray<ZipPart>
  readonly format: Format
  readonly budget: Budget
  readonly inflate: InflateWay
  /** The path of an empty file for the object's bytes, which are not flushed. */
  readonly file?: string | undefined
}

/** Bytes of lines that an archive may still produce, shared by all its hours and threads. */
export type Budget = BigInt64Array<SharedArrayBuffer>

export function newBudget(): Budget {
  const budget = new BigInt64Array(new SharedArrayBuffer(8))
  budget[0] = BigInt(MAX_LINES_BYTES)
  return budget
}

export function spend(budget: Budget, bytes: number, refuse: Refuse): void {
  const spent = BigInt(bytes)
  if (Atomics.sub(budget, 0, spent) < spent) {
    throw refuse("LimitExceeded", `The archive holds more than ${MAX_LINES_BYTES} bytes of lines`)
  }
}

/** Bytes of lines after which other work in this thread gets a turn: about 10 milliseconds. */
const BREATH = 16 * 1024 * 1024

/**
 * Reads an hour's parts once, in order, verifies them and digests the object that they make. Keeps
 * no chunk. A file that cannot be written is given up, and changes nothing else.
 */
export async function digestHour(read: Read, task: HourTask): Promise<HourDigest> {
  if (task.file === undefined) return digestParts(read, task)
  const file = fileWriter(task.file)
  const hour = await digestParts(read, task, file.write).finally(file.close)
  const whyUnwritten = file.failure()
  return whyUnwritten === undefined ? hour : { ...hour, whyUnwritten }
}

async function digestParts(
  read: Read,
  { budget, format, inflate: way, parts, path }: HourTask,
  write?: (bytes: Uint8Array) => void
): Promise<HourDigest> {
  const hash = createHash("sha256")
  const open = new Set<string>()
  let sum = noLines
  let size = 0
  let breath = 0
  const take = (bytes: Uint8Array) => {
    size += bytes.length
    hash.update(bytes)
    write?.(bytes)
  }
  for (const part of parts) {
    const refuse = refusal(path, part.name)
    const lines = countLines(refuse, true)
    const members = gzipBytes(
      inflateBy(way),
      read,
      part,
      refuse,
      format === "jsonl.gz" ? take : undefined
    )
    for await (const chunk of gunzipBy(way, chunkSizeOf(part))(members, refuse, lines.crcSoFar)) {
      spend(budget, chunk.length, refuse)
      lines.update(chunk)
      if (format === "jsonl") take(chunk)
      breath += chunk.length
      if (breath < BREATH) continue
      breath = 0
      await turn()
    }
    const { digest, isOpen } = lines.finish()
    sum = addDigests(sum, digest)
    if (isOpen) {
      open.add(part.name)
      sum = { ...sum, bytes: sum.bytes + 1 }
      take(format === "jsonl" ? NEWLINE : NEWLINE_MEMBER)
    }
  }
  return { ...sum, size, sha256: hash.digest("hex"), open }
}

/** Writes to a file in this turn, while the bytes are in the cache of this thread's core. */
function fileWriter(path: string) {
  let position = 0
  let failure: string | undefined
  const attempt = <A>(call: () => A): A | undefined => {
    try {
      return call()
    } catch (error) {
      failure ??= String(error)
      return undefined
    }
  }
  const file = attempt(() => openSync(path, "r+"))
  const writeAll = (to: number, bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length;) {
      const count = writeSync(to, bytes, at, bytes.length - at, position)
      at += count
      position += count
    }
  }
  return {
    write: (bytes: Uint8Array) => {
      if (file !== undefined && failure === undefined) attempt(() => writeAll(file, bytes))
    },
    close: () => {
      if (file !== undefined) attempt(() => closeSync(file))
    },
    failure: () => failure
  }
}

/**
 * The object of a digested hour. Fails, rather than being shorter or longer, if the archive has
 * changed since.
 */
export async function* hourBytes(
  read: Read,
  path: string,
  parts: ReadonlyArray<ZipPart>,
  format: Format,
  hour: Pick<HourDigest, "open" | "size">,
  inflate = inflateElsewhere
): AsyncGenerator<Uint8Array> {
  let left = hour.size
  for (const part of parts) {
    const refuse = refusal(path, part.name)
    const members = gzipBytes(inflate, read, part, refuse)
    for await (const chunk of format === "jsonl"
      ? inflate(createGunzip, members, refuse, chunkSizeOf(part))
      : members) {
      left -= chunk.length
      if (left < 0) throw changed(refuse)
      yield chunk
    }
    if (hour.open.has(part.name)) {
      const newline = format === "jsonl" ? NEWLINE : NEWLINE_MEMBER
      left -= newline.length
      yield newline
    }
  }
  if (left !== 0) throw changed(refusal(path))
}

function changed(refuse: Refuse) {
  return refuse("Corrupt", "The archive has changed since it was opened")
}

/** An archive may have thousands of small parts, so each gets no large buffer. */
function chunkSizeOf(part: ZipPart): number | undefined {
  return part.size < SMALL_PART ? 64 * 1024 : undefined
}
