/**
 * The command line: flags, environment and env file in, exit code out.
 *
 * @module
 */
import { Effect, Either, type Exit } from "effect"
import { runMain } from "@effect/platform-node/NodeRuntime"
import type { CommandError } from "./CommandError.ts"
import { type CommandLine, readCommandLine } from "./settings/commandLine.ts"
import { endingOf, INTERRUPTED_ERROR, INTERRUPTED_TEXT, logEnding } from "./ending.ts"
import { needsConnection } from "./settings/env/snowflake.ts"
import { readEnvFile } from "./settings/env/envFile.ts"
import { openLogFile } from "./terminal/logFile.ts"
import { print } from "./terminal/print.ts"
import { newRunId, RunId } from "./runId.ts"
import { withLogs, withLogsInFile } from "./terminal/logging.ts"
import type { SettingsOf } from "./settings/settingsOf.ts"
import { envFileOf } from "./settings/readSettings.ts"
import { type CommandName, settings } from "./settings/table.ts"
import { envFilesOf, resolveLakes } from "./settings/severalLakes.ts"
import { otlpVariables } from "./telemetry/otlpVariables.ts"
import { version } from "../programs/run/version.ts"
import { type AnyExitCode, EXIT } from "../programs/run/exitCode.ts"

const run = Effect.fn("main")(function* ({ command, flags }: CommandLine) {
  const named = envFileOf({ flags, environment: process.env })
  const fileNames = yield* envFilesOf(command, named)
  // The other sources are not read yet.
  const logFormat = Either.getOrUndefined(
    settings.logFormat.parse(String(flags.logFormat), Date.now())
  )
  const files = yield* Effect.forEach(fileNames, (fileName) =>
    Effect.map(
      withLogs({ logLevel: "info", logFormat })(readEnvFile(fileName, named.isNamed)),
      ({ lines, variables }) => ({ fileName, fileLines: lines, file: variables })
    )
  )
  const file = files[0]?.file ?? {}
  const usesSnowflake =
    command === "setup snowflake" || command === "config" || flags.warehouse === "snowflake"
  const connection =
    usesSnowflake && needsConnection(process.env, file)
      ? (yield* Effect.promise(() => import("./settings/env/connections.ts"))).readConnection(
          process.env,
          file
        )
      : undefined
  const now = Date.now()
  const resolved = resolveLakes(
    command,
    files.map((it) => ({
      ...it,
      connection,
      flags: flags.envFile === undefined ? flags : { ...flags, envFile: it.fileName },
      environment: process.env,
      now
    }))
  )
  if (Either.isLeft(resolved)) return yield* misuse({ command, flags }, resolved.left)
  exportEnv(resolved.right.variables)
  yield* Effect.forEach(resolved.right.warnings, (it) => Effect.logWarning(it)).pipe(
    withLogs(resolved.right.settings)
  )
  return yield* runResolved(
    command,
    resolved.right.settings,
    otlpVariables(process.env, file),
    flags
  )
}, Effect.scoped)

const runResolved = Effect.fnUntraced(function* <C extends CommandName>(
  command: C,
  settings: SettingsOf<C>,
  telemetry: ReturnType<typeof otlpVariables>,
  flags: CommandLine["flags"]
) {
  const { logDir } = settings
  const name = { command, run: yield* RunId, now: Date.now() }
  const logFile = logDir === undefined ? undefined : yield* openLogFile(logDir, name)
  const logs = { ...settings, logFile }
  yield* Effect.logInfo(`amplitude-lake ${version} begins: ${command}`).pipe(withLogsInFile(logs))

  const { runCommand } = yield* Effect.promise(() => import("./commands/runCommand.ts"))
  return yield* runCommand(command, settings, telemetry, flags).pipe(
    withLogs(logs),
    Effect.onExit((exit) => withLogsInFile(logs)(logEnding(exit)))
  )
})

/** Gives the SDKs' credential chains the variables of the env file, and no blank ones. */
function exportEnv(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

/** Explains why a command cannot begin, also to a script. */
const misuse = Effect.fnUntraced(function* (
  { command, flags }: CommandLine,
  problems: ReadonlyArray<string>
) {
  const { usage: exitCode } = EXIT
  console.error(
    [
      `amplitude-lake ${command} cannot run:`,
      ...problems.map((problem) => `  ${problem}`),
      `Nothing was changed. See: amplitude-lake ${command} --help`
    ].join("\n")
  )
  if (flags.json === true) {
    const { hasJson, outputText } = yield* Effect.promise(() => import("./json/output.ts"))
    const error = { error: "UsageError", message: problems.join("\n") }
    const reporter = { command, run: yield* RunId, settings: undefined }
    if (hasJson(reporter)) yield* print(outputText(reporter, { exitCode, error }))
  }
  return exitCode
})

/** Runs a command line in this process, which ends with its exit code. */
export function main(argv: ReadonlyArray<string>): void {
  const line = readCommandLine(argv)
  if (typeof line === "number") {
    process.exitCode = line
    return
  }
  runMain(
    run(line).pipe(
      Effect.catchTags({
        EnvFileError: ({ message }) => misuse(line, [message]),
        LogFileError: ({ message }) => misuse(line, [message])
      }),
      Effect.catchTags({
        CommandError: ({ message, exitCode }) =>
          Effect.as(
            Effect.sync(() => console.error(message)),
            exitCode
          )
      }),
      Effect.provideService(RunId, newRunId())
    ),
    {
      disableErrorReporting: true,
      disablePrettyLogger: true,
      teardown: (exit, onExit) => {
        const { error, exitCode } = endingOf(exit as Exit.Exit<AnyExitCode, CommandError>)
        if (error !== INTERRUPTED_ERROR) {
          if (error !== undefined) console.error(error.message)
        } else if (line.command !== "simulate") console.error(INTERRUPTED_TEXT)
        return onExit(exitCode)
      }
    }
  )
}
