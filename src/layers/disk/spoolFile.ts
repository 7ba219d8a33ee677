import * as fs from "node:fs/promises"
import { Effect, Option } from "effect"
import { type ArchiveName, SpoolError } from "../../services/Spool.ts"
import { archiveFile, unnameable } from "../names/archiveName.ts"
import { attempt, FILE_MODE, type FileFailure } from "./files.ts"

export type Method = SpoolError["method"]

const REASONS: Readonly<Record<string, SpoolError["reason"]>> = {
  EACCES: "AccessDenied",
  EPERM: "AccessDenied",
  EROFS: "AccessDenied",
  ENOSPC: "NoSpace",
  EDQUOT: "NoSpace",
  ENOTDIR: "Misconfigured",
  EEXIST: "Misconfigured"
}

const ADVICE: Partial<Record<SpoolError["reason"], string>> = {
  AccessDenied: "; let this user read and write there, or name another folder",
  Misconfigured: "; name another folder",
  NoSpace: "; make room, or name a folder on another disk"
}

export function refusal(
  reason: SpoolError["reason"],
  method: Method,
  path: string,
  detail: string
) {
  return new SpoolError({ reason, method, path, detail: `${detail}${ADVICE[reason] ?? ""}` })
}

/** The service's error for what the operating system said, with what to do about it. */
export function toError(method: Method, path: string) {
  return ({ code, detail }: FileFailure): SpoolError =>
    refusal(REASONS[code] ?? "Failed", method, path, detail)
}

/** The file name of an archive, which reads back to its name. */
export const fileOf = (method: Method, root: string, name: ArchiveName) =>
  Option.match(archiveFile(name), {
    onNone: () => Effect.fail(refusal("Failed", method, root, unnameable(name))),
    onSome: Effect.succeed
  })

/** Opens a file of the spool, made for its owner alone. */
export const openFile = (path: string, flags: string) =>
  attempt(() => fs.open(path, flags, FILE_MODE))

/** Fails with `NoSpace` where fewer bytes are free than are needed. */
export const checkSpace = Effect.fnUntraced(function* (
  folder: string,
  path: string,
  needed: number
) {
  const { bavail, bsize } = yield* attempt(() => fs.statfs(folder)).pipe(
    Effect.mapError(toError("save", path))
  )
  const free = bavail * bsize
  if (free < needed) {
    const detail = `the archive needs ${needed} bytes and ${free} are free`
    return yield* refusal("NoSpace", "save", path, detail)
  }
})

/**
 * `length` bytes from `position` on, fewer only at the end of the file: at the beginning of `into`,
 * or in new memory.
 */
export const readAt = (
  handle: fs.FileHandle,
  path: string,
  position: number,
  length: number,
  into?: Uint8Array
) =>
  attempt(async () => {
    const bytes = into ?? Buffer.allocUnsafeSlow(length)
    let filled = 0
    for (let isAtEnd = false; filled < length && !isAtEnd;) {
      const { bytesRead } = await handle.read(bytes, filled, length - filled, position + filled)
      filled += bytesRead
      isAtEnd = bytesRead === 0
    }
    return bytes.subarray(0, filled)
  }).pipe(Effect.mapError(toError("read", path)))
