/**
 * The way of a worker thread: digests one hour after another, and asks whoever gave it the hour for the archive's bytes.
 * It loads no package.
 *
 * @module
 */
import { type MessagePort, parentPort } from "node:worker_threads"
import type { Format } from "../services/HourKey.ts"
import { type Budget, digestHour, type HourDigest } from "./_hourDigest.ts"
import { Refusal, type Refused } from "./_refusal.ts"
import type { ZipPart } from "./_zipDirectory.ts"

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
  | { readonly _tag: "Wants"; readonly position: number; readonly length: number }
  | { readonly _tag: "Digested"; readonly digest: HourDigest }
  | { readonly _tag: "Refused"; readonly refused: Refused }
  | { readonly _tag: "Broken"; readonly message: string }

/** The answer to a want: the bytes, or `null` where there are none to be had. */
export type DigestBytes = Uint8Array | null

async function work({ budget, format, parts, path, port }: DigestTask): Promise<DigestReport> {
  const read = (position: number, length: number) =>
    new Promise<Uint8Array>((resolve, reject) => {
      port.once("message", (bytes: DigestBytes) => {
        if (bytes === null) reject(new Error("The archive was not to be read"))
        else resolve(bytes)
      })
      port.postMessage({ _tag: "Wants", position, length } satisfies DigestReport)
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
