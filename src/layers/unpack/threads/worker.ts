/**
 * The worker thread: digests one hour or object after another, until it is told to exit. It requests an
 * archive's bytes from the thread that sent the hour. Loads no package.
 *
 * @module
 */
import { type MessagePort, parentPort } from "node:worker_threads"
import { digestHour, type HourDigest, type HourTask } from "../hourDigest.ts"
import { PIECE } from "../zipPart.ts"
import { isHere } from "../gzip/inflateWay.ts"
import { Refusal, type Refused } from "../refusal.ts"
import { digestStream, type StreamTask } from "./digestStream.ts"

export interface DigestTask extends HourTask {
  readonly _tag: "Hour"
  /** For every message about this task. */
  readonly port: MessagePort
}

/** Ends the worker as soon as its current piece of work is done. */
export interface ExitTask {
  readonly _tag: "Exit"
}

/** What the worker sends on a task's port: requests for bytes, and then one of the others. */
export type DigestReport =
  | {
      readonly _tag: "Wants"
      readonly position: number
      readonly length: number
      /** A buffer for them, transferred and to be returned. */
      readonly into: Uint8Array<ArrayBuffer>
    }
  | TaskEnd<HourDigest>

/** The last message about a task. */
export type TaskEnd<A> =
  | { readonly _tag: "Digested"; readonly digest: A }
  | { readonly _tag: "Refused"; readonly refused: Refused }
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

function digestArchive(task: DigestTask): Promise<HourDigest> {
  const { port } = task
  // If they are inflated elsewhere, that may still be running when more is requested.
  const isReused = isHere(task.inflate)
  const read = (position: number, length: number) =>
    new Promise<Uint8Array>((resolve, reject) => {
      const into = takeRoom(isReused ? PIECE : length)
      port.once("message", (bytes: DigestBytes) => {
        if (bytes === null) return reject(new Error("The archive could not be read"))
        if (isReused) rooms.push(new Uint8Array(bytes.buffer))
        resolve(bytes)
      })
      const wants: DigestReport = { _tag: "Wants", position, length, into }
      port.postMessage(wants, [into.buffer])
    })
  return digestHour(read, task)
}

async function endOf<A>(digesting: Promise<A>): Promise<TaskEnd<A>> {
  try {
    return { _tag: "Digested", digest: await digesting }
  } catch (error) {
    return error instanceof Refusal
      ? { _tag: "Refused", refused: error.refused }
      : { _tag: "Broken", message: String(error) }
  }
}

parentPort?.on("message", (task: DigestTask | StreamTask | ExitTask) => {
  if (task._tag === "Exit") process.exit()
  const digesting = task._tag === "Hour" ? digestArchive(task) : digestStream(task)
  void endOf<unknown>(digesting).then((end) => task.port.postMessage(end))
})
