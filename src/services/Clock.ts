/**
 * Which hours are closed, by the system clock or a fixed one.
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

    /** The newest hour that ended at least `lagHours` ago. */
    readonly newestClosedHour: (lagHours: number) => Effect.Effect<Hour>
  }
>() {}
