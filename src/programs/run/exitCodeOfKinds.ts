import type { FailureKind } from "./HourOutcome.ts"

/** What failures of these kinds mean to a script: the first of 8, 7, 3, 5 that applies; `isDone` where something was done. */
export function exitCodeOfKinds(kinds: ReadonlySet<FailureKind>, isDone: boolean): number {
  if (kinds.has("integrity")) return 8
  if (kinds.has("refused")) return 7
  if (kinds.size === 0) return 0
  return isDone || kinds.has("permanent") ? 3 : 5
}
