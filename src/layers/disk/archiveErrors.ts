import { ArchiveError } from "../../services/ArchiveFolder.ts"
import type { FileFailure } from "./files.ts"

const REASONS: Readonly<Record<string, ArchiveError["reason"]>> = {
  ENOENT: "NotFound",
  EACCES: "AccessDenied",
  EPERM: "AccessDenied",
  EROFS: "AccessDenied",
  ENOSPC: "NoSpace",
  EDQUOT: "NoSpace",
  ENOTDIR: "Misconfigured",
  EISDIR: "Misconfigured",
  EEXIST: "Misconfigured"
}

const ADVICE: Partial<Record<ArchiveError["reason"], string>> = {
  NoSpace: "; free some space, or use a folder on another disk",
  AccessDenied: "; let this user read it, and write to the folder of kept archives"
}

/** Converts an error of the operating system, adding what to do about it. */
export function toError(method: ArchiveError["method"], path: string) {
  return ({ code, detail }: FileFailure): ArchiveError => {
    const reason = REASONS[code] ?? "Failed"
    return new ArchiveError({ reason, method, path, detail: `${detail}${ADVICE[reason] ?? ""}` })
  }
}
