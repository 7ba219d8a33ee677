import { createHash } from "node:crypto"
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs"
import type { Format } from "../../services/HourKey.ts"
import type { WrittenBody } from "../../services/ObjectStorage.ts"
import type { ThrownError } from "../disk/files.ts"
import { inflateBy, type InflateWay } from "./gzip/inflateWay.ts"
import { type HourDigest, hourBytes } from "./hourDigest.ts"
import type { Read } from "./reader.ts"
import type { ZipPart } from "./zipDirectory.ts"

/** The file could not be written. */
export class Unwritable extends Error {
  readonly thrown: ThrownError
  constructor(cause: unknown) {
    super("The file could not be written")
    const { code, errno, message, name } = cause as ThrownError
    this.thrown = { code, errno, message, name } as ThrownError
  }
}

function onDisk<A>(call: () => A): A {
  try {
    return call()
  } catch (cause) {
    throw new Unwritable(cause)
  }
}

export interface HourToWrite {
  readonly path: string
  readonly parts: ReadonlyArray<ZipPart>
  readonly format: Format
  readonly hour: Pick<HourDigest, "open" | "size">
  readonly inflate: InflateWay
  /** The file, which exists and is empty. */
  readonly file: string
}

/**
 * Writes the object of a digested hour durably to a file. Blocks this thread while the disk is busy:
 * lines are hashed and written while they are in its core's cache.
 */
export async function writeHour(
  read: Read,
  { file, format, hour, inflate, parts, path }: HourToWrite
): Promise<WrittenBody> {
  const hash = createHash("sha256")
  let size = 0
  const fd = onDisk(() => openSync(file, "r+"))
  try {
    for await (const bytes of hourBytes(read, path, parts, format, hour, inflateBy(inflate))) {
      hash.update(bytes)
      for (let at = 0; at < bytes.length;) at += onDisk(() => writeSync(fd, bytes, at))
      size += bytes.length
    }
    onDisk(() => fsyncSync(fd))
  } finally {
    closeSync(fd)
  }
  return { size, sha256: hash.digest("hex") }
}
