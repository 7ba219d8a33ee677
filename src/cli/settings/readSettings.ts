/**
 * Reads each setting by itself. A flag takes precedence over the environment, and that over the env
 * file.
 *
 * @module
 */
import { Either } from "effect"
import type { SnowflakeConnection } from "./env/connections.ts"
import { flagName, type Setting, VARIABLE_PREFIX } from "./setting.ts"
import {
  type CommandName,
  declaredBy,
  keys,
  type SettingName,
  settings,
  type Values
} from "./table.ts"

/** Where settings are looked up. Blank text of a variable counts as not set. */
export interface Sources {
  /** By setting: text, or `true` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<SettingName, string | boolean>>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The variables of the env file. */
  readonly file: Readonly<Record<string, string | undefined>>
  /** The line of the env file on which each of them is set; absent if there is no file. */
  readonly fileLines?: Readonly<Record<string, number>> | undefined
  /** The connection of Snowflake's own tools. */
  readonly connection?: SnowflakeConnection | undefined
  /** The env file's name, for messages. */
  readonly fileName: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** A text that is set for a setting. */
export interface Found {
  readonly text: string
  readonly place: "flag" | "environment" | "file"
  /** The flag or variable that it was found under. */
  readonly name: string
}

/** The value of every setting: its default if the command does not declare it or it is invalid. */
export interface ReadSettings {
  readonly values: Values
  /** What is set for each setting that the command declares; the first one counts. */
  readonly found: ReadonlyMap<SettingName, ReadonlyArray<Found>>
  readonly wrong: ReadonlySet<SettingName>
  /** A sentence for each invalid setting. */
  readonly problems: ReadonlyArray<string>
}

/** No problem repeats the text of a secret. */
export function readSettings(command: CommandName, sources: Sources): ReadSettings {
  const problems: Array<string> = []
  const wrong = new Set<SettingName>()
  const found = new Map(declaredBy(command).map((name) => [name, foundFor(name, sources)]))
  const now = timeOf(found.get("now"), sources)
  const valueOf = (name: SettingName, setting: Setting<unknown>): unknown => {
    problems.push(...contradictions(setting, found.get(name) ?? [], sources))
    const [first] = found.get(name) ?? []
    if (first === undefined) return setting.fallback
    const value = setting.parse(first.text, now)
    if (Either.isRight(value)) return value.right
    const shown = setting.isPrivate ? "" : ` "${first.text}"`
    problems.push(`${whereOf(first, sources)}${shown} is not ${value.left}`)
    wrong.add(name)
    return setting.fallback
  }
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, setting]) => [name, valueOf(name as SettingName, setting)])
  ) as Values
  return { values, found, wrong, problems }
}

/** The time that relative dates are counted from: that of `--now`, else of the clock. */
function timeOf(set: ReadonlyArray<Found> = [], { now }: Sources): number {
  const fixed = set[0] === undefined ? undefined : settings.now.parse(set[0].text, now)
  return fixed !== undefined && Either.isRight(fixed) ? (fixed.right ?? now) : now
}

export function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === ""
}

/** `--bucket`, or `AWS_BUCKET_NAME in the environment`. */
export function whereOf({ name, place }: Found, { fileName }: Pick<Sources, "fileName">): string {
  if (place === "flag") return name
  return `${name} in ${place === "environment" ? "the environment" : fileName}`
}

/** All that is set for a setting, in the order of precedence. */
function foundFor(name: SettingName, sources: Sources): ReadonlyArray<Found> {
  const setting: Setting<unknown> = settings[name]
  const { environment, flags } = sources
  // An env file cannot name another.
  const file = name === "envFile" ? {} : sources.file
  const aliases = standardKeys(sources).length === 0 ? setting.fileVariables : []
  const typed = setting.flag === undefined ? setting.argument : flagName(setting.flag)
  const flag = typed === undefined ? undefined : flags[name]
  const from = (place: "environment" | "file", names: ReadonlyArray<string>) =>
    names.map((it) => ({ place, name: it, text: (place === "file" ? file : environment)[it] }))
  return [
    { place: "flag" as const, name: typed ?? "", text: flag === undefined ? "" : String(flag) },
    ...from("environment", setting.variables),
    ...from("file", setting.variables),
    // Name by name: what another program left in the environment must not hide a line of the file.
    ...setting.legacyVariables.flatMap((it) => [
      ...from("environment", [it]),
      ...from("file", [it])
    ]),
    ...from("file", aliases)
  ].flatMap((it) =>
    it.text === undefined || isBlank(it.text) ? [] : [{ ...it, text: it.text.trim() }]
  )
}

/** A sentence for each place where a new name and an older one have different values. */
function contradictions(
  { variables }: Setting<unknown>,
  found: ReadonlyArray<Found>,
  { fileName }: Sources
): ReadonlyArray<string> {
  return found
    .filter(({ name }) => name === variables[0] && name.startsWith(VARIABLE_PREFIX))
    .flatMap((newest) => {
      const older = found.find(({ place, text }) => place === newest.place && text !== newest.text)
      return older === undefined
        ? []
        : [`${newest.name} and ${whereOf(older, { fileName })} differ: keep only one`]
    })
}

/** The standard key variables that are set anywhere. If there are any, no alias counts. */
export function standardKeys({ environment, file }: Sources): ReadonlyArray<string> {
  return keys
    .flatMap((name) => settings[name].variables)
    .filter((name) => !isBlank(environment[name]) || !isBlank(file[name]))
}

/** Which env file to read, and whether somebody named it. */
export function envFileOf({ environment, flags }: Pick<Sources, "environment" | "flags">) {
  const [named] = foundFor("envFile", {
    environment,
    flags,
    file: {},
    fileName: "",
    now: 0
  })
  return { path: named?.text ?? settings.envFile.fallback, isNamed: named !== undefined }
}

/** The store that the settings select. Of `--dev` and `--store`, the one from the stronger place counts. */
export function storeNamed({
  found,
  values
}: Pick<ReadSettings, "found" | "values">): Values["store"] {
  const [dev, store] = [found.get("dev"), found.get("store")].map((it) => it?.[0]?.place)
  const isOverruled = store !== undefined && dev !== undefined && isStronger(store, dev)
  return values.dev && !isOverruled ? "local" : values.store
}

const PLACES = ["flag", "environment", "file"] as const

/** Whether one place takes precedence over another. */
export function isStronger(one: Found["place"], other: Found["place"]): boolean {
  return PLACES.indexOf(one) < PLACES.indexOf(other)
}
