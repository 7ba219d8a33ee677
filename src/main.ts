#!/usr/bin/env node
/**
 * The command line: flags, environment and env file in, exit code out.
 *
 * @module
 */
import { Cause, Effect, Either, Exit } from "effect"
import { runMain } from "@effect/platform-node/NodeRuntime"
import { type CommandLine, readCommandLine } from "./cli/commandLine.ts"
import { readEnvFile } from "./cli/envFile.ts"
import { withLogs } from "./cli/logging.ts"
import { settings } from "./cli/settings.ts"
import { settle } from "./cli/settle.ts"
import { exitCodeOfSignal } from "./cli/signals.ts"

const [DEFECT, USAGE] = [1, 2]

const INTERRUPTED_TEXT =
  "Interrupted, and cleaned up: run the same command again to go on from here"

const run = Effect.fn("main")(function* ({ command, flags }: CommandLine) {
  const named = flags.envFile
  const fileName = typeof named === "string" ? named : settings.envFile.fallback
  const file = yield* readEnvFile(fileName, named !== undefined).pipe(
    withLogs({ logLevel: "info", logFormat: undefined })
  )
  const settled = settle(command, {
    flags,
    environment: process.env,
    file,
    fileName,
    now: Date.now()
  })
  if (Either.isLeft(settled)) return yield* misuse(command, settled.left)
  handOver(settled.right.s3.variables)

  const { runCommand } = yield* Effect.promise(() => import("./cli/commands.ts"))
  return yield* runCommand[command](settled.right).pipe(withLogs(settled.right))
})

/** Lets the SDK's own chain find what the env file says, and no blank variable. */
function handOver(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

function misuse(command: string, problems: ReadonlyArray<string>): Effect.Effect<number> {
  return Effect.sync(() => {
    console.error(
      [
        `amplitude-lake ${command} cannot run:`,
        ...problems.map((problem) => `  ${problem}`),
        `Nothing was touched. See: amplitude-lake ${command} --help`
      ].join("\n")
    )
    return USAGE
  })
}

/** A defect's message and where it arose; never the object, which may carry what it was about. */
function defectText(cause: Cause.Cause<unknown>): string {
  const defects = [...Cause.defects(cause)]
  const texts = defects.map((defect) => (defect instanceof Error ? defect.stack : undefined))
  return `A defect in amplitude-lake, please report it: ${texts.join("\n") || "unknown"}`
}

// What goes wrong with stdout is for whoever prints to say; here it would be an uncaught exception.
process.stdout.on("error", () => {})

const line = readCommandLine(process.argv.slice(2))
if (typeof line === "number") {
  process.exitCode = line
} else {
  runMain(
    run(line).pipe(
      Effect.catchTags({
        EnvFileError: ({ message }) => misuse(line.command, [message]),
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
        if (Exit.isSuccess(exit)) return onExit(exit.value as number)
        if (Cause.isInterruptedOnly(exit.cause)) {
          if (line.command !== "simulate") console.error(INTERRUPTED_TEXT)
          return onExit(exitCodeOfSignal())
        }
        console.error(defectText(exit.cause))
        return onExit(DEFECT)
      }
    }
  )
}
