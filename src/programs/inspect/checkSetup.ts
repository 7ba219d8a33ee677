import { Clock as EffectClock, Effect, Option, Schema, Stream } from "effect"
import { Amplitude } from "../../services/Amplitude.ts"
import { Clock } from "../../services/Clock.ts"
import { Folders, FolderError, type WorkingFolder } from "../../services/Folders.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Window } from "../../services/Window.ts"
import { clockSkew, skewText, type TimedAnswer } from "../fetch/clockSkew.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { failureKind, type RunError } from "../run/failureKind.ts"
import * as defaults from "../run/defaults.ts"
import type { FailureKind } from "../run/HourOutcome.ts"
import type { LagOptions } from "../run/Run.ts"

/** What one look at the set-up found. */
export class SetupCheck extends Schema.Class<SetupCheck>("SetupCheck")({
  name: Schema.String,
  /** `unknown` where another failure kept it from being looked at. */
  state: Schema.Literal("ok", "fail", "unknown"),
  /** What was found, and what to do where it failed. */
  message: Schema.String,
  /** Class and reason of the failure, as `AmplitudeError.Forbidden`. */
  error: Schema.optional(Schema.String)
}) {}

export class SetupChecks extends Schema.Class<SetupChecks>("SetupChecks")({
  checks: Schema.Array(SetupCheck),
  /** 0 where nothing failed; else 8, 7, 2 or 5, the first that applies. */
  exitCode: ExitCode
}) {}

/** A check, and what its failure asks of whoever runs the program. */
interface Finding {
  readonly check: SetupCheck
  readonly kind?: FailureKind
}

/** Less than this, in bytes, is soon used up by archives. */
const LEAST_SPACE = 1e9

/**
 * Tries everything that a run needs, all of it even where something fails: keys, by asking for one
 * closed hour and dropping the answer; the clock, against that answer's; the store, as a run does
 * before it downloads; folders and their space. Lands nothing. What the store's own check leaves,
 * an empty object that no listing shows, every run leaves.
 */
export const checkSetup = Effect.fn("checkSetup")(function* (options: LagOptions = {}) {
  const folders = yield* Folders
  const findings = yield* Effect.all(
    [checkAmplitude(options), checkStore, ...folders.all.map(checkFolder)],
    { concurrency: "unbounded" }
  )
  const all = findings.flat()
  const kinds = new Set(all.flatMap(({ kind }) => (kind === undefined ? [] : [kind])))
  return new SetupChecks({
    checks: all.map(({ check }) => check),
    exitCode: exitCodeOf({ kinds, isDone: false, isTouched: false })
  })
})

function ok(name: string, message: string): Finding {
  return { check: new SetupCheck({ name, state: "ok", message }) }
}

function failed(name: string, error: RunError | FolderError): Finding {
  const { message } = error
  const check = { name, state: "fail", message, error: `${error._tag}.${error.reason}` } as const
  return { check: new SetupCheck(check), kind: failureKind(error) }
}

/** The keys, and with the same answer the clock. */
const checkAmplitude = Effect.fn("checkSetup.amplitude")(function* ({
  lagHours = defaults.lagHours
}: LagOptions) {
  const amplitude = yield* Amplitude
  const clock = yield* Clock
  const hour = yield* clock.newestClosedHour(lagHours)
  const sent = yield* EffectClock.currentTimeMillis
  const asked = Effect.gen(function* () {
    const { archive, date } = yield* amplitude.export(new Window({ first: hour, last: hour }))
    const answered = yield* EffectClock.currentTimeMillis
    const what = Option.isSome(archive) ? "and its archive dropped" : "which has no events"
    return [
      ok("keys", `accepted: ${hour} was asked for, ${what}`),
      checkClock({ date, sent, answered })
    ]
  })
  return yield* Effect.scoped(asked).pipe(
    Effect.catchAll((error) => {
      const message = "not compared, as Amplitude gave no answer to compare it with"
      const check = new SetupCheck({ name: "clock", state: "unknown", message })
      return Effect.succeed([failed("keys", error), { check }])
    })
  )
})

function checkClock(answer: TimedAnswer): Finding {
  return Option.match(clockSkew(answer), {
    onNone: () => {
      const message = "not compared, as the answer says no time"
      return { check: new SetupCheck({ name: "clock", state: "unknown", message }) }
    },
    onSome: (skew) =>
      Option.match(skewText(skew), {
        onNone: () => ok("clock", `${Math.round(Math.abs(skew) / 1000)} s from Amplitude's`),
        onSome: (message) => ({
          check: new SetupCheck({ name: "clock", state: "fail", message, error: "ClockSkew" }),
          kind: "permanent"
        })
      })
  })
}

const checkStore = Effect.gen(function* () {
  const store = yield* ObjectStorage
  return yield* Effect.gen(function* () {
    yield* store.check
    const first = yield* Stream.runHead(store.list)
    // Reading may need what looking at an object does not: a key, say.
    yield* Effect.transposeMapOption(first, ({ key }) => Stream.runHead(store.get(key)))
    const read = Option.match(first, {
      onNone: () => "nothing stands in it yet",
      onSome: ({ key }) => `"${key}" can be read`
    })
    return [
      ok("store", `${store.place}: can be listed and written to, overwrites nothing; ${read}`)
    ]
  }).pipe(Effect.catchAll((error) => Effect.succeed([failed("store", error)])))
}).pipe(Effect.withSpan("checkSetup.store"))

const checkFolder = Effect.fn("checkSetup.folder")(function* ({
  name,
  path,
  tryOut
}: WorkingFolder) {
  const found = yield* Effect.either(tryOut)
  if (found._tag === "Left") return [failed(name, found.left)]
  const free = `${(found.right / 1e9).toFixed(1)} GB free`
  if (found.right >= LEAST_SPACE) return [ok(name, `"${path}": can be written to, ${free}`)]
  const detail = `${free}, and archives may need more: make room, or name a folder on another disk`
  return [failed(name, new FolderError({ reason: "NoSpace", path, detail }))]
})
