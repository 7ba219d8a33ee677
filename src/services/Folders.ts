/**
 * The folders here that a run writes to.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"

/** Why a folder could not be used. */
export class FolderError extends Schema.TaggedError<FolderError>()("FolderError", {
  reason: Schema.Literal("AccessDenied", "Misconfigured", "NoSpace", "Failed"),
  path: Schema.String,
  detail: Schema.String
}) {
  /** Never within this run. */
  get isTransient(): boolean {
    return false
  }
  override get message(): string {
    return `Cannot use the folder "${this.path}": ${this.reason}: ${this.detail}`
  }
}

export interface WorkingFolder {
  /** What it is for, in a word. */
  readonly name: string
  readonly path: string
  /**
   * Makes a file there, durably, gives it a second name and removes both; where the folder is still to be made, in the one
   * above it that stands. Leaves nothing, and answers the bytes that are free there.
   */
  readonly tryOut: Effect.Effect<number, FolderError>
}

export class Folders extends Context.Tag("amplitude-lake/Folders")<
  Folders,
  { readonly all: ReadonlyArray<WorkingFolder> }
>() {}
