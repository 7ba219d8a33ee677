import { Clock as EffectClock, Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { Format } from "../../services/HourKey.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Window } from "../../services/Window.ts"
import { exportHours } from "../fetch/exportHours.ts"
import type { ExportedHour } from "../fetch/handOver.ts"
import { admitOneProject } from "../land/oneProject.ts"
import { takeLake } from "../plan/inventory.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { exitCodeOf } from "../run/exitCode.ts"
import { failedHour, logFailure } from "../run/failureKind.ts"
import { type HourOutcome, Skipped } from "../run/HourOutcome.ts"
import { asRun, type LandingOptions, Run } from "../run/Run.ts"
import { type Relanded, relandHour, type RelandHourOptions } from "./relandHour.ts"
import { RelandSummary } from "./RelandSummary.ts"

export interface RelandOptions
  extends Omit<LandingOptions, "format" | "layout">, RelandHourOptions {
  /** First hour. */
  readonly start: Hour
  /** Last hour, included. */
  readonly end: Hour
  /** Receives the summary of what was done if the run is interrupted. */
  readonly onInterrupt?: ((soFar: RelandSummary) => Effect.Effect<void>) | undefined
}

/**
 * Requests the landed hours between two dates from Amplitude again, and replaces those with other
 * lines: each object under its own key and in its own format, on the condition of its ETag. The old
 * object is kept below `.amplitude-lake-replaced/`, and the new one names it in `replaces`, so that
 * the warehouse follows. Hours that a person's events were removed from are refused, and so are
 * those for which Amplitude returns no events now. Run it again to go on.
 */
export const relandHours = Effect.fn("relandHours")(
  function* (options: RelandOptions) {
    const run = yield* Run
    const { made, retry } = run
    const store = yield* ObjectStorage
    const begun = yield* EffectClock.currentTimeMillis
    const dryRun = options.dryRun === true
    const window = new Window({ first: options.start, last: options.end })
    if (!dryRun) yield* retry(store.check)
    const lake = yield* retry(takeLake(store))
    const { inventory } = lake
    const accepted = new Set(lake.acceptances.flatMap((it) => it.window.hours))
    const admit = yield* admitOneProject([{ store, inventory }], store.place)
    const relanded = new Map<Hour, Relanded>()

    const onHour = Effect.fnUntraced(function* (exported: ExportedHour) {
      const { hour } = exported
      yield* admit(exported.project)
      relanded.set(hour, yield* relandHour(exported, lake, options))
      return new Skipped({ hour })
    })
    const hours = window.hours.filter((hour) => inventory.has(hour))
    const formatOf = (hour: Hour) => inventory.get(hour)?.[0]?.format
    const outcomes = new Map<Hour, HourOutcome>()
    let conflicts = yield* describeConflicts(store, lake.conflicts)
    // An archive is unpacked for objects of one format.
    const relandAll = Effect.forEach(Format.literals, (format) =>
      exportHours(
        hours.filter((hour) => formatOf(hour) === format),
        {
          onHour: (exported) =>
            Effect.catchAll(onHour(exported), (error) => {
              const { hour } = exported
              const failed = failedHour(hour, error)
              outcomes.set(hour, failed)
              return Effect.as(logFailure(error), failed)
            })
        }
      ).pipe(
        Effect.provideService(Run, { ...run, format }),
        Effect.map((ended) => ended.forEach((it) => outcomes.set(it.hour, it)))
      )
    )
    const told = Effect.gen(function* () {
      const of = (tag: Relanded["_tag"]) => hours.filter((it) => relanded.get(it)?._tag === tag)
      const withTag = (tag: HourOutcome["_tag"]) =>
        hours.filter((hour) => outcomes.get(hour)?._tag === tag)
      const replaced = of("Replaced").flatMap((hour) => {
        const it = relanded.get(hour)
        return it?._tag === "Replaced" ? [it] : []
      })
      const absent = window.hours.filter((hour) => !inventory.has(hour) && !accepted.has(hour))
      const failed = [...outcomes.values()].flatMap((it) => (it._tag === "Failed" ? [it] : []))
      const kinds = new Set(failed.map(({ kind }) => kind))
      if (conflicts.length > 0) kinds.add("integrity")
      const [open, postponed] = [withTag("Open"), withTag("Postponed")]
      return new RelandSummary({
        window: { first: window.first, last: window.last },
        dryRun,
        replaced: replaced.map(({ _tag, ...it }) => it),
        same: of("Same"),
        redacted: of("Redacted"),
        decided: of("Decided"),
        absent,
        open,
        postponed,
        failed: failed
          .map(({ error, hour, kind, message }) => ({ hour, kind, error, message }))
          .sort((one, other) => (one.hour < other.hour ? -1 : 1)),
        conflicts,
        events: replaced.reduce((sum, { after }) => sum + after.events, 0),
        retries: yield* made,
        durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
        exitCode: exitCodeOf({
          kinds,
          isDone: relanded.size > 0,
          isTouched: true,
          isIncomplete: [absent, open, postponed].some(({ length }) => length > 0)
        })
      })
    })
    yield* Effect.onInterrupt(relandAll, () =>
      Effect.flatMap(told, (it) => options.onInterrupt?.(it) ?? Effect.void)
    )
    conflicts = yield* describeConflicts(store, (yield* retry(takeLake(store))).conflicts)
    return yield* told
  },
  (self, options) => asRun(self, options)
)
