import { Effect, Schema } from "effect"
import { failureKind, type RunError } from "../run/failureKind.ts"
import { FailureKind } from "../run/HourOutcome.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"

export const Leftover = Schema.Struct({
  kind: Schema.Literal(
    /** A file in staging. */
    "staged",
    /** An archive in the spool, or half of one. */
    "spooled",
    /** An archive that was kept after its hours had landed. */
    "archive",
    /** What was begun to become an object and never did. */
    "upload"
  ),
  path: Schema.String,
  /** In bytes. */
  size: Schema.NonNegativeInt,
  /**
   * With `dryRun`: what would become of it. `moved`: to `failed_uploads/` in staging, for a person
   * to look at.
   */
  fate: Schema.Literal("removed", "moved", "kept", "failed"),
  /** Why. */
  detail: Schema.String,
  /** Of a failure. */
  failure: Schema.optional(FailureKind)
})
export type Leftover = typeof Leftover.Type

export interface CleanOptions extends RetryOptions {
  /** Whether to change nothing. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  /** Staged hours compared at once. Defaults to 4. */
  readonly concurrency?: number | undefined
  /** Kept archives older than so many days go; without it, none does. */
  readonly archiveDays?: number | undefined
  /** Whether to abort uploads that only their age speaks against. Defaults to `false`. */
  readonly abortUploads?: boolean | undefined
}

/** What lies about. */
export type What = Pick<Leftover, "kind" | "path" | "size">

export function failedLeftover(what: What, error: RunError): Leftover {
  return { ...what, fate: "failed", detail: error.message, failure: failureKind(error) }
}

/** Removes a thing unless this is a dry run; what fails is said in its place. */
export const removing = Effect.fnUntraced(function* <R>(
  what: What,
  detail: string,
  { dryRun = false }: CleanOptions,
  remove: Effect.Effect<unknown, RunError, R>
): Effect.fn.Return<Leftover, never, R> {
  const removed: Leftover = { ...what, fate: "removed", detail }
  if (dryRun) return removed
  return yield* Effect.match(remove, {
    onSuccess: () => removed,
    onFailure: (error) => failedLeftover(what, error)
  })
})
