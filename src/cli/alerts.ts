/**
 * Tells a webhook and a monitor how a run ended.
 *
 * @module
 */
import { Effect, Option, type Redacted } from "effect"
import { Heartbeat } from "../services/Heartbeat.ts"
import { Webhook } from "../services/Webhook.ts"
import { meaningOf } from "../programs/run/exitCode.ts"
import type { CommandError } from "./CommandError.ts"
import { hostName } from "./machine.ts"
import { endingOf } from "./ending.ts"
import { heartbeatLayer, webhookLayer } from "./layers.ts"
import { runId } from "./terminal/logging.ts"
import type { CommonSettings, Store } from "./settings/settingsOf.ts"
import type { CommandName } from "./settings/table.ts"
import { plural } from "./text/printed.ts"
import { lakeName, lakeOf } from "./text/lakeName.ts"
import { version } from "../programs/run/version.ts"

/** A command's result, without the exit code. */
type Result = Readonly<Record<string, unknown>>

/** In milliseconds. */
const TIMEOUT = 10_000
/** Shorter, because a run must exit within ten seconds of a signal and has other work to finish. */
const TIMEOUT_AFTER_SIGNAL = 2000

/**
 * Posts how a run ended to the webhook, if there is one: failures only, or every run with `--notify
 * always`. Sends the heartbeat, if there is one. If that fails, it logs a warning, and the exit
 * code stays the same.
 */
export function withAlerts(
  command: CommandName,
  { dryRun = false, heartbeat, notify, store, webhook }: CommonSettings,
  told: Effect.Effect<object>
) {
  return <R>(
    self: Effect.Effect<number, CommandError, R>
  ): Effect.Effect<number, CommandError, R> => {
    // Check declares a webhook without --notify: its result is not posted.
    const hook = notify === undefined ? undefined : webhook
    if (dryRun || (hook ?? heartbeat) === undefined) return self
    return Effect.onExit(self, (exit) => {
      const ending = endingOf(exit)
      const isPosted = hook !== undefined && (ending.exitCode !== 0 || notify === "always")
      const post = Effect.flatMap(told, (result) =>
        isPosted ? alert(hook, bodyOf(command, store, ending, { ...result }), ending) : Effect.void
      )
      const beat = heartbeat === undefined ? Effect.void : sendHeartbeat(heartbeat, ending)
      return Effect.all([post, beat], { concurrency: "unbounded", discard: true })
    })
  }
}

type Ending = ReturnType<typeof endingOf>

function timeoutOf({ exitCode }: Ending): number {
  return exitCode > 128 ? TIMEOUT_AFTER_SIGNAL : TIMEOUT
}

const alert = Effect.fn("alert")(function* (
  webhook: Redacted.Redacted,
  body: object,
  ending: Ending
) {
  yield* Effect.flatMap(Webhook, ({ post }) => post(body, timeoutOf(ending))).pipe(
    Effect.provide(webhookLayer(webhook)),
    Effect.catchAll(({ message }) => Effect.logWarning(message))
  )
})

const sendHeartbeat = Effect.fn("sendHeartbeat")(function* (
  url: Redacted.Redacted,
  ending: Ending
) {
  const isSuccess = ending.exitCode === 0
  yield* Effect.flatMap(Heartbeat, ({ beat }) => beat(isSuccess, timeoutOf(ending))).pipe(
    Effect.provide(heartbeatLayer(url)),
    Effect.catchAll(({ message }) => Effect.logWarning(message))
  )
})

function bodyOf(
  command: CommandName,
  store: Store | undefined,
  { error, exitCode }: Ending,
  result: Result
): Result {
  return {
    text: alertText(command, store, exitCode, result),
    ...senderOf(command, store),
    ...result,
    exitCode,
    ...(error === undefined ? {} : { error })
  }
}

/** Which program, run, host and lake a webhook's body comes from. */
function senderOf(command: CommandName, store: Store | undefined): Result {
  const lake = store === undefined ? {} : { lake: lakeOf(store) }
  return { command, run: runId, version, host: hostName(), ...lake }
}

/** The body of a test message. */
export function testMessage(command: CommandName, store: Store): Result {
  const text = `${senderText(command, store)}: a test message; the webhook works`
  return { text, ...senderOf(command, store), test: true }
}

function senderText(command: CommandName, store: Store | undefined): string {
  return `amplitude-lake ${command}${store === undefined ? "" : ` (${lakeName(store)})`}`
}

/** Lists of hours that the sentence counts. */
const COUNTED = "landed empty loaded replaced failed postponed differing absent open".split(" ")

/**
 * A sentence that chat programs show: the lake, counts and fixed words only, so that no event and
 * no key can leak.
 */
function alertText(
  command: CommandName,
  store: Store | undefined,
  exitCode: number,
  result: Result
): string {
  const counts = COUNTED.flatMap((name) => {
    const hours = Option.liftPredicate(result[name], Array.isArray)
    return Option.isSome(hours) && hours.value.length > 0 ? [`${hours.value.length} ${name}`] : []
  })
  const parts = [
    `${senderText(command, store)}: exit code ${exitCode}, ${meaningOf(exitCode)}`,
    ...(counts.length === 0 ? [] : [`hours: ${counts.join(", ")}`]),
    ...lakeParts(result)
  ]
  return parts.join("; ")
}

/** How many hours are missing, and how many have two versions. */
function lakeParts(result: Result): ReadonlyArray<string> {
  const missing = ["gaps", "olderGaps"].reduce((sum, name) => sum + hoursIn(result[name]), 0)
  const { conflicts } = result
  const open = Array.isArray(conflicts) ? conflicts.length : 0
  return [
    ...(missing === 0 ? [] : [`${plural(missing, "hour")} missing`]),
    ...(open === 0 ? [] : [plural(open, "open conflict")])
  ]
}

function hoursIn(gaps: unknown): number {
  const isCounted = typeof gaps === "object" && gaps !== null && "hours" in gaps
  return isCounted && typeof gaps.hours === "number" ? gaps.hours : 0
}
