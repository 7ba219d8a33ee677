import { MessageChannel, type Worker } from "node:worker_threads"
import { Effect } from "effect"
import { type ObjectDigest, UnpackerError } from "../../../services/Unpacker.ts"
import type { StreamInput, StreamOutput, StreamTask } from "./digestStream.ts"
import type { TaskEnd } from "./worker.ts"

/** Compressed bytes on their way to the worker: enough for the lines that it may send ahead. */
const AHEAD = 2 * 1024 ** 2

type Report = Extract<StreamOutput, { _tag: "Lines" }> | TaskEnd<ObjectDigest>

/** With a worker that digests an object. */
export interface Conversation {
  /** Sends some of the object's bytes; waits while too many are on their way. */
  readonly feed: (bytes: Uint8Array) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
  /** The next lines, in memory that is used again, or the digest. */
  readonly next: Effect.Effect<Uint8Array | ObjectDigest, UnpackerError>
  readonly close: Effect.Effect<void>
}

/** `closed` is told whether the worker is at the end of the task. */
export function converseAbout(
  worker: Worker,
  { path, ...task }: Omit<StreamTask, "_tag" | "port">,
  closed: (isOver: boolean) => void
): Conversation {
  const { port1: own, port2: port } = new MessageChannel()
  const reports: Array<Report> = []
  let fed = 0
  let isOver = false
  let lent: Uint8Array<ArrayBuffer> | undefined
  const waiting = { feed: () => {}, next: () => {} }

  const report = (it: Report) => {
    if (it._tag !== "Lines") isOver = true
    reports.push(it)
    waiting.next()
  }
  // For example out of memory. This proves nothing about the object.
  const ended = (why: unknown) => {
    const said = why instanceof Error ? `: ${why.message}` : ""
    const detail = `A thread that read it ended${said}`
    report({ _tag: "Refused", refused: { reason: "Unreadable", path, detail } })
  }
  worker.once("error", ended).once("exit", ended)
  own.on("message", (output: StreamOutput | TaskEnd<ObjectDigest>) => {
    if (output._tag !== "Read") return report(output)
    fed -= output.bytes
    waiting.feed()
  })
  worker.postMessage({ _tag: "Stream", ...task, path, port } satisfies StreamTask, [port])

  const send = (input: StreamInput, transfer: ReadonlyArray<ArrayBuffer> = []) =>
    own.postMessage(input, transfer)
  const until = (name: keyof typeof waiting, holds: () => boolean) =>
    Effect.async<void>((resume) => {
      waiting[name] = () => {
        if (holds()) resume(Effect.void)
      }
      waiting[name]()
    })
  return {
    feed: (bytes) =>
      Effect.suspend(() => {
        fed += bytes.length
        // A view would be sent with all of its memory.
        const copy = new Uint8Array(bytes)
        send({ _tag: "Bytes", bytes: copy }, [copy.buffer])
        return until("feed", () => fed < AHEAD)
      }),
    end: Effect.sync(() => send({ _tag: "End" })),
    next: Effect.suspend(() => {
      if (lent !== undefined) send({ _tag: "Free", block: lent }, [lent.buffer])
      lent = undefined
      return until("next", () => reports.length > 0)
    }).pipe(
      Effect.flatMap((): Effect.Effect<Uint8Array | ObjectDigest, UnpackerError> => {
        const it = reports.shift() as Report
        switch (it._tag) {
          case "Lines":
            return Effect.succeed((lent = it.lines))
          case "Digested":
            return Effect.succeed(it.digest)
          case "Refused":
            return Effect.fail(new UnpackerError(it.refused))
          case "Broken":
            return Effect.die(new Error(it.message))
        }
      })
    ),
    close: Effect.sync(() => {
      worker.off("error", ended).off("exit", ended)
      own.close()
      closed(isOver)
    })
  }
}
