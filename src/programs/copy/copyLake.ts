import { Clock as EffectClock, Effect } from "effect"
import { CopyTarget } from "../../services/CopyTarget.ts"
import type { Hour } from "../../services/Hour.ts"
import { ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { isDoubled } from "../plan/doubledHours.ts"
import { findProject } from "../plan/findProject.ts"
import { type HourObject, type Lake, takeInventory, takeLake } from "../plan/inventory.ts"
import { admitOneProject } from "../land/oneProject.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { exitCodeOf } from "../run/exitCode.ts"
import {
  errorName,
  failureKind,
  isPlannedStop,
  logFailure,
  type RunError
} from "../run/failureKind.ts"
import { LandingError } from "../run/LandingError.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, type LandingOptions, Run } from "../run/Run.ts"
import { type CopiedHour, copyHour, type TargetForm } from "./copyHour.ts"
import { copyRecords } from "./copyRecords.ts"
import { CopySummary } from "./CopySummary.ts"

export interface CopyOptions
  extends TargetForm, RetryOptions, Pick<LandingOptions, "concurrency" | "maxDuration"> {
  /** Whether to report what would be copied, by a listing of both stores alone. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  /** Receives the summary of what was done if the run is interrupted. */
  readonly onInterrupt?: ((soFar: CopySummary) => Effect.Effect<void>) | undefined
}

type Outcome = CopiedHour | { readonly _tag: "Failed"; readonly error: RunError }

/**
 * Copies a lake to another store, prefix, layout or format: every hour that the target does not have,
 * oldest first, verified against its metadata on the way and put only if absent, and then what people
 * decided. Changes nothing in the source, and no object of the target. An hour that the target has
 * with other lines is named. Run it again to go on.
 */
export const copyLake = Effect.fn("copyLake")(
  function* (options: CopyOptions = {}) {
    const { beforeDeadline, concurrency, made, retry } = yield* Run
    const [source, target] = [yield* ObjectStorage, yield* CopyTarget]
    const begun = yield* EffectClock.currentTimeMillis
    const dryRun = options.dryRun === true
    if (source.location === target.location) {
      return yield* new ObjectStorageError({
        reason: "Misconfigured",
        method: "check",
        path: target.place,
        detail: "the target is the lake itself; name another place for the copy"
      })
    }
    if (!dryRun) yield* retry(target.check)
    const lake = yield* retry(takeLake(source))
    const there = yield* retry(takeLake(target))
    yield* refuseOtherProject(lake, there)

    const hours = [...lake.inventory.keys()].sort()
    const progress = yield* Progress
    progress.planned(hours.length)
    const outcomes = new Map<Hour, Outcome>()
    let records = 0
    const conflicts = yield* describeConflicts(source, lake.conflicts)
    const told = Effect.gen(function* () {
      const failures = [...outcomes].flatMap(([hour, it]) =>
        it._tag === "Failed" ? [{ hour, error: it.error }] : []
      )
      const late = new Set(
        failures.filter(({ error }) => isPlannedStop(error)).map(({ hour }) => hour)
      )
      const of = (tag: CopiedHour["_tag"]) =>
        hours.filter((hour) => outcomes.get(hour)?._tag === tag)
      const failed = failures.filter(({ hour }) => !late.has(hour))
      const kinds = new Set(failed.map(({ error }) => failureKind(error)))
      if (conflicts.length > 0) kinds.add("integrity")
      const copied = [...outcomes.values()].flatMap((it) => (it._tag === "Copied" ? [it] : []))
      return new CopySummary({
        target: target.place,
        dryRun,
        copied: of("Copied"),
        skipped: of("Skipped"),
        unverified: hours.filter((hour) => {
          const outcome = outcomes.get(hour)
          return outcome !== undefined && "isForeign" in outcome && outcome.isForeign
        }),
        postponed: [...late].sort(),
        failed: failed.map(({ error, hour }) => ({
          hour,
          kind: failureKind(error),
          error: errorName(error),
          message: error.message
        })),
        conflicts,
        records,
        events: copied.reduce((sum, { events }) => sum + events, 0),
        bytes: copied.reduce((sum, { bytes }) => sum + bytes, 0),
        retries: yield* made,
        durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
        exitCode: exitCodeOf({
          kinds,
          isDone: copied.length > 0 || of("Skipped").length > 0,
          isTouched: true,
          isIncomplete: late.size > 0
        })
      })
    })
    const copyAll = Effect.gen(function* () {
      yield* Effect.forEach(
        hours,
        (hour) =>
          beforeDeadline(
            decide({
              objects: lake.inventory.get(hour) ?? [],
              standing: there.inventory.get(hour) ?? [],
              form: options,
              dryRun
            })
          ).pipe(
            Effect.catchAll((error) =>
              Effect.as(logFailure(error), { _tag: "Failed", error } satisfies Outcome)
            ),
            Effect.map((outcome) => {
              outcomes.set(hour, outcome)
              progress.done(1)
            }),
            Effect.annotateLogs({ hour })
          ),
        { concurrency, discard: true }
      )
      const isLate = [...outcomes.values()].some(
        (it) => it._tag === "Failed" && isPlannedStop(it.error)
      )
      if (dryRun || isLate) return
      records = yield* copyRecords({
        source: lake.inventory,
        target: yield* retry(takeInventory(target))
      })
    })
    yield* Effect.onInterrupt(copyAll, () =>
      Effect.flatMap(told, (it) => options.onInterrupt?.(it) ?? Effect.void)
    )
    return yield* told
  },
  (self, options) => asRun(self, options)
)

interface HourToCopy {
  readonly objects: ReadonlyArray<HourObject>
  readonly standing: ReadonlyArray<HourObject>
  readonly form: TargetForm
  readonly dryRun: boolean
}

const decide = Effect.fnUntraced(function* ({ dryRun, form, objects, standing }: HourToCopy) {
  if (isDoubled(objects) || isDoubled(standing)) {
    const which = isDoubled(objects) ? "the source" : "the target"
    return yield* new LandingError({
      reason: "Doubled",
      detail: `${which} has the hour in several versions, so it was not copied: resolve it there, and copy again`
    })
  }
  if (!dryRun) return yield* copyHour(objects, standing, form)
  return {
    _tag: standing.length > 0 ? "Skipped" : "Copied",
    events: 0,
    bytes: standing.length > 0 ? 0 : objects.reduce((sum, { size }) => sum + size, 0),
    isForeign: false
  } satisfies CopiedHour
})

/** Two Amplitude projects never share a lake. */
const refuseOtherProject = Effect.fnUntraced(function* (source: Lake, target: Lake) {
  const [from, to] = [yield* ObjectStorage, yield* CopyTarget]
  const project = yield* findProject([{ store: from, inventory: source.inventory }])
  const admit = yield* admitOneProject([{ store: to, inventory: target.inventory }], to.place)
  yield* admit(project)
})
