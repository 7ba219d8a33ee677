import type { Hash } from "node:crypto"
import type { Dirent } from "node:fs"
import * as fs from "node:fs/promises"
import { constants } from "node:os"
import { dirname, join } from "node:path"
import { Chunk, Effect, Option, Stream } from "effect"

/** An error of the operating system. */
export interface FileFailure {
  readonly _tag: "FileFailure"
  /** Such as `ENOENT`. */
  readonly code: string
  readonly detail: string
}

/** Files with events are readable by their owner only. */
export const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

const WRITE_BYTES = 1024 * 1024
const READ_BYTES = 256 * 1024

function toFileFailure(cause: unknown): FileFailure {
  const { code, errno, message, name } = cause as NodeJS.ErrnoException
  // Node has no name for it and says "Unknown system error -122".
  if (errno === -constants.errno.EDQUOT) {
    return { _tag: "FileFailure", code: "EDQUOT", detail: "EDQUOT: the disk quota is used up" }
  }
  // A permission that Deno or Node's permission model did not grant.
  if (name === "NotCapable" || code === "ERR_ACCESS_DENIED") {
    // No permission that could be granted lifts it.
    const why = /^f(data)?sync API/.test(message)
      ? `this release of Node flushes no file to disk under --permission, so run without it (${message})`
      : message
    return { _tag: "FileFailure", code: "EACCES", detail: why }
  }
  return { _tag: "FileFailure", code: code ?? "UNKNOWN", detail: message }
}

/** Whether a failure has one of these codes, such as `ENOENT`. */
export function hasCode(...codes: ReadonlyArray<string>): (failure: FileFailure) => boolean {
  return (failure) => codes.includes(failure.code)
}

/**
 * Runs a file operation to completion even if interrupted: one that continues in the background
 * could undo the cleanup.
 */
export function attempt<A>(run: () => Promise<A>): Effect.Effect<A, FileFailure> {
  return Effect.uninterruptible(Effect.tryPromise({ try: run, catch: toFileFailure }))
}

/** Opens a file, created for its owner only, and always closes it. */
export function withFile<A, E, R>(
  path: string,
  flags: string,
  use: (handle: fs.FileHandle) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | FileFailure, R> {
  return Effect.acquireUseRelease(
    attempt(() => fs.open(path, flags, FILE_MODE)),
    use,
    closeFile
  )
}

/** Waits for pending operations on the handle, then closes it. */
export function closeFile(handle: fs.FileHandle): Effect.Effect<void> {
  return attempt(() => handle.close()).pipe(
    Effect.catchAll(({ detail }) => Effect.logWarning(`Cannot close a file: ${detail}`))
  )
}

// Some file systems cannot sync folders and fail with one of these; they lose nothing by it.
const UNSYNCABLE = hasCode("EINVAL", "ENOTSUP", "EISDIR", "EPERM")

/** Makes the names in a folder durable. */
export function syncFolder(path: string): Effect.Effect<void, FileFailure> {
  return withFile(path, "r", (handle) => attempt(() => handle.sync())).pipe(
    Effect.catchIf(UNSYNCABLE, () => Effect.void)
  )
}

/** Creates a folder and its parents durably. Does nothing if it exists. */
export function makeFolder(path: string): Effect.Effect<void, FileFailure> {
  // A folder may be writable but not readable, and syncing needs reading.
  const syncParent = Effect.catchIf(syncFolder(dirname(path)), hasCode("EACCES"), () => Effect.void)
  // Not `recursive`: on a read-only disk Node 20 then reports that the folder is not found.
  const makeOne = attempt(() => fs.mkdir(path, FOLDER_MODE)).pipe(
    Effect.as(true),
    Effect.catchAll((failure) =>
      attempt(() => fs.stat(path)).pipe(
        // It existed and was removed in between, which is `ENOENT`.
        Effect.mapError((gone) => (failure.code === "EEXIST" ? gone : failure)),
        Effect.flatMap((stats) =>
          stats.isDirectory() ? Effect.succeed(false) : Effect.fail(failure)
        )
      )
    ),
    Effect.flatMap((isNew) => (isNew ? syncParent : Effect.void))
  )
  return Effect.catchIf(makeOne, hasCode("ENOENT"), (failure) =>
    dirname(path) === path
      ? Effect.fail(failure)
      : Effect.zipRight(makeFolder(dirname(path)), makeOne)
  )
}

/** The entries of a folder; empty if there is no such folder. */
export function readFolder(path: string) {
  return attempt(() => fs.readdir(path, { withFileTypes: true })).pipe(
    Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed<Array<Dirent>>([]))
  )
}

/**
 * The paths of all regular files in a folder and its subfolders. Files that disappear meanwhile are
 * omitted.
 */
export function filesBelow(path: string): Effect.Effect<ReadonlyArray<string>, FileFailure> {
  return readFolder(path).pipe(
    Effect.flatMap(
      Effect.forEach((entry) => {
        const below = join(path, entry.name)
        if (entry.isDirectory()) return filesBelow(below)
        return Effect.succeed(entry.isFile() ? [below] : [])
      })
    ),
    Effect.map((paths) => paths.flat())
  )
}

/**
 * Files with their sizes. Files that have disappeared, or have another name too and so take up no
 * space of their own, are omitted.
 */
export function sizesOf(paths: ReadonlyArray<string>) {
  return Effect.map(
    Effect.forEach(paths, (path) =>
      attempt(() => fs.lstat(path)).pipe(
        Effect.map(({ nlink, size }) => (nlink > 1 ? [] : [{ path, size }])),
        Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed([]))
      )
    ),
    (files) => files.flat()
  )
}

/**
 * Removes a file or folder that is no longer needed. A failure is only logged, because nothing
 * depends on it.
 */
export function cleanUp(path: string): Effect.Effect<void> {
  return attempt(() => fs.rm(path, { recursive: true, force: true })).pipe(
    Effect.catchAll(({ detail }) => Effect.logWarning(`Cannot clean up: ${detail}`))
  )
}

/** The bytes of an open file from start to end. */
export function readStream(handle: fs.FileHandle): Stream.Stream<Uint8Array, FileFailure> {
  return Stream.paginateChunkEffect(0, (position) =>
    Effect.map(
      attempt(() => handle.read(Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, position)),
      ({ bytesRead, buffer }) =>
        bytesRead === 0
          ? [Chunk.empty<Uint8Array>(), Option.none<number>()]
          : [Chunk.of<Uint8Array>(buffer.subarray(0, bytesRead)), Option.some(position + bytesRead)]
    )
  )
}

/**
 * Writes a stream to an open, empty file, without flushing it, and returns the number of bytes.
 * `hash` receives exactly the bytes that are written, which are copied first because a body may reuse
 * its buffers. `toError` receives the number of bytes written so far.
 */
export function writeStream<E, F>(
  handle: fs.FileHandle,
  body: Stream.Stream<Uint8Array, E>,
  toError: (failure: FileFailure, written: number) => F,
  hash?: Hash
): Effect.Effect<number, E | F> {
  return Effect.suspend(() => {
    let block: Buffer = Buffer.allocUnsafeSlow(WRITE_BYTES)
    let spare: Buffer | undefined
    let filled = 0
    let position = 0
    let written = 0
    let failed: { readonly cause: unknown } | undefined
    let underWay: Promise<void> = Promise.resolve()

    const writeOut = async (bytes: Uint8Array, position: number) => {
      for (let done = 0; done < bytes.length;) {
        const left = bytes.length - done
        const { bytesWritten } = await handle.write(bytes, done, left, position + done)
        done += bytesWritten
        written += bytesWritten
      }
    }
    const awaitWrite = async () => {
      await underWay
      if (failed !== undefined) throw failed.cause
    }
    // Hashes a block while the disk writes it, so only the slower of the two limits the speed.
    const writeBlock = async () => {
      await awaitWrite()
      const full = block.subarray(0, filled)
      underWay = writeOut(full, position).catch((cause: unknown) => {
        failed = { cause }
      })
      hash?.update(full)
      position += filled
      filled = 0
      const free = spare ?? Buffer.allocUnsafeSlow(WRITE_BYTES)
      spare = block
      block = free
    }
    const take = async (chunk: Chunk.Chunk<Uint8Array>) => {
      for (const bytes of chunk) {
        for (let from = 0; from < bytes.length;) {
          const piece = bytes.subarray(from, from + WRITE_BYTES - filled)
          block.set(piece, filled)
          filled += piece.length
          from += piece.length
          if (filled === WRITE_BYTES) await writeBlock()
        }
      }
    }
    const finish = async () => {
      if (filled > 0) await writeBlock()
      await awaitWrite()
      return written
    }
    const toFail = Effect.mapError((failure: FileFailure) => toError(failure, written))

    return Stream.runForEachChunk(body, (chunk) => {
      const size = Chunk.reduce(chunk, 0, (sum, bytes) => sum + bytes.length)
      if (filled + size >= WRITE_BYTES) return toFail(attempt(() => take(chunk)))
      for (const bytes of chunk) {
        block.set(bytes, filled)
        filled += bytes.length
      }
      return Effect.void
    }).pipe(Effect.zipRight(toFail(attempt(finish))))
  })
}
