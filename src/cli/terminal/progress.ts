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
/** The assumed width of a terminal that does not report one. */
const COLUMNS = 80

/** Whether somebody may be watching: stderr is a capable terminal, and this is not a CI job. */
function isWatched({ logLevel }: Pick<Values, "logLevel">): boolean {
  const { CI = "", TERM } = process.env
  const isByMachine = !/^(0|false)?$/i.test(CI.trim())
  return process.stderr.isTTY && TERM !== "dumb" && !isByMachine && logLevel !== "none"
}

/** Shows an effect's progress while it runs, on a terminal only. Leaves nothing behind. */
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
  // A kill would leave a hidden cursor hidden.
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
