import { FolderError } from "../../services/Folders.ts"
import type { FileFailure } from "./files.ts"

const REASONS: Readonly<Record<string, FolderError["reason"]>> = {
  EACCES: "AccessDenied",
  EPERM: "AccessDenied",
  EROFS: "AccessDenied",
  ENOTDIR: "Misconfigured",
  ENOSPC: "NoSpace",
  EDQUOT: "NoSpace"
}

const ADVICE: Partial<Record<FolderError["reason"], string>> = {
  AccessDenied: "let this user read and write there, or use another folder",
  Misconfigured: "a file is in place of the folder; move it, or use another folder",
  NoSpace: "free some space, or use a folder on another disk"
}

/** Converts an error of the operating system, adding what to do about it. */
export function toError(path: string) {
  return ({ code, detail }: FileFailure): FolderError => {
    const reason = REASONS[code] ?? "Failed"
    const advice = ADVICE[reason]
    return new FolderError({
      reason,
      path,
      detail: advice === undefined ? detail : `${detail}; ${advice}`
    })
  }
}
