/**
 * Defaults of every program's options. The command line uses the same.
 *
 * @module
 */
import { Duration } from "effect"
import type { Format, Layout } from "../../services/HourKey.ts"

export const lookbackDays = 1
export const lagHours = 12
export const healDays = 30
export const settleHours = 24
export const requestHours = 24
export const concurrency = 4
export const layout = "hourly" satisfies Layout
export const format = "jsonl" satisfies Format
export const retries = 5
export const retryBase = Duration.seconds(1)
export const abortDays = 7
export const host = "unknown"
/** Amplitude allows 5 requests at once per project; this leaves some for its other users. */
export const lanes = 2
/** Of a backfill. */
export const backfillLanes = 4
