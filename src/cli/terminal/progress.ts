/**
 * The live lines of a run, on a terminal.
 *
 * @module
 */
import { Effect, type Scope } from "effect"
import { Progress, type ProgressListener } from "../../services/Progress.ts"
import { type LiveLines, setLive } from "./live.ts"
import { makeProgressTally } from "./progressTally.ts"
import { progressText } from "../text/progressText.ts"
import type { Values } from "../settings/table.ts"

/** In milliseconds. */
const DRAW_EVERY = 200
/** Of a terminal that does not say how wide it is. */
const COLUMNS = 80

/**
 * Whether there is somebody to watch: stderr is a terminal that can be drawn on, and no machine
 * runs this.
 */
function isWatched({ logLevel }: Pick<Values, "logLevel">): boolean {
  const { CI = "", TERM } = process.env
  const isByMachine = !/^(0|false)?$/i.test(CI.trim())
  return process.stderr.isTTY && TERM !== "dumb" && !isByMachine && logLevel !== "none"
}

/**
 * Shows how far an effect is while it runs, where somebody is there to watch and it says so.
 * Nothing of it stays.
 */
export function withProgress(settings: Pick<Values, "logLevel">) {
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    isWatched(settings)
      ? Effect.scoped(
          Effect.flatMap(watched, (listener) => Effect.provideService(self, Progress, listener))
        )
      : self
}

const watched: Effect.Effect<ProgressListener, never, Scope.Scope> = Effect.gen(function* () {
  const { createLogUpdate } = yield* Effect.promise(() => import("log-update"))
  // A hidden cursor would stay hidden after a kill.
  const render = createLogUpdate(process.stderr, { showCursor: true })
  let isDrawn = false
  let isPaused = false
  const { listener, standing } = makeProgressTally(
    () => performance.now(),
    () => {
      isPaused = false
    }
  )

  const draw = () => {
    const now = isPaused ? undefined : standing()
    if (now === undefined) return
    render(progressText(now, process.stderr.columns || COLUMNS))
    isDrawn = true
  }
  const clear = () => {
    if (isDrawn) render.clear()
    isDrawn = false
  }
  const lines: LiveLines = {
    above: (write) => {
      const wasDrawn = isDrawn
      clear()
      write()
      if (wasDrawn) draw()
    },
    pause: () => {
      isPaused = true
      clear()
    }
  }

  yield* Effect.acquireRelease(
    Effect.sync(() => {
      setLive(lines)
      return setInterval(draw, DRAW_EVERY).unref()
    }),
    (timer) =>
      Effect.sync(() => {
        clearInterval(timer)
        clear()
        setLive(undefined)
      })
  )
  return listener
})
