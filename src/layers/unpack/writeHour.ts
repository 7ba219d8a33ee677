import { createHash } from "node:crypto"
import { writeSync } from "node:fs"
import { open } from "node:fs/promises"
import { setImmediate as turn } from "node:timers/promises"
import type { Format } from "../../services/HourKey.ts"
import type { WrittenBody } from "../../services/ObjectStorage.ts"
import type { ThrownError } from "../disk/files.ts"
import { inflateBy, type InflateWay } from "./gzip/inflateWay.ts"
import { BREATH, type HourDigest, hourBytes } from "./hourDigest.ts"
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

async function onDisk<A>(call: () => A | Promise<A>): Promise<A> {
  try {
    return await call()
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
 * Writes the object of a digested hour durably to a file. Hashes and writes lines while they are in the
 * cache of this thread's core.
 */
export async function writeHour(
  read: Read,
  { file, format, hour, inflate, parts, path }: HourToWrite
): Promise<WrittenBody> {
  const handle = await onDisk(() => open(file, "r+"))
  const hash = createHash("sha256")
  let size = 0
  let breath = 0
  try {
    for await (const bytes of hourBytes(read, path, parts, format, hour, inflateBy(inflate))) {
      hash.update(bytes)
      for (let at = 0; at < bytes.length;) {
        at += await onDisk(() => writeSync(handle.fd, bytes, at))
      }
      size += bytes.length
      breath += bytes.length
      if (breath < BREATH) continue
      breath = 0
      await turn()
    }
    // The synchronous calls are refused by releases of Node under its permission model.
    await onDisk(() => handle.sync())
  } catch (error) {
    await handle.close().catch(() => {})
    throw error
  }
  await onDisk(() => handle.close())
  return { size, sha256: hash.digest("hex") }
}
