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
import { runId } from "../terminal/logging.ts"
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

export function isJsonCommand(command: CommandName): command is JsonCommand {
  return command in outputs
}

/** The line that `--json` prints. Without settings, there is no lake. */
export function outputText(
  command: JsonCommand,
  settings: LakeSettings | undefined,
  report: Reported
): string {
  return JSON.stringify(
    encoded(outputSchema(command), { ...headOf(command, settings, report), ...bodyOf(report) })
  )
}

/** The body that a webhook receives about a run. */
export function webhookBody(
  command: JsonCommand,
  settings: LakeSettings,
  report: Reported & { readonly text: string }
): object {
  const head = { text: report.text, ...headOf(command, settings, report), host: hostName() }
  return encoded(webhookSchema(command) ?? outputSchema(command), { ...head, ...bodyOf(report) })
}

/** The body of a test message to a webhook. */
export function testBody(command: JsonCommand, settings: LakeSettings, text: string): object {
  return { text, ...headOf(command, settings, {}), host: hostName(), test: true }
}

function headOf(
  command: JsonCommand,
  settings: LakeSettings | undefined,
  { project }: Pick<Reported, "project">
) {
  const { schema } = outputs[command]
  const named = settings === undefined ? null : lakeOf(settings)
  const lake: Lake | null = named === null ? null : { ...named, project }
  return { schema, command, run: runId, version, lake }
}

function bodyOf({ error, exitCode, json }: Reported): object {
  return { ...json, exitCode, error }
}

function encoded(schema: Schema.Schema.AnyNoContext, value: object): object {
  return Schema.encodeUnknownSync(schema, { propertyOrder: "original" })(value) as object
}
