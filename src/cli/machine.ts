/**
 * What identifies this machine and its user to a person.
 *
 * @module
 */
import { hostname, userInfo } from "node:os"

/** The machine's name. Deno may not permit to read it. */
export function hostName(): string {
  try {
    return hostname()
  } catch {
    return "unknown"
  }
}

/** The user who runs the program. In a container, the user may have no name. */
export function userName(): string {
  try {
    return userInfo().username
  } catch {
    return "unknown"
  }
}
