/**
 * Posts the result of a run to a webhook.
 *
 * @module
 */
import { Effect, type Exit, Option, type Redacted } from "effect"
import { Webhook } from "../services/Webhook.ts"
import { meaningOf } from "../programs/run/exitCode.ts"
import type { CommandError } from "./CommandError.ts"
import { endingOf } from "./ending.ts"
import { webhookLayer } from "./layers.ts"
import { runId } from "./terminal/logging.ts"
import type { CommonSettings } from "./settings/settingsOf.ts"
import type { CommandName, Values } from "./settings/table.ts"
import { version } from "../programs/run/version.ts"

/** A command's result, without the exit code. */
type Result = Readonly<Record<string, unknown>>

/** In milliseconds. */
const TIMEOUT = 10_000
/** Shorter, because a run must exit within ten seconds of a signal and has other work to finish. */
const TIMEOUT_AFTER_SIGNAL = 2000

/**
 * Posts how a run ended to the webhook, if there is one: failures only, or every run with `--notify
 * always`. If the post fails, it logs a warning, and the exit code stays the same.
 */
export function withAlerts(
  command: CommandName,
  { dryRun = false, notify, webhook }: CommonSettings,
  told: Effect.Effect<object>
) {
  return <R>(
    self: Effect.Effect<number, CommandError, R>
  ): Effect.Effect<number, CommandError, R> =>
    webhook === undefined || dryRun
      ? self
      : Effect.onExit(self, (exit) =>
          Effect.flatMap(told, (result) => alert(command, { notify, webhook }, { ...result }, exit))
        )
}

interface Hook {
  readonly webhook: Redacted.Redacted
  readonly notify: Values["notify"] | undefined
}

const alert = Effect.fn("alert")(function* (
  command: CommandName,
  { notify, webhook }: Hook,
  result: Result,
  exit: Exit.Exit<number, CommandError>
) {
  const { error, exitCode } = endingOf(exit)
  if (exitCode === 0 && notify === "failure") return
  const body = {
    text: alertText(command, exitCode, result),
    command,
    run: runId,
    version,
    ...result,
    exitCode,
    ...(error === undefined ? {} : { error })
  }
  const timeout = exitCode > 128 ? TIMEOUT_AFTER_SIGNAL : TIMEOUT
  yield* Effect.flatMap(Webhook, (webhook) => webhook.post(body, timeout)).pipe(
    Effect.provide(webhookLayer(webhook)),
    Effect.catchAll(({ message }) => Effect.logWarning(message))
  )
})

/** A sentence that chat programs show: counts and fixed words only, so nothing can leak. */
function alertText(command: CommandName, exitCode: number, result: Result): string {
  const counts = ["landed", "empty", "failed", "differing", "open"].flatMap((name) => {
    const hours = Option.liftPredicate(result[name], Array.isArray)
    return Option.isSome(hours) && hours.value.length > 0 ? [`${hours.value.length} ${name}`] : []
  })
  const hours = counts.length === 0 ? "" : `; hours: ${counts.join(", ")}`
  return `amplitude-lake ${command}: exit code ${exitCode}, ${meaningOf(exitCode)}${hours}`
}
