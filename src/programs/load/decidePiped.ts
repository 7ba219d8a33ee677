import { hourStart } from "../../services/Hour.ts"
import type { NewLoad, PipedLines, StoredCount } from "../../services/Warehouse.ts"

const DAY = 86_400_000

/** The lines that a pipe has loaded of an hour, and the lines that were announced. */
export type Agreement =
  | { readonly _tag: "Agrees" }
  /** Fewer lines, and what brings them. */
  | { readonly _tag: "Hole"; readonly lines: number; readonly fix: "refresh" | "load" | "replace" }
  /** Lines that are there twice, or are those of another object. */
  | { readonly _tag: "Double"; readonly lines: number }

interface Piped {
  readonly announced: Pick<NewLoad, "hour" | "key" | "events">
  /** What is stored of the hour, under any key. */
  readonly counts: ReadonlyArray<StoredCount>
  readonly isInLedger: boolean
  /** In milliseconds since 1970. */
  readonly now: number
}

/** Compares what is stored of an hour with what was announced, by the number of lines. */
export function decidePiped(
  { announced: { events, hour, key }, counts, isInLedger, now }: Piped,
  { refreshDays }: Pick<PipedLines, "refreshDays">
): Agreement {
  const lines = counts.reduce((sum, it) => sum + it.lines, 0)
  if (lines < events) {
    // A load passes over what is in the ledger. A pipe never reads an object again of which it has read a part.
    const isForPipe = lines === 0 && now - hourStart(hour) < refreshDays * DAY
    return { _tag: "Hole", lines, fix: isInLedger ? "replace" : isForPipe ? "refresh" : "load" }
  }
  // The ledger may name another object with the same lines; the lines keep the key that they were loaded from.
  const from = isInLedger ? counts[0]?.key : key
  const isWhole = counts.every((it) => it.key === from && it.numbers === it.lines)
  return lines === events && isWhole ? { _tag: "Agrees" } : { _tag: "Double", lines }
}
