import { Effect, Schema } from "effect"
import { failureKind, type RunError } from "../run/failureKind.ts"
import { FailureKind } from "../run/HourOutcome.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"

export const Leftover = Schema.Struct({
  kind: Schema.Literal(
    /** A file in staging. */
    "staged",
    /** A whole or partial archive in the spool. */
    "spooled",
    /** An archive that was kept after its hours had landed. */
    "archive",
    /** An upload that was never completed. */
    "upload"
  ),
  path: Schema.String,
  /** In bytes. */
  size: Schema.NonNegativeInt,
  /**
   * What happened to it or, with `dryRun`, what would. `moved`: into `failed_uploads/` in staging,
   * where a person has to look at it.
   */
  fate: Schema.Literal("removed", "moved", "kept", "failed"),
  /** The reason. */
  detail: Schema.String,
  /** Only with the fate `failed`. */
  failure: Schema.optional(FailureKind)
})
export type Leftover = typeof Leftover.Type

export interface CleanOptions extends RetryOptions {
  /** Changes nothing. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  /** Staged hours compared in parallel. Defaults to 4. */
  readonly concurrency?: number | undefined
  /** Removes kept archives older than this many days. Defaults to removing none. */
  readonly archiveDays?: number | undefined
  /**
   * Aborts uploads that had no activity for a day, even if their run may be alive. Defaults to
   * `false`.
   */
  readonly abortUploads?: boolean | undefined
}

/** Names a leftover: its kind, path and size. */
export type LeftoverId = Pick<Leftover, "kind" | "path" | "size">

export function failedLeftover(what: LeftoverId, error: RunError): Leftover {
  return { ...what, fate: "failed", detail: error.message, failure: failureKind(error) }
}

/** Removes a leftover unless this is a dry run. A failure becomes its fate. */
export const removing = Effect.fnUntraced(function* <R>(
  what: LeftoverId,
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
