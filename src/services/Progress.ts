/**
 * Whom programs tell how far they are. Nobody listens unless an entry point provides a listener.
 *
 * @module
 */
import { Context } from "effect"

/** Called often and by many at once: none of it may throw, wait, or take long. */
export interface ProgressListener {
  /** So many more are to be done: hours, unless another noun is given. */
  readonly planned: (count: number, noun?: string) => void
  /** So many are done, however they ended. */
  readonly done: (count: number) => void
  /** Bytes that came from the network or a store. */
  readonly received: (bytes: number) => void
  /** Bytes on their way to a store, once more for each further try. */
  readonly sent: (bytes: number) => void
  /** Something failed and will be tried again, for the reason given; to be called back when that is over. */
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
