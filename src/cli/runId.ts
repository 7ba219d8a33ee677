import { randomBytes } from "node:crypto"
import { Context } from "effect"

/** Distinguishes a run's log lines, reports and files from those of others. */
export class RunId extends Context.Reference<RunId>()("amplitude-lake/RunId", {
  defaultValue: newRunId
}) {}

/** A run's ID, 6 hex digits. */
export function newRunId(): string {
  return randomBytes(3).toString("hex")
}
