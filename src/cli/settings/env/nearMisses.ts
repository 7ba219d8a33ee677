import { distance } from "fastest-levenshtein"
import { azureVariables } from "../azureEnvironment.ts"
import { s3Variables } from "../s3Environment.ts"
import { settings } from "../table.ts"

/** Names that differ by this many letters at most are taken for misspelled. */
const MOST_LETTERS = 2

/** Each name that is no variable of this program but nearly one, with the one that is meant. */
export function nearMisses(
  names: ReadonlyArray<string>
): ReadonlyArray<readonly [name: string, known: string]> {
  const known = [
    ...Object.values(settings).flatMap(({ fileVariables, variables }) => [
      ...variables,
      ...fileVariables
    ]),
    ...azureVariables,
    ...s3Variables
  ]
  return names
    .filter((name) => !known.includes(name) && !isOfAnSdk(name))
    .flatMap((name) => {
      const near = known.find(
        (it) => it.length > 6 && distance(it, name.toUpperCase()) <= MOST_LETTERS
      )
      return near === undefined || names.includes(near) ? [] : [[name, near] as const]
    })
}

/** Whether an SDK or Node may read the variable by itself. */
function isOfAnSdk(name: string): boolean {
  return /^(OTEL_|NODE_|AZURE_(CLIENT|TENANT|FEDERATED|AUTHORITY)|AWS_(STS|EC2|CONTAINER|CONFIG|SHARED|CA|MAX|RETRY|USE)_)/.test(
    name
  )
}
