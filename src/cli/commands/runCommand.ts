/**
 * Runs a command with its layers, prints its report, and passes the report on to webhook and
 * telemetry.
 *
 * @module
 */
import { Cause, Effect, Exit, Layer, Option, Ref } from "effect"
import { withAlerts } from "../alerts.ts"
import type { CommandError } from "../CommandError.ts"
import type { CommandLine } from "../settings/commandLine.ts"
import type { CommonSettings, SettingsOf } from "../settings/settingsOf.ts"
import type { CommandName } from "../settings/table.ts"
import { hasJson, outputText } from "../json/output.ts"
import type { ReportOf } from "../json/outputs.ts"
import { type AnyExitCode, EXIT } from "../../programs/run/exitCode.ts"
import { RunId } from "../runId.ts"
import { withMetricsFile } from "../telemetry/metricsFile.ts"
import { withTelemetry } from "../telemetry/withTelemetry.ts"
import { asTyped, programName } from "../text/asTyped.ts"
import type { LakeSettings } from "../text/lakeName.ts"
import { print } from "../terminal/print.ts"
import { withProgress } from "../terminal/progress.ts"
import { backfill } from "./backfill.ts"
import { clean } from "./clean.ts"
import { config } from "./config.ts"
import { copy } from "./lake/copy.ts"
import { exportTables } from "./lake/exportTables.ts"
import { all, fetch, sync } from "./land.ts"
import { load } from "./load.ts"
import { check, list, status, verify } from "./look.ts"
import { acceptGapsOf, gaps, withdrawGapsOf } from "./gaps.ts"
import { model } from "./model.ts"
import { report } from "./writeReport.ts"
import { redact } from "./lake/redact.ts"
import { reland } from "./lake/reland.ts"
import { snapshot } from "./lake/snapshot.ts"
import { resolve } from "./resolve.ts"
import { endedReport, failureReport, noText, type Report, type Work, work } from "./Report.ts"
import { setupBucket, setupIam } from "./setup.ts"
import { setupSnowflake } from "./setupSnowflake.ts"
import { sql } from "./sql.ts"
import { worker } from "./worker.ts"

const works: { readonly [C in CommandName]: (settings: SettingsOf<C>) => Work<ReportOf<C>> } = {
  fetch,
  sync,
  all,
  backfill,
  worker,
  load,
  model,
  report,
  sql,
  status,
  gaps,
  "gaps accept": acceptGapsOf,
  "gaps withdraw": withdrawGapsOf,
  resolve,
  list,
  check,
  verify,
  copy,
  export: exportTables,
  reland,
  redact,
  snapshot,
  clean,
  "setup bucket": setupBucket,
  "setup iam": setupIam,
  "setup snowflake": setupSnowflake,
  simulate: (settings) =>
    work({
      layer: Layer.empty,
      run: Effect.promise(() => import("../simulate/serve.ts")).pipe(
        Effect.flatMap(({ simulate }) => simulate(settings)),
        Effect.as({ text: noText, exitCode: EXIT.done })
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
  const asked: Work<object | undefined> = works[command](settings)
  const common: CommonSettings & LakeSettings =
    "lakes" in settings ? { ...settings, store: undefined } : settings
  const reported = yield* Ref.make(Option.none<Report>())
  const program = programName(process.argv[1] ?? "", process.cwd())
  const complete = (text: string) => asTyped(text, flags, program)
  const reporter = { command, run: yield* RunId, settings: common }
  const show = (report: Report) =>
    common.json === true && hasJson(reporter)
      ? outputText(reporter, report)
      : complete(report.text(process.stdout))
  return yield* finished(asked, { show, complete }, reported).pipe(
    withProgress(settings),
    withMetricsFile(command, common),
    withAlerts(command, common, Ref.get(reported)),
    withTelemetry(command, settings, telemetry)
  )
})

interface Texts {
  /** What is printed of a report. */
  readonly show: (report: Report) => string
  /** Makes commands in a text complete, so that they can be pasted. */
  readonly complete: (text: string) => string
}

/** Keeps and prints a command's report, also that of one that fails or is interrupted. */
function finished(
  { interrupted, run }: Work<object | undefined>,
  { complete, show }: Texts,
  reported: Ref.Ref<Option.Option<Report>>
): Effect.Effect<AnyExitCode, CommandError> {
  const keep = (report: Report) =>
    Effect.zipRight(
      Ref.set(reported, Option.some(report)),
      Effect.suspend(() => print(show(report)))
    )
  // A signal or a defect may come while the layers are made, too.
  const reportEnd = Effect.onExit((exit: Exit.Exit<AnyExitCode, CommandError>) =>
    Effect.flatMap(Ref.get(reported), (kept) =>
      Exit.isSuccess(exit) || Option.isSome(kept)
        ? Effect.void
        : Effect.ignore(
            keep(
              (Cause.isInterruptedOnly(exit.cause) ? interrupted?.() : undefined) ??
                endedReport(exit)
            )
          )
    )
  )
  return run((effect) =>
    effect.pipe(
      Effect.catchAll((error) =>
        error._tag === "CommandError" ? Effect.fail(error) : Effect.succeed(failureReport(error))
      ),
      Effect.tap(({ error }) =>
        error === undefined ? Effect.void : Effect.logError(complete(error.message))
      ),
      Effect.tap(keep),
      Effect.map(({ exitCode }) => exitCode),
      reportEnd
    )
  ).pipe(reportEnd)
}
