/**
 * Receives the progress of programs. Nothing listens unless an entry point provides a listener.
 *
 * @module
 */
import { Context } from "effect"

/** Called often and concurrently: no method may throw, block, or take long. */
export interface ProgressListener {
  /** Adds to the amount of work: hours, unless another noun is given. */
  readonly planned: (count: number, noun?: string) => void
  /** Reports work as done, with any outcome. */
  readonly done: (count: number) => void
  /** Bytes that arrived from the network or a store. */
  readonly received: (bytes: number) => void
  /** Bytes sent to a store, counted again for each retry; those of a draft once it has landed. */
  readonly sent: (bytes: number) => void
  /**
   * Something failed and will be retried, for the reason given. Call the result when the retry
   * ends.
   */
  readonly retrying: (reason: string) => () => void
}

const silent: ProgressListener = {
  planned: () => {},
  done: () => {},
  received: () => {},
  sent: () => {},
  retrying: () => () => {}
}

export class Progress extends Context.Reference<Progress>()("amplitude-lake/Progress", {
  defaultValue: () => silent
}) {}
