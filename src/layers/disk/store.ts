import * as fs from "node:fs/promises"
import { join, resolve } from "node:path"
import { pathToFileURL } from "node:url"
import { Effect, Option } from "effect"
import { ObjectStorageError } from "../../services/ObjectStorage.ts"
import { attempt, type FileFailure, hasCode } from "./files.ts"
import type { RunFolder } from "./runFolder.ts"
import { keyProblem, prefixProblem } from "../names/objectKey.ts"

export type Method = ObjectStorageError["method"]

const REASONS: Readonly<Record<string, ObjectStorageError["reason"]>> = {
  EACCES: "AccessDenied",
  EPERM: "AccessDenied",
  EROFS: "AccessDenied",
  ENOENT: "NotFound",
  ENOTDIR: "Misconfigured",
  EEXIST: "Misconfigured",
  ENOSPC: "NoSpace",
  EDQUOT: "NoSpace",
  EMFILE: "Unavailable",
  ENFILE: "Unavailable",
  EAGAIN: "Unavailable",
  ETIMEDOUT: "Unavailable",
  ESTALE: "Unavailable"
}

const ADVICE: Partial<Record<ObjectStorageError["reason"], string>> = {
  AccessDenied: "let this user read and write there, or use another folder",
  Misconfigured: "a file is in place of a folder; move it, or use another folder",
  NoSpace: "free some space, or use a folder on another disk"
}

/** Converts an error of the operating system, adding what to do about it. */
export function toError(method: Method, path: string) {
  return ({ code, detail }: FileFailure): ObjectStorageError => {
    const reason = REASONS[code] ?? "Failed"
    const advice = ADVICE[reason]
    return new ObjectStorageError({
      reason,
      method,
      path,
      detail: advice === undefined ? detail : `${detail}; ${advice}`
    })
  }
}

export function refusal(
  reason: ObjectStorageError["reason"],
  method: Method,
  path: string,
  detail: string
): ObjectStorageError {
  return new ObjectStorageError({ reason, method, path, detail })
}

/** State shared by all operations on one store. */
export interface FolderStore {
  readonly paths: StorePaths
  readonly run: RunFolder
  /** The paths of open drafts. */
  readonly drafts: Set<string>
}

/** A new path in the run's own folder. */
export function fresh(
  { paths, run }: FolderStore,
  method: Method
): Effect.Effect<string, ObjectStorageError> {
  return Effect.mapError(run.fresh, toError(method, paths.inner))
}

export interface StorePaths {
  readonly root: string
  readonly prefix: string
  /** The folder for everything that is not an object. */
  readonly inner: string
  /** The root and the prefix. */
  readonly place: string
  /** The root and the prefix as an absolute URL. */
  readonly location: string
  readonly pathOf: (key: string) => string
  /** The folder of all metadata. */
  readonly metadata: string
  readonly metadataOf: (key: string) => string
  /** Refuses keys that would leave the root or be hidden from listings. */
  readonly checkKey: (method: Method, key: string) => Effect.Effect<void, ObjectStorageError>
  readonly checkPrefix: (method: Method) => Effect.Effect<void, ObjectStorageError>
}

export function storePaths(root: string, prefix: string): StorePaths {
  const inner = join(root, ".amplitude-lake")
  const metadata = join(inner, "metadata")
  const place = join(root, prefix, "/")
  return {
    root,
    prefix,
    inner,
    place,
    location: pathToFileURL(`${resolve(root)}/${prefix}`).href,
    metadata,
    pathOf: (key) => join(root, `${prefix}${key}`),
    metadataOf: (key) => join(metadata, `${prefix}${key}`),
    checkKey: (method, key) => {
      const problem = keyProblem(key, prefix)
      return problem === undefined
        ? Effect.void
        : refusal("Failed", method, `${root}/${prefix}${key}`, problem)
    },
    checkPrefix: (method) => {
      const problem = prefixProblem(prefix)
      return problem === undefined
        ? Effect.void
        : refusal("Misconfigured", method, place, `the prefix "${prefix}" is not valid: ${problem}`)
    }
  }
}

export interface RegularFile {
  readonly path: string
  readonly size: number
  readonly inode: string
  readonly modified: number
}

/** The regular file at a path; `None` if there is nothing, `Failed` if there is anything else. */
export const look = Effect.fnUntraced(function* (method: Method, path: string) {
  const stats = yield* attempt(() => fs.lstat(path, { bigint: true })).pipe(
    Effect.asSome,
    Effect.catchIf(hasCode("ENOENT", "ENOTDIR"), () => Effect.succeedNone),
    Effect.mapError(toError(method, path))
  )
  if (Option.isNone(stats)) return Option.none<RegularFile>()
  const { size, ino, mtimeMs } = stats.value
  if (!stats.value.isFile()) {
    const detail = "it is not a regular file; move it away"
    return yield* refusal("Failed", method, path, detail)
  }
  return Option.some<RegularFile>({
    path,
    size: Number(size),
    inode: String(ino),
    modified: Number(mtimeMs)
  })
})

const isUnlinkable = hasCode("EPERM", "EXDEV", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK")

/** Gives a file a second name: `false` if the name is taken. */
export function linkFile(
  method: Method,
  from: string,
  to: string
): Effect.Effect<boolean, ObjectStorageError> {
  return attempt(() => fs.link(from, to)).pipe(
    Effect.as(true),
    Effect.catchIf(hasCode("EEXIST"), () => Effect.succeed(false)),
    Effect.mapError((failure) =>
      isUnlinkable(failure)
        ? refusal(
            "Misconfigured",
            method,
            to,
            `this disk does not support hard links (${failure.code}), which are needed to create objects only once; use a folder on a local disk`
          )
        : toError(method, to)(failure)
    )
  )
}
