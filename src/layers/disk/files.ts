import type { Hash } from "node:crypto"
import type { Dirent } from "node:fs"
import * as fs from "node:fs/promises"
import { constants } from "node:os"
import { dirname, join } from "node:path"
import { Chunk, Effect, Option, Stream } from "effect"

/** What the operating system said. */
export interface FileFailure {
  readonly _tag: "FileFailure"
  /** As in `ENOENT`. */
  readonly code: string
  readonly detail: string
}

/** Modes of what holds events: for its owner alone. */
export const FILE_MODE = 0o600
const FOLDER_MODE = 0o700

const WRITE_BYTES = 1024 * 1024
const READ_BYTES = 256 * 1024

function toFileFailure(cause: unknown): FileFailure {
  const { code, errno, message, name } = cause as NodeJS.ErrnoException
  // Node has no name for it: "Unknown system error -122".
  if (errno === -constants.errno.EDQUOT) {
    return { _tag: "FileFailure", code: "EDQUOT", detail: "EDQUOT: the disk quota is used up" }
  }
  // What was not granted: by Deno, by Node's permission model.
  if (name === "NotCapable" || code === "ERR_ACCESS_DENIED") {
    return { _tag: "FileFailure", code: "EACCES", detail: message }
  }
  return { _tag: "FileFailure", code: code ?? "UNKNOWN", detail: message }
}

/** Whether a failure is one of these, such as `ENOENT`. */
export function hasCode(...codes: ReadonlyArray<string>): (failure: FileFailure) => boolean {
  return (failure) => codes.includes(failure.code)
}

/**
 * Runs a file operation to its end even when interrupted: one that goes on alone could undo the
 * clean-up.
 */
export function attempt<A>(run: () => Promise<A>): Effect.Effect<A, FileFailure> {
  return Effect.uninterruptible(Effect.tryPromise({ try: run, catch: toFileFailure }))
}

/** Opens a file, made for its owner alone where it is made, and closes it whatever comes. */
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

/** Waits for what is under way on the handle, then closes it. */
export function closeFile(handle: fs.FileHandle): Effect.Effect<void> {
  return attempt(() => handle.close()).pipe(
    Effect.catchAll(({ detail }) => Effect.logWarning(`Cannot close a file: ${detail}`))
  )
}

// Some file systems sync no folder and say so by one of these; they have nothing to lose by it.
const UNSYNCABLE = hasCode("EINVAL", "ENOTSUP", "EISDIR", "EPERM")

/** Makes the names in a folder durable. */
export function syncFolder(path: string): Effect.Effect<void, FileFailure> {
  return withFile(path, "r", (handle) => attempt(() => handle.sync())).pipe(
    Effect.catchIf(UNSYNCABLE, () => Effect.void)
  )
}

/** Makes a folder and those above it, durably. Nothing happens where it stands. */
export function makeFolder(path: string): Effect.Effect<void, FileFailure> {
  // A folder may be written to by those who may not read it, as syncing needs.
  const syncParent = Effect.catchIf(syncFolder(dirname(path)), hasCode("EACCES"), () => Effect.void)
  // Not `recursive`: Node 20 says then of a disk for reading that the folder is not found.
  const makeOne = attempt(() => fs.mkdir(path, FOLDER_MODE)).pipe(
    Effect.as(true),
    Effect.catchAll((failure) =>
      attempt(() => fs.stat(path)).pipe(
        // What was there and is there no more was removed meanwhile: that is `ENOENT`.
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

/** The entries of a folder; none where there is no such folder. */
export function readFolder(path: string) {
  return attempt(() => fs.readdir(path, { withFileTypes: true })).pipe(
    Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed<Array<Dirent>>([]))
  )
}

/**
 * The paths of the regular files in a folder and in those below it; what goes away meanwhile is
 * left out.
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
 * Files with their bytes; what goes away meanwhile, and what has another name too, takes no room
 * and is left out.
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
 * Removes a file or a folder that nobody needs any more; what cannot be removed is only warned of,
 * as nothing depends on it.
 */
export function cleanUp(path: string): Effect.Effect<void> {
  return attempt(() => fs.rm(path, { recursive: true, force: true })).pipe(
    Effect.catchAll(({ detail }) => Effect.logWarning(`Cannot clean up: ${detail}`))
  )
}

/** The bytes of an open file from its start to its end. */
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
 * Writes a stream to an open, empty file, durably, and returns its bytes. `hash` takes the very
 * bytes that are written: they are copied first, so a body may use its buffers again. `toError` is
 * told how many bytes the disk had taken.
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
    // Hashes a block while the disk takes it, so that the slower of the two sets the pace.
    const flush = async () => {
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
          if (filled === WRITE_BYTES) await flush()
        }
      }
    }
    const finish = async () => {
      if (filled > 0) await flush()
      await awaitWrite()
      await handle.sync()
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
