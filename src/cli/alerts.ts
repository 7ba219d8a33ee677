/**
 * Tells a webhook and a monitor how a run ended.
 *
 * @module
 */
import { Effect, Option, type Redacted } from "effect"
import { Heartbeat } from "../services/Heartbeat.ts"
import { Webhook } from "../services/Webhook.ts"
import { type AnyExitCode, meaningOf } from "../programs/run/exitCode.ts"
import type { CommandError } from "./CommandError.ts"
import { endingOf } from "./ending.ts"
import { hasJson, type Reported, testBody, webhookBody } from "./json/output.ts"
import type { JsonCommand } from "./json/outputs.ts"
import { heartbeatLayer, webhookLayer } from "./layers.ts"
import { RunId } from "./runId.ts"
import type { CommonSettings } from "./settings/settingsOf.ts"
import type { CommandName } from "./settings/table.ts"
import { plural } from "./text/printed.ts"
import { lakeOf, type LakeSettings } from "./text/lakeName.ts"

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
  settings: CommonSettings,
  reported: Effect.Effect<Option.Option<Reported>>
) {
  const { dryRun = false, heartbeat, notify, webhook } = settings
  return <R>(
    self: Effect.Effect<AnyExitCode, CommandError, R>
  ): Effect.Effect<AnyExitCode, CommandError, R> => {
    // Check declares a webhook without --notify: its result is not posted.
    const hook = notify === undefined ? undefined : webhook
    if (dryRun || (hook ?? heartbeat) === undefined) return self
    return Effect.onExit(self, (exit) => {
      const ending = endingOf(exit)
      const isPosted = hook !== undefined && (ending.exitCode !== 0 || notify === "always")
      const post = Effect.flatMap(Effect.all([reported, RunId]), ([report, run]) => {
        const reporter = { command, run, settings }
        if (!isPosted || !hasJson(reporter)) return Effect.void
        // What failed after its report ended with another code.
        const told = { ...Option.getOrUndefined(report), ...ending }
        const text = alertText(command, settings, told)
        return alert(hook, webhookBody(reporter, { ...told, text }), ending)
      })
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

/** The body of a test message. */
export const testMessage = (command: JsonCommand, settings: LakeSettings): Effect.Effect<object> =>
  Effect.map(RunId, (run) => {
    const text = `${senderText(command, settings)}: a test message; the webhook works`
    return testBody({ command, run, settings }, text)
  })

function senderText(command: CommandName, settings: LakeSettings): string {
  const lake = lakeOf(settings)
  return `amplitude-lake ${command}${lake === null ? "" : ` (${lake.store})`}`
}

/** Lists of hours that the sentence counts. */
const COUNTED = "landed empty loaded replaced failed postponed differing absent open".split(" ")
/** Those of what a pipe has loaded. */
const PIPED = ["reconciled", "holes", "doubles"]
/** Those of what was loaded after landing. */
const LOADED = {
  loaded: "loaded",
  replaced: "replaced",
  failed: "not loaded",
  postponed: "to be loaded",
  differing: "differing"
}

/**
 * A sentence that chat programs show: the lake, counts and fixed words only, so that no event and
 * no key can leak.
 */
function alertText(
  command: CommandName,
  settings: LakeSettings,
  { exitCode, json = {} }: Reported
): string {
  const result: Result = { ...json }
  const load: Result = { ...("load" in result ? (result["load"] as object) : {}) }
  const piped: Result = { ...("piped" in result ? (result["piped"] as object) : {}) }
  const counts = [
    ...COUNTED.flatMap((name) => countOf(result[name], name)),
    ...PIPED.flatMap((name) => countOf(piped[name], name)),
    ...Object.entries(LOADED).flatMap(([name, text]) => countOf(load[name], text))
  ]
  const parts = [
    `${senderText(command, settings)}: exit code ${exitCode}, ${meaningOf(exitCode)}`,
    ...(counts.length === 0 ? [] : [`hours: ${counts.join(", ")}`]),
    ...lakeParts(result)
  ]
  return parts.join("; ")
}

function countOf(hours: unknown, name: string): ReadonlyArray<string> {
  return Array.isArray(hours) && hours.length > 0 ? [`${hours.length} ${name}`] : []
}

type Result = Readonly<Record<string, unknown>>

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
