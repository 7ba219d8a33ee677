import type { Cleaning, Leftover } from "../../programs/clean/cleanLeftovers.ts"
import { keyText } from "./keyText.ts"
import { bytesText, plural } from "./printed.ts"

const FATES = {
  removed: { done: "removed", planned: "would remove" },
  moved: { done: "moved", planned: "would move" },
  kept: { done: "kept", planned: "would keep" },
  failed: { done: "failed", planned: "failed" }
} as const

/** Two lines per leftover, the second with the reason; then the totals. */
export function cleaningText({ dryRun, freed, leftovers }: Cleaning): string {
  const said = (fate: Leftover["fate"]) => FATES[fate][dryRun ? "planned" : "done"]
  const fates = Object.keys(FATES) as Array<Leftover["fate"]>
  const found = fates.map((fate) => leftovers.filter((it) => it.fate === fate))
  const lines = found.flat().flatMap(({ detail, fate, kind, path, size }) => {
    const bytes = size === 0 ? "" : `, ${bytesText(size)}`
    return [`${said(fate).padEnd(13)}${kind.padEnd(9)}${keyText(path)}${bytes}`, `  ${detail}`]
  })
  const sums = found.flatMap((items, index) => {
    const fate = fates[index] ?? "kept"
    if (items.length === 0) return []
    const bytes = fate === "removed" ? ` (${bytesText(freed)})` : ""
    return [`${said(fate)} ${plural(items.length, "item")}${bytes}`]
  })
  if (sums.length === 0) return "Nothing to clean."
  const all = sums.join(", ")
  return [...lines, `${all}${dryRun ? "; nothing was changed" : ""}`].join("\n")
}
