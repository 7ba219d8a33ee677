/**
 * The value of every setting, where it comes from, and what is set elsewhere and does not count.
 *
 * @module
 */
import { resolve } from "node:path"
import { Either, Redacted } from "effect"
import { azureCounting, azureVariables } from "../azureEnvironment.ts"
import { snowflakeConnected, snowflakeCounting, snowflakeVariables } from "../env/snowflake.ts"
import {
  type Found,
  isBlank,
  type ReadSettings,
  type Sources,
  storeNamed
} from "../readSettings.ts"
import { s3Counting, s3Variables } from "../s3Environment.ts"
import { flagName, type Setting } from "../setting.ts"
import type { Configuration, Shown, ShownSetting } from "./Configuration.ts"
import { declaredBy, inOrder, settings } from "../table.ts"

/** What is shown of a secret: nothing, not even its length. */
export const MASK = "********"

/** Shows what was read for `config`, and no part of a secret. */
export function configurationOf(
  read: ReadSettings,
  sources: Sources,
  { missing, problems }: Pick<Configuration, "missing" | "problems">
): Configuration {
  return {
    envFile: { path: resolve(sources.fileName), isFound: sources.fileLines !== undefined },
    settings: [
      ...inOrder(declaredBy("config")).flatMap((name) => ownSetting(name, read, sources)),
      ...storeVariables(read, sources),
      ...shownVariables(
        "Snowflake",
        snowflakeVariables,
        snowflakeCounting(sources.environment, sources.file),
        sources,
        snowflakeConnected(sources)
      )
    ],
    missing,
    problems
  }
}

function ownSetting(
  name: ReturnType<typeof declaredBy>[number],
  { found }: ReadSettings,
  sources: Sources
): ReadonlyArray<ShownSetting> {
  const setting: Setting<unknown> = settings[name]
  const { fallback, fileVariables, flag, group, legacyVariables, shown, variables } = setting
  if (variables.length === 0) return []
  const [first, ...unused] = (found.get(name) ?? []).map((it) =>
    shownOf(it, sources, maskOf(setting, sources))
  )
  return [
    {
      name: flag === undefined ? (variables[0] ?? "") : flagName(flag),
      group: group.replace(":", ""),
      variables: [...variables, ...legacyVariables, ...fileVariables],
      ...(first ?? {
        value: fallback === false ? "false" : shown || null,
        source: "default",
        setBy: null,
        line: null
      }),
      unused
    }
  ]
}

function shownOf(
  { name, place, text }: Found,
  { fileLines = {} }: Sources,
  mask: (text: string) => string
): Shown {
  const line = place === "file" ? (fileLines[name] ?? null) : null
  return { value: mask(text), source: place, setBy: name, line }
}

/** A text that may hold a secret is shown only if its own parser says that it holds none. */
function maskOf(
  { isPrivate, parse }: Setting<unknown>,
  { now }: Sources
): (text: string) => string {
  return (text) => {
    const value = parse(text, now)
    const isSecret = Either.isLeft(value) ? isPrivate : Redacted.isRedacted(value.right)
    return isSecret ? MASK : text
  }
}

/** The variables of the selected store that are no settings, such as its credentials. */
function storeVariables(read: ReadSettings, sources: Sources): ReadonlyArray<ShownSetting> {
  const { environment, file } = sources
  const store = storeNamed(read)
  if (store !== "s3" && store !== "azure") return []
  const [group, names, counting] =
    store === "s3"
      ? (["S3", s3Variables, s3Counting(environment, file)] as const)
      : (["Azure", azureVariables, azureCounting(environment, file)] as const)
  return shownVariables(group, names, counting, sources)
}

/** Variables that are no settings and set somewhere, each with the place that counts. */
function shownVariables(
  group: string,
  names: ReadonlyArray<string>,
  counting: ReadonlyMap<string, "environment" | "file">,
  sources: Sources,
  connected: ReadonlyMap<string, string> = new Map()
): ReadonlyArray<ShownSetting> {
  const { environment, file } = sources
  return names.flatMap((name) => {
    const places = (["environment", "file"] as const).flatMap((place): ReadonlyArray<Found> => {
      const text = (place === "file" ? file : environment)[name]
      return text === undefined || isBlank(text) ? [] : [{ name, place, text: text.trim() }]
    })
    const text = connected.get(name)
    if (places.length === 0 && text === undefined) return []
    const shown = places.map((it) => shownOf(it, sources, (text) => publicText(name, text)))
    const counts =
      shown.find(({ source }) => source === counting.get(name)) ??
      (text === undefined ? undefined : connectedOf(publicText(name, text), sources))
    return [
      {
        name,
        group,
        variables: [name],
        ...(counts ?? { value: null, source: "default", setBy: null, line: null }),
        unused: shown.filter((it) => it !== counts)
      }
    ]
  })
}

function connectedOf(value: string, { connection }: Sources): Shown {
  return { value, source: "connection", setBy: connection?.where ?? null, line: null }
}

const PUBLIC =
  /^(AWS_(DEFAULT_)?REGION|AWS_PROFILE|AWS_ROLE_ARN|AZURE_STORAGE_ACCOUNT|SNOWFLAKE_(ACCOUNT|USER|ROLE|WAREHOUSE|DATABASE|SCHEMA|PRIVATE_KEY_PATH|HOME|DEFAULT_CONNECTION_NAME))$/

function publicText(name: string, text: string): string {
  if (PUBLIC.test(name)) return text
  return /_ENDPOINT/.test(name) && isPlainOrigin(text) ? text : MASK
}

/** Whether a URL holds nothing but scheme, host and port. */
function isPlainOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false
  const url = new URL(text)
  return url.href === `${url.origin}/`
}
