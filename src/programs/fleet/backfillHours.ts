import * as defaults from "../run/defaults.ts"
import { allHours, planHours, type RunOptions } from "../runPipeline.ts"

export interface BackfillOptions extends Omit<
  RunOptions,
  "healDays" | "lookbackDays" | "yesterday" | "shard"
> {
  /** Requests to Amplitude at once. Defaults to 4. */
  readonly lanes?: number | undefined
}

/** Reaches back to the first landed hour of any lake. */
const WHOLE_LAKE_DAYS = 36_500

/** The options of `allHours` that make it a backfill. */
export function runOf(options: BackfillOptions): RunOptions {
  return { ...options, lanes: options.lanes ?? defaults.backfillLanes, healDays: WHOLE_LAKE_DAYS }
}

/**
 * Lands a backlog: without dates, every gap after the lake's first landed hour. It is `allHours` with
 * another window and as many requests at once as it has lanes, so it can be stopped at any moment
 * and run again.
 */
export const backfillHours = (options: BackfillOptions = {}) => allHours(runOf(options))

/** What `backfillHours` would do. Makes no request to Amplitude and writes nothing. */
export const planBackfill = (options: BackfillOptions = {}) => planHours(runOf(options))
