/**
 * Prints the reports of `setup snowflake`.
 *
 * @module
 */
import { Either } from "effect"
import type { WarehouseReport } from "../../../programs/setup/setupWarehouse.ts"
import type { StoreAccess } from "../../../services/WarehouseSetup.ts"
import { type Setting, variableOf } from "../../settings/setting.ts"
import { setupSettings } from "../../settings/setup.ts"
import { plural, wrapped } from "../printed.ts"

/** One line per part: its state, its name, and what it was and is. Wraps at `width`. */
export function warehouseSetupText({ items }: WarehouseReport, width = Infinity): string {
  const longest = Math.max(...items.map(({ name }) => name.length))
  const lines = items.map(({ from, message, name, state }) => {
    const head = `${state.padEnd(14)}${name.padEnd(longest + 2)}`
    const text = from === undefined ? message : `${from} -> ${message}`
    return head + wrapped(text, width - head.length).join(`\n${" ".repeat(head.length)}`)
  })
  const open = items.filter(({ state }) => state === "would change").length
  if (open > 0)
    lines.push(
      `${plural(open, "part")} would change; nothing was changed. Run again with --apply, or with --print for the statements.`
    )
  return lines.join("\n")
}

export function scriptText(statements: ReadonlyArray<string>): string {
  return statements.map((it) => `${it};`).join("\n\n")
}

/** Empty for a value that the setting itself would refuse: no text of others gets into an env file. */
function lineOf(
  { flag, parse }: Pick<Setting<unknown>, "flag" | "parse">,
  value: string | null
): ReadonlyArray<string> {
  if (value === null || flag === undefined || Either.isLeft(parse(value, 0))) return []
  return [`${variableOf(flag)}="${value}"`]
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ")
}

/** Lines of an env file. What is no setting of this program is a comment there. */
export function accessText({
  application,
  consentUrl,
  externalId,
  queue,
  trustedArn
}: StoreAccess): string {
  return [
    ...lineOf(setupSettings.trustedArn, trustedArn),
    ...lineOf(setupSettings.externalId, externalId),
    ...lineOf(setupSettings.notifyQueue, queue),
    ...(consentUrl === null
      ? []
      : [`# An administrator of the tenant agrees at ${oneLine(consentUrl)}`]),
    ...(application === null
      ? []
      : [`# Then ${oneLine(application)} needs Storage Blob Data Reader`])
  ].join("\n")
}
