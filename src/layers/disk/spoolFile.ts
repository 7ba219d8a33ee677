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
  AccessDenied: "; let this user read and write there, or use another folder",
  Misconfigured: "; use another folder",
  NoSpace: "; free some space, or use a folder on another disk"
}

export function refusal(
  reason: SpoolError["reason"],
  method: Method,
  path: string,
  detail: string
) {
  return new SpoolError({ reason, method, path, detail: `${detail}${ADVICE[reason] ?? ""}` })
}

/** Converts an error of the operating system, adding what to do about it. */
export function toError(method: Method, path: string) {
  return ({ code, detail }: FileFailure): SpoolError =>
    refusal(REASONS[code] ?? "Failed", method, path, detail)
}

/** The file name of an archive, from which its name can be parsed. */
export const fileOf = (method: Method, root: string, name: ArchiveName) =>
  Option.match(archiveFile(name), {
    onNone: () => Effect.fail(refusal("Failed", method, root, unnameable(name))),
    onSome: Effect.succeed
  })

/** Opens a file in the spool, created for its owner only. */
export const openFile = (path: string, flags: string) =>
  attempt(() => fs.open(path, flags, FILE_MODE))

/** Fails with `NoSpace` if there is not enough free space. */
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
 * Reads `length` bytes from `position` on, fewer only at the end of the file: into the beginning of
 * `into`, or into new memory.
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
