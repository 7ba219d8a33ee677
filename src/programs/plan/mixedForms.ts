import { Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { Format, Layout } from "../../services/HourKey.ts"
import type { Inventory, Standing } from "./inventory.ts"

/** How an hour's key is named, and how its lines are stored. */
interface HourForm {
  readonly layout: Layout
  readonly format: Format
}

/**
 * Warns if hours are about to land in another layout or format than the lake's newest hour. Nothing
 * is doubled then, but a stage or table that reads one form misses the other.
 */
export const warnOfMixedForms = Effect.fn("warnOfMixedForms")(function* (
  { inventory, store }: Standing,
  landing: ReadonlyArray<HourForm>
) {
  const newest = newestForms(inventory)
  if (newest === undefined) return
  const { forms, hour } = newest
  const names = new Set(forms.map(nameOf))
  const others = new Set(landing.map(nameOf).filter((name) => !names.has(name)))
  for (const other of others) {
    yield* Effect.logWarning(
      `Hours are about to land as ${other}, but the newest hour in ${store.place}, ${hour}, is ${[...names].join(" and ")}: what reads one form misses the other`
    )
  }
})

function nameOf({ format, layout }: HourForm): string {
  return `${layout} ${format}`
}

/** The newest hour under keys of this program, and its forms. */
function newestForms(
  inventory: Inventory
): { readonly hour: Hour; readonly forms: ReadonlyArray<HourForm> } | undefined {
  let newest: ReturnType<typeof newestForms>
  for (const [hour, objects] of inventory) {
    if (newest !== undefined && hour < newest.hour) continue
    const forms = objects.flatMap(({ form, format }) =>
      form === "parts" ? [] : [{ layout: form, format }]
    )
    if (forms.length > 0) newest = { hour, forms }
  }
  return newest
}
