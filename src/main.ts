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
import * as logging from "./cli/logging.ts"
import { settings } from "./cli/settings.ts"
import { settle } from "./cli/settle.ts"

const [DEFECT, USAGE, INTERRUPTED, TERMINATED] = [1, 2, 130, 143]

const INTERRUPTED_TEXT =
  "Interrupted, and cleaned up: run the same command again to go on from here"

const run = Effect.fn("main")(function* ({ command, flags }: CommandLine) {
  const named = flags.envFile
  const fileName = typeof named === "string" ? named : settings.envFile.fallback
  const file = yield* readEnvFile(fileName, named !== undefined)
  const settled = settle(command, {
    flags,
    environment: process.env,
    file,
    fileName,
    now: Date.now()
  })
  if (Either.isLeft(settled)) return yield* misuse(command, settled.left)

  const { runCommand } = yield* Effect.promise(() => import("./cli/commands.ts"))
  return yield* runCommand[command](settled.right).pipe(
    Effect.provide(logging.layer(settled.right))
  )
})

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

const line = readCommandLine(process.argv.slice(2))
if (typeof line === "number") {
  process.exitCode = line
} else {
  let signalled = INTERRUPTED
  process.once("SIGTERM", () => {
    signalled = TERMINATED
  })
  // A reader that left (`| head`) ends the printing, not the run.
  process.stdout.on("error", () => {})

  runMain(
    run(line).pipe(
      Effect.catchTags({
        EnvFileError: ({ message }) => misuse(line.command, [message]),
        CommandError: ({ message, exitCode }) =>
          Effect.as(
            Effect.sync(() => console.error(message)),
            exitCode
          )
      }),
      Effect.provide(logging.layer({ logLevel: "info", logFormat: undefined }))
    ),
    {
      disableErrorReporting: true,
      disablePrettyLogger: true,
      teardown: (exit, onExit) => {
        if (Exit.isSuccess(exit)) return onExit(exit.value as number)
        if (Cause.isInterruptedOnly(exit.cause)) {
          if (line.command !== "simulate") console.error(INTERRUPTED_TEXT)
          return onExit(signalled)
        }
        console.error(defectText(exit.cause))
        return onExit(DEFECT)
      }
    }
  )
}
