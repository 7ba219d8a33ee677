/**
 * What is said of flags, and whether they were typed.
 *
 * @module
 */
import type { ReadSettings } from "../readSettings.ts"
import { flagName, type Setting } from "../setting.ts"
import { type SettingName, settings } from "../table.ts"

/** A sentence for each. */
export type Problems = ReadonlyArray<string>

export function flagOf(name: SettingName): string | undefined {
  const { flag }: Setting<unknown> = settings[name]
  return flag === undefined ? undefined : flagName(flag)
}

/** A setting by its flag; one without, by the variable that sets it. */
export function nameOf(name: SettingName): string {
  const { variables }: Setting<unknown> = settings[name]
  return flagOf(name) ?? variables[0] ?? name
}

/** Whether it was set by its flag. What a variable sets for another command contradicts nothing. */
export function isTyped(found: ReadSettings["found"], name: SettingName): boolean {
  return found.get(name)?.[0]?.place === "flag"
}
