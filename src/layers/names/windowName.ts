/**
 * The names of kept archives: `2025-11-10T00--2025-11-10T23.zip`, with `.pending` if some of its
 * hours may still get events, and with the beginning of its SHA-256 if a different archive has the
 * name.
 *
 * @module
 */
import { Option, Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import { Window } from "../../services/Window.ts"

const NAME = /^(?<first>[^.]{13})--(?<last>[^.]{13})(?<pending>\.pending)?(\.[0-9a-f]{8})?\.zip$/

export interface WindowName {
  readonly window: Window
  readonly isComplete: boolean
}

/** The name of an archive, then the one to use if a different archive has the first. */
export function windowNames(
  { window, isComplete }: WindowName,
  sha256: string
): readonly [string, string] {
  const stem = `${window.first}--${window.last}${isComplete ? "" : ".pending"}`
  return [`${stem}.zip`, `${stem}.${sha256.slice(0, 8)}.zip`]
}

/** Parses such a name; `None` for any other. */
function readWindowName(file: string): Option.Option<WindowName> {
  const groups = NAME.exec(file)?.groups
  if (groups === undefined) return Option.none()
  return Option.map(
    Schema.decodeUnknownOption(Window)({ first: groups["first"], last: groups["last"] }),
    (window) => ({ window, isComplete: groups["pending"] === undefined })
  )
}

/** The window in a file's name, or all of time if the name has none. */
export function windowOfFile(file: string): WindowName & { readonly isNamed: boolean } {
  return Option.match(readWindowName(file), {
    onNone: () => ({ window: allOfTime, isComplete: false, isNamed: false }),
    onSome: (name) => ({ ...name, isNamed: true })
  })
}

const allOfTime = new Window({
  first: Hour.make("0001-01-01T00"),
  last: Hour.make("9999-12-31T23")
})
