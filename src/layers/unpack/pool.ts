import { MessageChannel, Worker } from "node:worker_threads"
import type { Read } from "./reader.ts"
import type { DigestBytes, DigestReport, DigestTask } from "./worker.ts"
import { digestHour, type HourDigest } from "./hourDigest.ts"
import { Refusal, refusal } from "./refusal.ts"

/** In milliseconds. A worker that has nothing to do for so long would only take memory from what comes after. */
const IDLE = 100

const WORKER = new URL("./worker.js", import.meta.url)

export interface DigestPool {
  /**
   * Digests one hour in a worker that has nothing else to do. Ends once the worker has let go of it; rejects as `Unreadable`
   * where the worker itself comes to an end.
   */
  readonly digest: (read: Read, task: Omit<DigestTask, "port">) => Promise<HourDigest>
  readonly close: () => Promise<void>
}

/** Workers are started when there is something for them, end soon after, and do not keep the process alive. */
export function openDigestPool(): DigestPool {
  const all = new Set<Worker>()
  const idle: Array<Worker> = []

  function start(): Worker | undefined {
    const worker = open()
    if (worker === undefined) return undefined
    worker.unref()
    all.add(worker)
    for (const end of ["error", "exit"]) {
      worker.once(end, () => {
        all.delete(worker)
        // A thread that has ended answers nobody.
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
    const end = () => {
      if (takeFromIdle(worker)) void worker.terminate()
    }
    setTimeout(end, IDLE).unref()
  }

  return {
    digest: async (read, task) => {
      const worker = idle.pop() ?? start()
      // There may be no more threads to be had, as in a container that limits them: it is slower here, and as good.
      if (worker === undefined) {
        return digestHour(read, task.path, task.parts, task.format, task.budget)
      }
      try {
        return await converse(worker, read, task)
      } finally {
        if (all.has(worker)) rest(worker)
      }
    },
    close: async () => {
      await Promise.all([...all].map((worker) => worker.terminate()))
    }
  }
}

/** `undefined` where the system has no thread to give. */
function open(): Worker | undefined {
  try {
    // What garbage there is lies outside of the heap: a small one is looked through sooner, and at less cost.
    return new Worker(WORKER, {
      env: {},
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 1 }
    })
  } catch {
    return undefined
  }
}

function converse(worker: Worker, read: Read, task: Omit<DigestTask, "port">): Promise<HourDigest> {
  const { port1: own, port2: port } = new MessageChannel()
  let unreadable: unknown
  const answer = (bytes: DigestBytes) =>
    own.postMessage(bytes, bytes === null ? [] : [bytes.buffer])
  return new Promise<HourDigest>((resolve, reject) => {
    // Out of memory, say: no verdict on the archive, which the next run may be able to read.
    const ended = (why: unknown) => {
      own.close()
      const said = why instanceof Error ? `: ${why.message}` : ""
      reject(refusal(task.path)("Unreadable", `A thread that read it came to an end${said}`))
    }
    worker.once("error", ended).once("exit", ended)
    own.on("message", (report: DigestReport) => {
      if (report._tag === "Wants") {
        const { into, length, position } = report
        read(position, length, into).then(
          (bytes) => {
            // A spool may have given memory of its own.
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
    worker.postMessage({ ...task, port } satisfies DigestTask, [port])
  })
}
