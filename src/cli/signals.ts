import { type AnyExitCode, EXIT } from "../programs/run/exitCode.ts"

let signalled: AnyExitCode = EXIT.interrupted
process.once("SIGTERM", () => {
  signalled = EXIT.terminated
})

/** The exit code of a run that a signal ended: 143 for SIGTERM, else 130. */
export function exitCodeOfSignal(): AnyExitCode {
  return signalled
}
