import { distance } from "fastest-levenshtein"
import { azureVariables } from "../azureEnvironment.ts"
import { s3Variables } from "../s3Environment.ts"
import { snowflakeVariables } from "./snowflake.ts"
import { flagName, type Setting, VARIABLE_PREFIX, variableOf } from "../setting.ts"
import { type SettingName, settings } from "../table.ts"

/** Names that differ by this many letters at most are taken for misspelled. */
const MOST_LETTERS = 2

/** What Kubernetes sets for a service called amplitude-lake, in each pod beside it. */
const SERVICE_LINK = /^AMPLITUDE_LAKE_(\w+_)?(SERVICE_HOST|SERVICE_PORT\w*|PORT(_\d+_\w+)?)$/

const all: ReadonlyArray<readonly [string, Setting<unknown>]> = Object.entries(settings)

/** Each name that is no variable of this program but nearly one, with the one that is meant. */
export function nearMisses(
  names: ReadonlyArray<string>
): ReadonlyArray<readonly [name: string, known: string]> {
  const known = [
    ...all.flatMap(([, { fileVariables, legacyVariables, variables }]) => [
      ...variables,
      ...legacyVariables,
      ...fileVariables
    ]),
    ...azureVariables,
    ...s3Variables,
    ...snowflakeVariables
  ]
  return names
    .filter((name) => !known.includes(name) && !isOfAnSdk(name) && !isReserved(name))
    .flatMap((name) => {
      const near = nearest(name, known)
      return near === undefined || names.includes(near) ? [] : [[name, near] as const]
    })
}

/**
 * A sentence for each name that begins with `AMPLITUDE_LAKE_` and sets nothing. The settings of
 * `unread` cannot be set there.
 */
export function unknownVariables(
  names: ReadonlyArray<string>,
  where: string,
  unread: ReadonlyArray<SettingName> = []
): ReadonlyArray<string> {
  const read = all.filter(([name]) => !unread.some((it) => it === name))
  const known = read.flatMap(([, { variables }]) => variables).filter(isReserved)
  return names
    .filter((name) => isReserved(name) && !known.includes(name) && !SERVICE_LINK.test(name))
    .map((name) => {
      const flag = flags.find((it) => variableOf(it) === name)
      if (flag !== undefined) {
        const isElsewhere = all.some(([, { variables }]) => variables.includes(name))
        return `${name} ${where} has no effect: ${flagName(flag)} can only be typed${isElsewhere ? " or set in the environment" : ""}`
      }
      const near = nearest(name, known)
      const hint = near === undefined ? "config lists every variable" : `is ${near} meant?`
      return `${name} ${where} is unknown: ${hint}`
    })
}

const flags = all.flatMap(([, { flag }]) => flag ?? [])

function isReserved(name: string): boolean {
  return name.startsWith(VARIABLE_PREFIX)
}

function nearest(name: string, known: ReadonlyArray<string>): string | undefined {
  const far = (it: string) => distance(it, name.toUpperCase())
  return known
    .filter((it) => it.length > 6 && far(it) <= MOST_LETTERS)
    .sort((one, other) => far(one) - far(other))[0]
}

/** Whether an SDK or Node may read the variable by itself. */
function isOfAnSdk(name: string): boolean {
  return /^(OTEL_|NODE_|AZURE_(CLIENT|TENANT|FEDERATED|AUTHORITY)|AWS_(STS|EC2|CONTAINER|CONFIG|SHARED|CA|MAX|RETRY|USE)_)/.test(
    name
  )
}
