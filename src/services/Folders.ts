/**
 * The local folders that a run writes to.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"

/** Why a folder cannot be used. */
export class FolderError extends Schema.TaggedError<FolderError>()("FolderError", {
  reason: Schema.Literal("AccessDenied", "Misconfigured", "NoSpace", "Failed"),
  path: Schema.String,
  detail: Schema.String
}) {
  /** Always `false`: a retry within the same run cannot help. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot use the folder "${this.path}": ${this.reason}: ${this.detail}`
  }
}

export interface WorkingFolder {
  /** What it is for, in one word. */
  readonly name: string
  readonly path: string
  /**
   * Creates a file there durably, links it and removes it, and returns the free bytes. If the
   * folder does not exist yet, uses its nearest existing parent. Leaves nothing behind.
   */
  readonly tryOut: Effect.Effect<number, FolderError>
}

export class Folders extends Context.Tag("amplitude-lake/Folders")<
  Folders,
  { readonly all: ReadonlyArray<WorkingFolder> }
>() {}
