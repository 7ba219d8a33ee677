/**
 * The worker thread: digests or writes one hour after another, or digests objects, until it is told to
 * exit. It requests an archive's bytes from the thread that sent the hour. Loads no package.
 *
 * @module
 */
import { type MessagePort, parentPort } from "node:worker_threads"
import type { Format } from "../../../services/HourKey.ts"
import type { ThrownError } from "../../disk/files.ts"
import { type Budget, digestHour, type HourDigest } from "../hourDigest.ts"
import { PIECE } from "../zipPart.ts"
import { type InflateWay, isHere } from "../gzip/inflateWay.ts"
import type { Read } from "../reader.ts"
import { Refusal, type Refused } from "../refusal.ts"
import { type HourToWrite, Unwritable, writeHour } from "../writeHour.ts"
import { digestStream, type StreamTask } from "./digestStream.ts"
import type { ZipPart } from "../zipDirectory.ts"

export interface DigestTask {
  readonly _tag: "Hour"
  /** For every message about this task. */
  readonly port: MessagePort
  readonly path: string
  readonly parts: ReadonlyArray<ZipPart>
  readonly format: Format
  readonly budget: Budget
  readonly inflate: InflateWay
}

/** Writes an hour's object to a file. */
export interface WriteTask extends HourToWrite {
  readonly _tag: "Write"
  /** For every message about this task. */
  readonly port: MessagePort
}

/** Ends the worker as soon as its current piece of work is done. */
export interface ExitTask {
  readonly _tag: "Exit"
}

/** What the worker sends on a task's port: requests for bytes, and then one of the others. */
export type DigestReport<A> =
  | {
      readonly _tag: "Wants"
      readonly position: number
      readonly length: number
      /** A buffer for them, transferred and to be returned. */
      readonly into: Uint8Array<ArrayBuffer>
    }
  | TaskEnd<A>

/** The last message about a task. */
export type TaskEnd<A> =
  | { readonly _tag: "Digested"; readonly digest: A }
  | { readonly _tag: "Refused"; readonly refused: Refused }
  | { readonly _tag: "Unwritten"; readonly thrown: ThrownError }
  | { readonly _tag: "Broken"; readonly message: string }

/**
 * The answer to a request: the bytes, at the beginning of the buffer; or `null` if they could not
 * be read.
 */
export type DigestBytes = Uint8Array<ArrayBuffer> | null

/**
 * Buffers for pieces of archives, used in turn: all but the last two reads have been processed when
 * more is requested. New buffers would be garbage outside of the heap, of which V8 lets 64 MB
 * accumulate per thread.
 */
const rooms: Array<Uint8Array<ArrayBuffer>> = []

function takeRoom(length: number): Uint8Array<ArrayBuffer> {
  const used = rooms.length > 1 ? rooms.shift() : undefined
  return used ?? new Uint8Array(length)
}

/** Reads an archive by requests to the thread that has it open. */
function readerOn({ inflate, port }: DigestTask | WriteTask): Read {
  // If they are inflated elsewhere, that may still be running when more is requested.
  const isReused = isHere(inflate)
  return (position, length) =>
    new Promise<Uint8Array>((resolve, reject) => {
      const into = takeRoom(isReused ? PIECE : length)
      port.once("message", (bytes: DigestBytes) => {
        if (bytes === null) return reject(new Error("The archive could not be read"))
        if (isReused) rooms.push(new Uint8Array(bytes.buffer))
        resolve(bytes)
      })
      const wants: DigestReport<never> = { _tag: "Wants", position, length, into }
      port.postMessage(wants, [into.buffer])
    })
}

function digestArchive(task: DigestTask): Promise<HourDigest> {
  const { budget, format, inflate, parts, path } = task
  return digestHour(readerOn(task), path, parts, format, budget, inflate)
}

async function endOf<A>(digesting: Promise<A>): Promise<TaskEnd<A>> {
  try {
    return { _tag: "Digested", digest: await digesting }
  } catch (error) {
    if (error instanceof Refusal) return { _tag: "Refused", refused: error.refused }
    if (error instanceof Unwritable) return { _tag: "Unwritten", thrown: error.thrown }
    return { _tag: "Broken", message: String(error) }
  }
}

function work(task: DigestTask | WriteTask | StreamTask): Promise<unknown> {
  switch (task._tag) {
    case "Hour":
      return digestArchive(task)
    case "Write":
      return writeHour(readerOn(task), task)
    case "Stream":
      return digestStream(task)
  }
}

parentPort?.on("message", (task: DigestTask | WriteTask | StreamTask | ExitTask) => {
  if (task._tag === "Exit") process.exit()
  void endOf(work(task)).then((end) => task.port.postMessage(end))
})
