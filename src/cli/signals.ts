const INTERRUPTED = 130
const TERMINATED = 143

let signalled = INTERRUPTED
process.once("SIGTERM", () => {
  signalled = TERMINATED
})

/** The exit code of a run that a signal ended: 143 for SIGTERM, else 130. */
export function exitCodeOfSignal(): number {
  return signalled
}
