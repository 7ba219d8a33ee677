import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Effect, Option, Schema, Stream } from "effect"
import {
  attempt,
  FILE_MODE,
  type FileFailure,
  filesBelow,
  hasCode,
  makeFolder,
  readFolder,
  readStream,
  syncFolder,
  withFile
} from "./files.ts"

/** What the name of a metadata file says about its object, `<sha256>~<size>~<inode>.json`. */
export interface Sidecar {
  readonly sha256: string
  readonly size: number
  /**
   * Inode of the object's file when it was put. Tells which put won if several had the same bytes.
   */
  readonly inode: string
}

/** The object's file as it is now. */
export interface Standing {
  readonly path: string
  readonly size: number
  readonly inode: string
}

const NAME = /^(?<sha256>[0-9a-f]{64})~(?<size>\d{1,16})~(?<inode>\d+)\.json$/

const Contents = Schema.parseJson(
  Schema.Struct({
    size: Schema.NonNegativeInt,
    sha256: Schema.String,
    metadata: Schema.Record({ key: Schema.String, value: Schema.String })
  })
)

function sidecarName({ sha256, size, inode }: Sidecar): string {
  return `${sha256}~${size}~${inode}.json`
}

/** What a name in a metadata folder says; empty if it is no sidecar's. */
export function parse(name: string): ReadonlyArray<Sidecar> {
  const { sha256, size, inode } = NAME.exec(name)?.groups ?? {}
  return sha256 === undefined || inode === undefined ? [] : [{ sha256, size: Number(size), inode }]
}

const list = (folder: string): Effect.Effect<ReadonlyArray<Sidecar>, FileFailure> =>
  Effect.map(readFolder(folder), (entries) => entries.flatMap(({ name }) => parse(name)))

const sha256Of = (path: string): Effect.Effect<string, FileFailure> =>
  withFile(path, "r", (handle) =>
    readStream(handle).pipe(
      Stream.runFold(createHash("sha256"), (hash, bytes) => hash.update(bytes)),
      Effect.map((hash) => hash.digest("hex"))
    )
  )

function narrow(
  sidecars: ReadonlyArray<Sidecar>,
  fits: (sidecar: Sidecar) => boolean
): ReadonlyArray<Sidecar> {
  const fitting = sidecars.filter(fits)
  return fitting.length === 0 ? sidecars : fitting
}

/**
 * The sidecar of an object's file; `None` for an object of another program. A single sidecar counts
 * even if its size differs, so a file that was truncated or edited still counts as this program's.
 */
export const find = Effect.fnUntraced(function* (folder: string, file: Standing) {
  const bySize = narrow(yield* list(folder), ({ size }) => size === file.size)
  const sidecars = narrow(bySize, ({ inode }) => inode === file.inode)
  if (new Set(sidecars.map(({ sha256 }) => sha256)).size <= 1) {
    return Option.fromNullable(sidecars[0])
  }
  const sha256 = yield* sha256Of(file.path)
  return Option.fromNullable(narrow(sidecars, (sidecar) => sidecar.sha256 === sha256)[0])
})

/** The metadata in a sidecar; `None` if it does not have the format that a put writes. */
export const read = (folder: string, sidecar: Sidecar) =>
  attempt(() => fs.readFile(join(folder, sidecarName(sidecar)), "utf8")).pipe(
    Effect.map((text) =>
      Option.map(Schema.decodeOption(Contents)(text), ({ metadata }) => metadata)
    )
  )

/** Writes a sidecar durably; `draft` is a free path on the same file system. */
export const write = Effect.fnUntraced(function* (
  folder: string,
  sidecar: Sidecar,
  metadata: Readonly<Record<string, string>>,
  draft: string
) {
  const { size, sha256 } = sidecar
  const text = JSON.stringify({ size, sha256, metadata })
  yield* attempt(() => fs.writeFile(draft, `${text}\n`, { mode: FILE_MODE, flush: true }))
  // A concurrent remove of the same key may delete the empty folder in between.
  yield* makeFolder(folder).pipe(
    Effect.zipRight(attempt(() => fs.rename(draft, join(folder, sidecarName(sidecar))))),
    Effect.retry({ times: 10, while: hasCode("ENOENT") })
  )
  yield* syncFolder(folder)
})

/** Removes a sidecar, and its folder if it is empty then. */
export const remove = (folder: string, sidecar: Sidecar): Effect.Effect<void, FileFailure> =>
  attempt(() => fs.rm(join(folder, sidecarName(sidecar)), { force: true })).pipe(
    Effect.zipRight(attempt(() => fs.rmdir(folder))),
    Effect.catchIf(hasCode("ENOTEMPTY", "EEXIST", "ENOENT"), () => Effect.void)
  )

/**
 * Removes the sidecars of files that a dead run was putting or removing, anywhere below the
 * metadata folder: such a file is still in the run's folder and has no other name. A file that has
 * one is an object, or is for another run to remove.
 */
export const removeOrphans = Effect.fnUntraced(function* (metadata: string, runFolder: string) {
  const inodes = new Set<string>()
  for (const path of yield* filesBelow(runFolder)) {
    const { ino, nlink } = yield* attempt(() => fs.lstat(path, { bigint: true }))
    if (nlink === 1n) inodes.add(String(ino))
  }
  if (inodes.size === 0) return
  for (const path of yield* filesBelow(metadata)) {
    for (const sidecar of parse(basename(path))) {
      if (inodes.has(sidecar.inode)) yield* remove(dirname(path), sidecar)
    }
  }
})
