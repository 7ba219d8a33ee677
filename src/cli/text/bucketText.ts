/**
 * What a person reads of a bucket's set-up.
 *
 * @module
 */
import type { BucketReport } from "../../programs/setup/setupBucket.ts"
import { plural, wrapped } from "./printed.ts"

/**
 * A line a thing: what became of it, what it is about, and what it was and is; wrapped where a
 * width is given.
 */
export function bucketText({ items }: BucketReport, width = Infinity): string {
  const lines = items.map(({ from, message, name, state }) => {
    const head = `${state.padEnd(14)}${name.padEnd(15)}`
    const text = from === undefined ? message : `${from} -> ${message}`
    return head + wrapped(text, width - head.length).join(`\n${" ".repeat(head.length)}`)
  })
  const open = items.filter(({ state }) => state === "would change").length
  if (open > 0)
    lines.push(`${plural(open, "thing")} would change, with --apply; nothing was changed`)
  return lines.join("\n")
}
