/**
 * The JSON Schemas of every output, as they are published.
 *
 * @module
 */
import { JSONSchema, type Schema } from "effect"
import { type JsonCommand, jsonCommands, outputs, outputSchema, webhookSchema } from "./outputs.ts"

/** Where the dialect is described, as every JSON Schema names it. */
const DIALECT = "https://json-schema.org/draft/2020-12/schema"

/** Every JSON Schema by its file's name below `schemas/`, as text. */
export function jsonSchemas(): ReadonlyMap<string, string> {
  const files = jsonCommands.flatMap((command) => {
    const name = command.replaceAll(" ", "-")
    const { schema } = outputs[command]
    const posted = webhookSchema(command)
    const [printed, webhook] = [`${name}:${schema}`, `webhook:${name}:${schema}`]
    return [
      [`${name}.json`, schemaText(outputSchema(command), printed, titleOf(command))] as const,
      ...(posted === undefined
        ? []
        : [
            [
              `webhook/${name}.json`,
              schemaText(posted, webhook, `What a webhook receives from ${command}`)
            ] as const
          ])
    ]
  })
  return new Map(files)
}

function titleOf(command: JsonCommand): string {
  return `What amplitude-lake ${command} prints with --json`
}

function schemaText(schema: Schema.Schema.AnyNoContext, id: string, title: string): string {
  const $defs = {}
  const made = JSONSchema.fromAST(schema.ast, { definitions: $defs, target: "jsonSchema2020-12" })
  const whole = { $schema: DIALECT, $id: `urn:amplitude-lake:${id}`, title, ...made, $defs }
  return `${JSON.stringify(whole, withoutAdded, 2)}\n`
}

/** What Effect says of its own refinements, which other keywords say, too. */
const OF_REFINEMENTS = /^(int|nonNegative|an integer|a string matching the pattern .*)$/

/** Fields may be added, so no schema forbids unknown ones, as those that Effect makes do. */
function withoutAdded(name: string, value: unknown): unknown {
  if (name === "additionalProperties" && value === false) return undefined
  const isText = (name === "title" || name === "description") && typeof value === "string"
  return isText && OF_REFINEMENTS.test(value) ? undefined : value
}
