import { MessageChannel, Worker } from "node:worker_threads"
import type { Read } from "../reader.ts"
import { type Conversation, converseAbout } from "./conversation.ts"
import type { StreamTask } from "./digestStream.ts"
import type { DigestBytes, DigestReport, DigestTask, ExitTask } from "./worker.ts"
import { digestHour, type HourDigest, type HourTask } from "../hourDigest.ts"
import { Refusal, refusal } from "../refusal.ts"

/** In milliseconds. A worker that is idle longer would only take memory. */
const IDLE = 100

const WORKER = new URL("./worker.js", import.meta.url)

export interface WorkerPool {
  /**
   * Digests one hour in an idle worker. Returns once the worker has released it; rejects as
   * `Unreadable` if the worker ends.
   */
  readonly digest: (read: Read, task: HourTask) => Promise<HourDigest>
  /**
   * Digests one object in an idle worker; `undefined` if the system gives none. What is not closed
   * after its end costs the worker.
   */
  readonly stream: (task: Omit<StreamTask, "_tag" | "port">) => Conversation | undefined
  readonly close: () => Promise<void>
}

/** Starts workers on demand, ends them soon after, and does not keep the process alive. */
export function openWorkerPool(): WorkerPool {
  const all = new Set<Worker>()
  const idle: Array<Worker> = []

  function start(): Worker | undefined {
    const worker = open()
    if (worker === undefined) return undefined
    worker.unref()
    all.add(worker)
    for (const event of ["error", "exit"]) {
      worker.once(event, () => {
        all.delete(worker)
        // A thread that has ended cannot answer.
        takeFromIdle(worker)
      })
    }
    return worker
  }

  function takeFromIdle(worker: Worker): boolean {
    const index = idle.indexOf(worker)
    if (index !== -1) idle.splice(index, 1)
    return index !== -1
  }

  function rest(worker: Worker): void {
    idle.push(worker)
    const endIfIdle = () => {
      if (takeFromIdle(worker)) void end(worker)
    }
    setTimeout(endIfIdle, IDLE).unref()
  }

  return {
    digest: async (read, task) => {
      const worker = idle.pop() ?? start()
      // If no thread can be started, as in a container that limits them, this thread does the work:
      // slower, with the same result.
      if (worker === undefined) return digestHour(read, task)
      try {
        return await converse(worker, read, task)
      } finally {
        if (all.has(worker)) rest(worker)
      }
    },
    stream: (task) => {
      const worker = idle.pop() ?? start()
      if (worker === undefined) return undefined
      return converseAbout(worker, task, (isOver) => {
        if (!isOver) void end(worker)
        else if (all.has(worker)) rest(worker)
      })
    },
    close: async () => {
      await Promise.all([...all].map(end))
    }
  }
}

/** `undefined` if the system cannot start a thread. */
function open(): Worker | undefined {
  try {
    // Most garbage is outside of the heap; a small heap is collected sooner, and cheaper.
    return new Worker(WORKER, {
      env: {},
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 1 }
    })
  } catch {
    return undefined
  }
}

/**
 * Lets a worker exit between two pieces of its work. Terminated from outside while it makes an
 * inflating engine, it would abort the whole process: Node then closes what it has not opened.
 */
function end(worker: Worker): Promise<void> {
  return new Promise((resolve) => {
    worker.once("exit", () => resolve())
    worker.ref()
    worker.postMessage({ _tag: "Exit" } satisfies ExitTask)
  })
}

function converse(worker: Worker, read: Read, task: HourTask): Promise<HourDigest> {
  const { port1: own, port2: port } = new MessageChannel()
  let unreadable: unknown
  const answer = (bytes: DigestBytes) =>
    own.postMessage(bytes, bytes === null ? [] : [bytes.buffer])
  return new Promise<HourDigest>((resolve, reject) => {
    // For example out of memory. This proves nothing about the archive, which the next run may be
    // able to read.
    const ended = (why: unknown) => {
      own.close()
      const said = why instanceof Error ? `: ${why.message}` : ""
      reject(refusal(task.path)("Unreadable", `A thread that read it ended${said}`))
    }
    worker.once("error", ended).once("exit", ended)
    own.on("message", (report: DigestReport) => {
      if (report._tag === "Wants") {
        const { into, length, position } = report
        read(position, length, into).then(
          (bytes) => {
            // A spool may have returned memory of its own.
            if (bytes.buffer !== into.buffer) into.set(bytes)
            answer(into.subarray(0, bytes.length))
          },
          (error: unknown) => {
            unreadable = error
            answer(null)
          }
        )
        return
      }
      worker.off("error", ended).off("exit", ended)
      own.close()
      if (report._tag === "Digested") resolve(report.digest)
      else if (report._tag === "Refused") reject(new Refusal(report.refused))
      else reject(unreadable ?? new Error(report.message))
    })
    worker.postMessage({ ...task, _tag: "Hour", port } satisfies DigestTask, [port])
  })
}
