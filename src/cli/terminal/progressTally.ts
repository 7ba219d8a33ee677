import type { ProgressListener } from "../../services/Progress.ts"
import type { Standing } from "../text/progressText.ts"

/** Adds up the progress that programs report. */
interface ProgressTally {
  readonly listener: ProgressListener
  /** The progress so far; `undefined` before anything is planned. Call it often: it samples rates. */
  readonly standing: () => Standing | undefined
}

/** Rates are averages over this time, in milliseconds. */
const RATE_OVER = 5000

/** A tally that uses a clock in milliseconds, and calls `onNews` on every report. */
export function makeProgressTally(now: () => number, onNews: () => void): ProgressTally {
  let noun = "hours"
  let begun = 0
  const sums = { planned: 0, done: 0, received: 0, sent: 0 }
  const retried = new Map<object, string>()
  const samples: Array<{ readonly at: number; readonly received: number; readonly sent: number }> =
    []

  const add = (name: keyof typeof sums) => (count: number) => {
    sums[name] += count
    onNews()
  }
  return {
    listener: {
      planned: (count, what = "hours") => {
        if (sums.planned === 0) {
          noun = what
          begun = now()
        }
        add("planned")(count)
      },
      done: add("done"),
      received: add("received"),
      sent: add("sent"),
      retrying: (reason) => {
        const trial = {}
        retried.set(trial, reason)
        onNews()
        return () => {
          retried.delete(trial)
          onNews()
        }
      }
    },
    standing: () => {
      if (sums.planned === 0) return undefined
      const at = now()
      while ((samples[0]?.at ?? at) < at - RATE_OVER) samples.shift()
      const { received, sent } = sums
      samples.push({ at, received, sent })
      const oldest = samples[0] ?? { at, received, sent }
      const seconds = Math.max(at - oldest.at, 1) / 1000
      return {
        noun,
        ...sums,
        receiving: (received - oldest.received) / seconds,
        sending: (sent - oldest.sent) / seconds,
        elapsed: at - begun,
        retried: [...retried.values()]
      }
    }
  }
}
