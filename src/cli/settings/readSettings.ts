/**
 * Reads each setting by itself. A flag takes precedence over the environment, and that over the env
 * file.
 *
 * @module
 */
import { Either } from "effect"
import type { Setting } from "./setting.ts"
import {
  type CommandName,
  declaredBy,
  keys,
  type SettingName,
  settings,
  type Values
} from "./table.ts"

/** Where settings are looked up. Blank text counts as not set. */
export interface Sources {
  /** By setting: text, or `true` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<SettingName, string | boolean>>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The variables of the env file. */
  readonly file: Readonly<Record<string, string | undefined>>
  /** The env file's name, for messages. */
  readonly fileName: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** The value of every setting: its default if the command does not declare it or it is invalid. */
export interface ReadSettings {
  readonly values: Values
  readonly wrong: ReadonlySet<SettingName>
  /** A sentence for each invalid setting. */
  readonly problems: ReadonlyArray<string>
}

interface Found {
  readonly text: string
  /** Where it was found, for messages. */
  readonly where: string
}

/** No problem repeats the text of a secret. */
export function readSettings(command: CommandName, sources: Sources): ReadSettings {
  const problems: Array<string> = []
  const wrong = new Set<SettingName>()
  const used = new Set<string>(declaredBy(command))
  const valueOf = (name: SettingName, setting: Setting<unknown>): unknown => {
    if (!used.has(name)) return setting.fallback
    const isTyped = setting.flag !== undefined || setting.argument !== undefined
    const flag = isTyped ? sources.flags[name] : undefined
    if (flag === true) return true
    const found = find(setting, typeof flag === "string" ? flag : "", sources)
    if (found === undefined) return setting.fallback
    const value = setting.parse(found.text)
    if (Either.isRight(value)) return value.right
    const shown = setting.isPrivate ? "" : ` "${found.text}"`
    problems.push(`${found.where}${shown} is not ${value.left}`)
    wrong.add(name)
    return setting.fallback
  }
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [name, valueOf(name as SettingName, setting)])
  ) as Values
  return { values, wrong, problems }
}

export function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === ""
}

function find(setting: Setting<unknown>, flag: string, sources: Sources): Found | undefined {
  const { environment, file, fileName } = sources
  const aliases = standardKeys(sources).length === 0 ? setting.fileVariables : []
  const places: ReadonlyArray<readonly [string | undefined, string]> = [
    [flag, setting.flag?.split(" ")[0] ?? setting.argument ?? ""],
    // Name by name, so that a standard name in the env file wins over an alias in the environment.
    ...setting.variables.flatMap((name) => [
      [environment[name], `${name} in the environment`] as const,
      [file[name], `${name} in ${fileName}`] as const
    ]),
    ...aliases.map((name) => [file[name], `${name} in ${fileName}`] as const)
  ]
  const found = places.find(([text]) => !isBlank(text))
  return found?.[0] === undefined ? undefined : { text: found[0].trim(), where: found[1] }
}

/** The standard key variables that are set anywhere. If there are any, no alias counts. */
export function standardKeys({ environment, file }: Sources): ReadonlyArray<string> {
  return keys
    .flatMap((name) => settings[name].variables)
    .filter((name) => !isBlank(environment[name]) || !isBlank(file[name]))
}

/** The store that the settings select. */
export function storeNamed({ dev, store }: Pick<Values, "store" | "dev">): Values["store"] {
  return dev ? "local" : store
}
