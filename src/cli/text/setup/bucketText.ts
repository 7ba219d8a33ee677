/**
 * Prints the report of `setup bucket`.
 *
 * @module
 */
import type { BucketReport } from "../../../programs/setup/setupBucket.ts"
import { plural, wrapped } from "../printed.ts"

/** One line per setting: its state, its name, and its old and new value. Wraps at `width`. */
export function bucketText({ items }: BucketReport, width = Infinity): string {
  const lines = items.map(({ from, message, name, state }) => {
    const head = `${state.padEnd(14)}${name.padEnd(15)}`
    const text = from === undefined ? message : `${from} -> ${message}`
    return head + wrapped(text, width - head.length).join(`\n${" ".repeat(head.length)}`)
  })
  const open = items.filter(({ state }) => state === "would change").length
  if (open > 0)
    lines.push(
      `${plural(open, "setting")} would change; nothing was changed. Run again with --apply.`
    )
  return lines.join("\n")
}
