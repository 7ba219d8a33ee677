/**
 * Turns a command's settings into the options of programs.
 *
 * @module
 */
import { Duration } from "effect"
import type { LoadOptions } from "../../programs/load/loadHours.ts"
import type { RunOptions } from "../../programs/runPipeline.ts"
import { hostName } from "../machine.ts"
import type { Store } from "../settings/settingsOf.ts"
import type { Values } from "../settings/table.ts"
import { version } from "../../programs/run/version.ts"

type Has<Name extends keyof Values> = Pick<Values, Name>

export function datesOf(
  it: Has<"startDate" | "endDate" | "yesterday" | "lookbackDays" | "lagHours">
) {
  return {
    start: it.startDate?.hour,
    end: it.endDate?.hour,
    isRelative: (it.endDate ?? it.startDate)?.isRelative,
    yesterday: it.yesterday,
    lookbackDays: it.lookbackDays,
    lagHours: it.lagHours
  }
}

export function windowOf(it: Parameters<typeof datesOf>[0] & Has<"healDays" | "settleHours">) {
  return { ...datesOf(it), healDays: it.healDays, settleHours: it.settleHours }
}

export function retryOf({ retries, retryBaseMs }: Has<"retries" | "retryBaseMs">) {
  return { retries, retryBase: Duration.millis(retryBaseMs) }
}

/** The options for uploading hours to a store. */
export function movingOf(
  it: Parameters<typeof retryOf>[0] & Has<"layout" | "concurrency" | "maxDuration">
) {
  return {
    ...retryOf(it),
    layout: it.layout,
    concurrency: it.concurrency,
    maxDuration: it.maxDuration,
    host: hostName(),
    version
  }
}

export function runOptions(
  it: Parameters<typeof windowOf>[0] &
    Parameters<typeof movingOf>[0] &
    Has<"requestHours" | "format"> &
    Partial<Has<"shard">>
): RunOptions {
  const { format, requestHours, shard } = it
  return { ...windowOf(it), ...movingOf(it), requestHours, format, shard }
}

/** The options for loading what has landed. */
export function loadingOf(
  it: Parameters<typeof retryOf>[0] &
    Has<"lagHours" | "settleHours" | "maxDuration" | "unverified"> & { readonly store: Store }
): LoadOptions {
  return {
    ...retryOf(it),
    lagHours: it.lagHours,
    settleHours: it.settleHours,
    maxDuration: it.maxDuration,
    unverified: it.unverified,
    prefix: it.store.prefix,
    version
  }
}
