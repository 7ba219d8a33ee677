#!/usr/bin/env node
/**
 * The command line: flags, environment and env file in, exit code out.
 *
 * @module
 */
import { setFlagsFromString } from "node:v8"
import { Effect, Either, type Exit } from "effect"
import { runMain } from "@effect/platform-node/NodeRuntime"
import type { CommandError } from "./cli/CommandError.ts"
import { type CommandLine, readCommandLine } from "./cli/settings/commandLine.ts"
import { endingOf, INTERRUPTED_ERROR, INTERRUPTED_TEXT, logEnding } from "./cli/ending.ts"
import { readEnvFile } from "./cli/settings/env/envFile.ts"
import { openLogFile } from "./cli/terminal/logFile.ts"
import { print } from "./cli/terminal/print.ts"
import { runId, withLogs, withLogsInFile } from "./cli/terminal/logging.ts"
import type { SettingsOf } from "./cli/settings/settingsOf.ts"
import { envFileOf } from "./cli/settings/readSettings.ts"
import { type CommandName, settings } from "./cli/settings/table.ts"
import { resolveSettings } from "./cli/settings/resolve.ts"
import { otlpVariables } from "./cli/telemetry/otlpVariables.ts"
import { version } from "./programs/run/version.ts"
import { type AnyExitCode, EXIT } from "./programs/run/exitCode.ts"

const run = Effect.fn("main")(function* ({ command, flags }: CommandLine) {
  const { isNamed, path: fileName } = envFileOf({ flags, environment: process.env })
  // The other sources are not read yet.
  const logFormat = Either.getOrUndefined(
    settings.logFormat.parse(String(flags.logFormat), Date.now())
  )
  const { lines, variables: file } = yield* readEnvFile(fileName, isNamed).pipe(
    withLogs({ logLevel: "info", logFormat })
  )
  const resolved = resolveSettings(command, {
    flags,
    environment: process.env,
    file,
    fileLines: lines,
    fileName,
    now: Date.now()
  })
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
  const name = { command, run: runId, now: Date.now() }
  const logFile = logDir === undefined ? undefined : yield* openLogFile(logDir, name)
  const logs = { ...settings, logFile }
  yield* Effect.logInfo(`amplitude-lake ${version} begins: ${command}`).pipe(withLogsInFile(logs))

  const { runCommand } = yield* Effect.promise(() => import("./cli/commands/runCommand.ts"))
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
    const { isJsonCommand, outputText } = yield* Effect.promise(
      () => import("./cli/json/output.ts")
    )
    const error = { error: "UsageError", message: problems.join("\n") }
    if (isJsonCommand(command)) {
      yield* print(outputText(command, undefined, { exitCode, error }))
    }
  }
  return exitCode
})

// The data passing through is outside V8's heap, and minor collections release it. If the young
// generation does not grow, they run often enough to lower a day's peak by 50 MB.
setFlagsFromString("--semi-space-growth-factor=1")

// The code that prints reports errors of stdout; without a listener here they would be uncaught
// exceptions. Errors of stderr cannot be reported anywhere.
process.stdout.on("error", () => {})
process.stderr.on("error", () => {})

const line = readCommandLine(process.argv.slice(2))
if (typeof line === "number") {
  process.exitCode = line
} else {
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
      })
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
