/**
 * Answers what Effect's own clock cannot: which hours are closed, by the system's time or by a fixed one.
 *
 * @module
 */
import { Context, type Effect } from "effect"
import type { Hour } from "./Hour.ts"

export class Clock extends Context.Tag("amplitude-lake/Clock")<
  Clock,
  {
    /** Now, in milliseconds since 1970. */
    readonly now: Effect.Effect<number>

    /** The newest hour that has been over for `lagHours`. */
    readonly newestClosedHour: (lagHours: number) => Effect.Effect<Hour>
  }
>() {}
