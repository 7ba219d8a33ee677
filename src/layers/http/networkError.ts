/**
 * Converts a network error into an `AmplitudeError`.
 *
 * @module
 */
import type { Route } from "../../network/route.ts"
import { AmplitudeError } from "../../services/Amplitude.ts"
import type { Window } from "../../services/Window.ts"
import { networkProblem } from "./networkProblem.ts"

/** The error for a failed connection; `after` tells how much of the answer had arrived. */
export function networkError(
  window: Window | undefined,
  route: Route,
  error: unknown,
  after = ""
): AmplitudeError {
  return new AmplitudeError({ ...networkProblem(route, error, after), window })
}
