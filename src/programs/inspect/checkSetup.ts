import { Clock as EffectClock, Effect, Option, Schema, Stream } from "effect"
import { Amplitude } from "../../services/Amplitude.ts"
import { Clock } from "../../services/Clock.ts"
import { Folders, FolderError, type WorkingFolder } from "../../services/Folders.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Webhook } from "../../services/Webhook.ts"
import { Window } from "../../services/Window.ts"
import { clockSkew, skewText, type TimedAnswer } from "../fetch/clockSkew.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind, type RunError } from "../run/failureKind.ts"
import * as defaults from "../run/defaults.ts"
import type { FailureKind } from "../run/HourOutcome.ts"
import type { LagOptions } from "../run/Run.ts"

/** The result of one check of the setup. */
export class SetupCheck extends Schema.Class<SetupCheck>("SetupCheck")({
  name: Schema.String,
  /** `unknown` if another failure made this check impossible. */
  state: Schema.Literal("ok", "fail", "unknown"),
  /** What was found and, after a failure, what to do. */
  message: Schema.String,
  /** Class and reason of the failure, such as `AmplitudeError.Forbidden`. */
  error: Schema.optional(Schema.String)
}) {}

export class SetupChecks extends Schema.Class<SetupChecks>("SetupChecks")({
  checks: Schema.Array(SetupCheck),
  /** 0 if nothing failed; otherwise the first of 8, 7, 2 or 5 that applies. */
  exitCode: ExitCode
}) {}

export interface CheckOptions extends LagOptions {
  /** The body that is posted to the webhook, if there is one. */
  readonly testMessage?: object | undefined
}

/** A check, and the kind of its failure. */
interface Finding {
  readonly check: SetupCheck
  readonly kind?: FailureKind
}

/** In bytes. Archives soon fill less than this. */
const LEAST_SPACE = 1e9

/**
 * Tests everything that a run needs, even after a failure: the keys (by exporting one closed hour
 * and discarding it), the clock (against that answer), the store (as every run does first), and the
 * folders and their free space, and the webhook if one is provided. Lands nothing. Like a run, it leaves an empty probe object that
 * listings hide.
 */
export const checkSetup = Effect.fn("checkSetup")(function* (options: CheckOptions = {}) {
  const folders = yield* Folders
  const findings = yield* Effect.all(
    [
      checkAmplitude(options),
      checkStore,
      ...folders.all.map(checkFolder),
      checkWebhook(options.testMessage)
    ],
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

const WEBHOOK_TIMEOUT = "10 seconds"

/** Posts the test message, if a webhook is provided. */
const checkWebhook = Effect.fn("checkSetup.webhook")(function* (message: object = {}) {
  const webhook = yield* Effect.serviceOption(Webhook)
  if (Option.isNone(webhook)) return []
  return yield* webhook.value.post(message, WEBHOOK_TIMEOUT).pipe(
    Effect.as([ok("webhook", "has accepted a test message")]),
    Effect.catchAll(({ isTransient, message, reason }) => {
      const check = {
        name: "webhook",
        state: "fail",
        message,
        error: `WebhookError.${reason}`
      } as const
      const kind: FailureKind = isTransient ? "temporary" : "permanent"
      return Effect.succeed([{ check: new SetupCheck(check), kind }])
    })
  )
})

function failed(name: string, error: RunError | FolderError): Finding {
  const { message } = error
  const check = { name, state: "fail", message, error: errorName(error) } as const
  return { check: new SetupCheck(check), kind: failureKind(error) }
}

/** The keys and, with the same answer, the clock. */
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
    const what = Option.isSome(archive) ? "and its archive discarded" : "which has no events"
    return [
      ok("keys", `accepted: ${hour} was exported as a test, ${what}`),
      checkClock({ date, sent, answered })
    ]
  })
  return yield* Effect.scoped(asked).pipe(
    Effect.catchAll((error) => {
      const message = "not compared, because there was no answer from Amplitude"
      const check = new SetupCheck({ name: "clock", state: "unknown", message })
      return Effect.succeed([failed("keys", error), { check }])
    })
  )
})

function checkClock(answer: TimedAnswer): Finding {
  return Option.match(clockSkew(answer), {
    onNone: () => {
      const message = "not compared, because Amplitude's answer has no Date"
      return { check: new SetupCheck({ name: "clock", state: "unknown", message }) }
    },
    onSome: (skew) =>
      Option.match(skewText(skew), {
        onNone: () => ok("clock", `${Math.round(Math.abs(skew) / 1000)} s from Amplitude's clock`),
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
    // Reading can need more permissions than looking an object up, for example on a key.
    yield* Effect.transposeMapOption(first, ({ key }) => Stream.runHead(store.get(key)))
    const read = Option.match(first, {
      onNone: () => "empty so far",
      onSome: ({ key }) => `"${key}" can be read`
    })
    return [ok("store", `${store.place}: readable and writable, refuses overwrites; ${read}`)]
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
  if (found.right >= LEAST_SPACE) return [ok(name, `"${path}": writable, ${free}`)]
  const detail = `${free}, which may not be enough for archives; free some space or use a folder on another disk`
  return [failed(name, new FolderError({ reason: "NoSpace", path, detail }))]
})
