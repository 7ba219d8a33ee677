/**
 * Runs a command with its layers, prints its report, and passes the report on to webhook and
 * telemetry.
 *
 * @module
 */
import { Effect, Layer, Option, Ref } from "effect"
import { withAlerts } from "../alerts.ts"
import type { CommandError } from "../CommandError.ts"
import type { CommandLine } from "../settings/commandLine.ts"
import type { CommonSettings, SettingsOf } from "../settings/settingsOf.ts"
import type { CommandName } from "../settings/table.ts"
import { withMetricsFile } from "../telemetry/metricsFile.ts"
import { withTelemetry } from "../telemetry/withTelemetry.ts"
import { asTyped, programName } from "../text/asTyped.ts"
import { print } from "../terminal/print.ts"
import { withProgress } from "../terminal/progress.ts"
import { clean } from "./clean.ts"
import { config } from "./config.ts"
import { all, fetch, sync } from "./land.ts"
import { load } from "./load.ts"
import { check, list, status, verify } from "./look.ts"
import { acceptGapsOf, gaps, withdrawGapsOf } from "./gaps.ts"
import { resolve } from "./resolve.ts"
import { failureReport, noText, type Report, type Work, work } from "./Report.ts"
import { setupBucket, setupIam } from "./setup.ts"

const works: { readonly [C in CommandName]: (settings: SettingsOf<C>) => Work } = {
  fetch,
  sync,
  all,
  load,
  status,
  gaps,
  "gaps accept": acceptGapsOf,
  "gaps withdraw": withdrawGapsOf,
  resolve,
  list,
  check,
  verify,
  clean,
  "setup bucket": setupBucket,
  "setup iam": setupIam,
  simulate: (settings) =>
    work({
      layer: Layer.empty,
      run: Effect.promise(() => import("../simulate/serve.ts")).pipe(
        Effect.flatMap(({ simulate }) => simulate(settings)),
        Effect.as({ json: {}, text: noText, exitCode: 0 })
      )
    }),
  config
}

/** Runs a command and returns its exit code. */
export const runCommand = Effect.fnUntraced(function* <C extends CommandName>(
  command: C,
  settings: SettingsOf<C>,
  telemetry: Readonly<Record<string, string | undefined>>,
  flags: CommandLine["flags"]
) {
  const asked = works[command](settings)
  const reported = yield* Ref.make(Option.none<Report>())
  const told = Effect.map(Ref.get(reported), (report) =>
    Option.match(
      Option.orElse(report, () => Option.fromNullable(asked.interrupted?.())),
      {
        onNone: () => ({}),
        onSome: ({ json, told = json }) => told
      }
    )
  )
  return yield* finished(asked, settings, flags, reported).pipe(
    withProgress(settings),
    withMetricsFile(command, settings),
    withAlerts(command, settings, told),
    withTelemetry(command, settings, telemetry)
  )
})

/** Keeps and prints a command's report, even if it fails or is interrupted. */
function finished(
  { interrupted, run }: Work,
  { json = false }: CommonSettings,
  flags: CommandLine["flags"],
  reported: Ref.Ref<Option.Option<Report>>
): Effect.Effect<number, CommandError> {
  const program = programName(process.argv[1] ?? "", process.cwd())
  const complete = (text: string) => asTyped(text, flags, program)
  const printed = (report: Report) =>
    print(json ? JSON.stringify(report.json) : complete(report.text(process.stdout)))
  return run((effect) =>
    effect.pipe(
      Effect.catchAll((error) =>
        error._tag === "CommandError" ? Effect.fail(error) : Effect.succeed(failureReport(error))
      ),
      Effect.onInterrupt(() =>
        interrupted === undefined ? Effect.void : Effect.ignore(printed(interrupted()))
      ),
      Effect.tap((report) => Ref.set(reported, Option.some(report))),
      Effect.tap(({ error }) =>
        error === undefined ? Effect.void : Effect.logError(complete(error))
      ),
      Effect.tap(printed),
      Effect.map(({ exitCode }) => exitCode)
    )
  )
}
