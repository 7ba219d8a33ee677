import type { HourCount, LedgerStatus, LoadState } from "../../programs/inspect/compareLedger.ts"
import { differingText } from "./loadText.ts"
import { plural, windowText } from "./printed.ts"

interface LedgerRow {
  /** What the hours of this row are drawn as. */
  readonly kind: Exclude<LoadState, "loaded" | "unverified"> | undefined
  readonly text: string
}

/** How the ledger compares with the store, and the command that comes next. */
export function ledgerRows(warehouse: LedgerStatus): ReadonlyArray<LedgerRow> {
  const { differing, gone, loaded, notLoaded, outdated, place, unverified } = warehouse
  const row = (kind: LedgerRow["kind"], hours: HourCount | null, says: string, command = "") =>
    hours === null
      ? []
      : [{ kind, text: `${plural(hours.hours, "hour")} ${says}, ${windowText(hours)}${command}` }]
  return [
    { kind: undefined, text: `The warehouse ${place} has ${plural(loaded, "hour")} of these.` },
    ...row("notLoaded", notLoaded, "not loaded", ": amplitude-lake load"),
    ...row(
      "outdated",
      outdated,
      "loaded from objects that were replaced since",
      ": amplitude-lake load"
    ),
    ...row(
      undefined,
      unverified,
      "landed by another pipeline, not loaded",
      ": amplitude-lake load --unverified"
    ),
    ...row("gone", gone, "loaded, and no longer in the store"),
    ...differing.map((it) => ({ kind: "conflict" as const, text: differingText(it) }))
  ]
}
