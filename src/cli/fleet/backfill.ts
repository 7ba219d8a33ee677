import { Effect, Layer } from "effect"
import {
  backfillByFleet,
  type FleetBackfillOptions,
  stopBackfill,
  type StoppedBackfill
} from "../../programs/fleet/backfillByFleet.ts"
import type { BackfillOptions } from "../../programs/fleet/backfillHours.ts"
import { EXIT, type ExitCode, exitCodeOfBoth } from "../../programs/run/exitCode.ts"
import { emptySummary } from "../../programs/run/Summary.ts"
import { withAdvice } from "../commands/summaryReport.ts"
import { clockLayer, sourceLayer, stagingLayer, storeLayer } from "../layers.ts"
import type { AskedSource } from "../settings/settingsOf.ts"
import type { LakeOf } from "../settings/severalLakes.ts"
import { lakeName } from "../text/lakeName.ts"
import { plural, summaryText } from "../text/printed.ts"

/** One lake of several, and what to do with it. */
export interface Part {
  readonly lake: Omit<LakeOf<"backfill">, "source"> & { readonly source: AskedSource }
  readonly options: FleetBackfillOptions
}

/** How many backfills are watched at once: each lists its store, and looks once a second. */
const AT_ONCE = 16

/** What of a lake is needed where others land its hours. */
export function watchedLayer(lake: Part["lake"]) {
  return Layer.mergeAll(
    clockLayer(lake),
    storeLayer(lake),
    stagingLayer(lake),
    sourceLayer(lake.source)
  )
}

/** Hands a backlog to the fleet, and waits for it. */
export const submit = (options: FleetBackfillOptions) => backfillByFleet(options)

/** Hands those of several lakes to it. One that fails as a whole ends no other. */
export const submitAll = Effect.fn("submitAll")(function* (parts: ReadonlyArray<Part>) {
  const lakes = yield* Effect.forEach(
    parts,
    ({ lake, options }) =>
      backfillByFleet(options).pipe(
        Effect.catchAll((error) => Effect.succeed(emptySummary({ error }))),
        Effect.provide(watchedLayer(lake)),
        Effect.annotateLogs("lake", lakeName(lake.store)),
        Effect.map((summary) => ({
          ...withAdvice(summary, lake.source),
          envFile: lake.name,
          store: lakeName(lake.store)
        }))
      ),
    { concurrency: AT_ONCE }
  )
  const isDone = lakes.some(({ empty, landed }) => landed.length + empty.length > 0)
  return {
    json: { lakes },
    text: () => lakes.map((it) => `${it.envFile}\n${summaryText(it, it.store)}`).join("\n\n"),
    exitCode: lakes.reduce<ExitCode>(
      (worst, { exitCode }) => exitCodeOfBoth(worst, exitCode, isDone),
      EXIT.done
    )
  }
})

/** Stops a backfill, and reports how far it is. */
export const stop = (options: BackfillOptions) => Effect.map(stopBackfill(options), stoppedReport)

/** Stops those of several lakes. */
export const stopAll = (parts: ReadonlyArray<Part>) =>
  Effect.map(
    Effect.forEach(parts, ({ lake, options }) =>
      Effect.provide(stopBackfill(options), watchedLayer(lake))
    ),
    (all) => {
      const sum = (name: keyof StoppedBackfill) => all.reduce((total, it) => total + it[name], 0)
      return stoppedReport({
        windows: sum("windows"),
        running: sum("running"),
        done: sum("done"),
        hours: sum("hours"),
        hoursDone: sum("hoursDone"),
        workers: sum("workers")
      })
    }
  )

function stoppedReport(standing: StoppedBackfill) {
  const { done, running, windows, workers } = standing
  return {
    json: { stopped: true as const, ...standing },
    text: () =>
      [
        `stopped       ${plural(windows, "window")}, ${done} of them done`,
        `on their way  ${plural(running, "window")} of ${plural(workers, "worker")}`,
        "Type backfill without --stop to go on."
      ].join("\n"),
    exitCode: EXIT.done
  }
}
