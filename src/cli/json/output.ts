/**
 * The JSON objects of a command: each is encoded by the Schema that is published for it.
 *
 * @module
 */
import { Schema } from "effect"
import type { AnyExitCode } from "../../programs/run/exitCode.ts"
import type { Failure } from "../../programs/run/Summary.ts"
import { version } from "../../programs/run/version.ts"
import { hostName } from "../machine.ts"
import type { CommandName } from "../settings/table.ts"
import { lakeOf, type LakeSettings } from "../text/lakeName.ts"
import type { Lake } from "./envelope.ts"
import { type JsonCommand, outputs, outputSchema, webhookSchema } from "./outputs.ts"

/** What a command has to report in JSON. */
export interface Reported {
  /** The command's own fields; absent if it ended before it had any. */
  readonly json?: object | undefined
  readonly exitCode: AnyExitCode
  readonly error?: Failure | undefined
  /** The lake's Amplitude project, if the command learned it. */
  readonly project?: string | undefined
}

/** Which run has something to report. */
export interface Reporter<C extends CommandName = JsonCommand> {
  readonly command: C
  readonly run: string
  /** Without settings, there is no lake. */
  readonly settings: LakeSettings | undefined
}

/** Whether a command has `--json`. */
export function hasJson(reporter: Reporter<CommandName>): reporter is Reporter {
  return isJsonCommand(reporter.command)
}

function isJsonCommand(command: CommandName): command is JsonCommand {
  return command in outputs
}

/** The line that `--json` prints. */
export function outputText(reporter: Reporter, report: Reported): string {
  const schema = outputSchema(reporter.command)
  return JSON.stringify(encoded(schema, { ...headOf(reporter, report), ...bodyOf(report) }))
}

/** The body that a webhook receives about a run. */
export function webhookBody(
  reporter: Reporter,
  report: Reported & { readonly text: string }
): object {
  const { command } = reporter
  const head = { text: report.text, ...headOf(reporter, report), host: hostName() }
  return encoded(webhookSchema(command) ?? outputSchema(command), { ...head, ...bodyOf(report) })
}

/** The body of a test message to a webhook. */
export function testBody(reporter: Reporter, text: string): object {
  return { text, ...headOf(reporter, {}), host: hostName(), test: true }
}

function headOf({ command, run, settings }: Reporter, { project }: Pick<Reported, "project">) {
  const { schema } = outputs[command]
  const named = settings === undefined ? null : lakeOf(settings)
  const lake: Lake | null = named === null ? null : { ...named, project }
  return { schema, command, run, version, lake }
}

function bodyOf({ error, exitCode, json }: Reported): object {
  return { ...json, exitCode, error }
}

function encoded(schema: Schema.Schema.AnyNoContext, value: object): object {
  return Schema.encodeUnknownSync(schema, { propertyOrder: "original" })(value) as object
}
