/**
 * The way of a worker thread: digests one hour after another, and asks whoever gave it the hour for the archive's bytes.
 * It loads no package.
 *
 * @module
 */
import { type MessagePort, parentPort } from "node:worker_threads"
import type { Format } from "../../services/HourKey.ts"
import { type Budget, digestHour, type HourDigest, PIECE } from "./hourDigest.ts"
import { canInflateHere } from "./inflateHere.ts"
import { Refusal, type Refused } from "./refusal.ts"
import type { ZipPart } from "./zipDirectory.ts"

export interface DigestTask {
  /** For everything that is said of this task. */
  readonly port: MessagePort
  readonly path: string
  readonly parts: ReadonlyArray<ZipPart>
  readonly format: Format
  readonly budget: Budget
}

/** What the worker says on a task's port: wants of bytes, and then one of the others. */
export type DigestReport =
  | {
      readonly _tag: "Wants"
      readonly position: number
      readonly length: number
      /** Room for them, given away and to be given back. */
      readonly into: Uint8Array<ArrayBuffer>
    }
  | { readonly _tag: "Digested"; readonly digest: HourDigest }
  | { readonly _tag: "Refused"; readonly refused: Refused }
  | { readonly _tag: "Broken"; readonly message: string }

/** The answer to a want: the bytes, at the beginning of the room for them; or `null` where there are none to be had. */
export type DigestBytes = Uint8Array<ArrayBuffer> | null

/**
 * Room for pieces of archives, in turn: what was read last but one is done with when more is asked for. New room each time
 * would be garbage outside of the heap, of which V8 lets 64 MB pile up in each thread.
 */
const rooms: Array<Uint8Array<ArrayBuffer>> = []

function takeRoom(length: number): Uint8Array<ArrayBuffer> {
  const used = rooms.length > 1 ? rooms.shift() : undefined
  return used ?? new Uint8Array(canInflateHere ? PIECE : length)
}

async function work({ budget, format, parts, path, port }: DigestTask): Promise<DigestReport> {
  const read = (position: number, length: number) =>
    new Promise<Uint8Array>((resolve, reject) => {
      const into = takeRoom(length)
      port.once("message", (bytes: DigestBytes) => {
        if (bytes === null) return reject(new Error("The archive was not to be read"))
        // Where they are inflated elsewhere, that may still be under way when more is asked for.
        if (canInflateHere) rooms.push(new Uint8Array(bytes.buffer))
        resolve(bytes)
      })
      const wants: DigestReport = { _tag: "Wants", position, length, into }
      port.postMessage(wants, [into.buffer])
    })
  try {
    const digest = await digestHour(read, path, parts, format, budget)
    return { _tag: "Digested", digest }
  } catch (error) {
    return error instanceof Refusal
      ? { _tag: "Refused", refused: error.refused }
      : { _tag: "Broken", message: String(error) }
  }
}

parentPort?.on("message", (task: DigestTask) => {
  void work(task).then((report) => task.port.postMessage(report))
})
