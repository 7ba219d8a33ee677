import { Either, Redacted } from "effect"
import { parseSafeUrl } from "../../services/SafeUrl.ts"
import {
  type AzureAccount,
  isAccountKey,
  isSasToken,
  parseConnectionString
} from "./azureAccount.ts"
import type { AzureCredentials } from "../../layers/azure/ObjectStorageAzure.ts"

/** What the environment and the env file say of Azure besides the settings. */
interface AzureEnvironment {
  /** Variables that `DefaultAzureCredential` is to find; `undefined` where a blank one is to go. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly account: string
  /** Absent for Azure's public cloud. */
  readonly endpoint?: string | undefined
  /** Absent for whoever `DefaultAzureCredential` finds. */
  readonly credentials?: AzureCredentials | undefined
}

type Variables = Readonly<Record<string, string | undefined>>

const ACCOUNT = "AZURE_STORAGE_ACCOUNT"
const CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
const ENDPOINT = "AZURE_STORAGE_SERVICE_ENDPOINT"
const KEY = "AZURE_STORAGE_KEY"
const SAS = "AZURE_STORAGE_SAS_TOKEN"

/** What proves who asks. Any of them in the environment, and none of the env file's is mixed in. */
const PROOFS = [CONNECTION, KEY, SAS]

/** Every variable that says something of Azure's storage. */
export const azureVariables = [CONNECTION, ACCOUNT, KEY, SAS, ENDPOINT] as const

interface Found {
  readonly text: string
  /** Where it was found, for messages. */
  readonly where: string
}

function textOf(variables: Variables, name: string): string {
  return variables[name]?.trim() ?? ""
}

/** Whether what travels to an endpoint can be read on the way by nobody. */
function isSafe(endpoint: string): boolean {
  const url = parseSafeUrl(endpoint)
  return Either.isRight(url) && url.right.search === "" && url.right.hash === ""
}

/**
 * Resolves who Azure is asked as and where, or names all that is missing, unsafe or contradictory,
 * without its text.
 */
export function resolveAzure(
  environment: Variables,
  file: Variables,
  fileName: string
): Either.Either<AzureEnvironment, ReadonlyArray<string>> {
  const isProven = PROOFS.some((name) => textOf(environment, name) !== "")
  const isWhole = textOf(environment, CONNECTION) !== ""
  const find = (name: string): Found | undefined => {
    const own = textOf(environment, name)
    if (own !== "") return { text: own, where: `${name} in the environment` }
    const isOther = isWhole || (isProven && PROOFS.includes(name))
    const text = isOther ? "" : textOf(file, name)
    return text === "" ? undefined : { text, where: `${name} in ${fileName}` }
  }
  const [connection, account, key, sas, endpoint] = azureVariables.map(find)
  const problems: Array<string> = []
  const proofs = [connection, key, sas].filter((found) => found !== undefined)
  if (proofs.length > 1) {
    problems.push(
      `${proofs.map(({ where }) => where).join(" and ")} contradict each other: keep the one that is meant`
    )
  }
  const parsed = connection && parseConnectionString(connection.text)
  if (parsed !== undefined && Either.isLeft(parsed)) {
    problems.push(`${connection?.where} is not a connection string: ${parsed.left}`)
  }
  const named = parsed && Either.getOrUndefined(parsed)
  if (named !== undefined && account !== undefined && account.text !== named.account) {
    problems.push(`${account.where} is not the account that ${connection?.where} names: keep one`)
  }
  if (connection !== undefined && endpoint !== undefined) {
    problems.push(`${endpoint.where} and ${connection.where} both say where Azure is: keep one`)
  }
  if (account !== undefined && !/^[a-z0-9]{3,24}$/.test(account.text)) {
    problems.push(`${account.where} is not an account's name: 3 to 24 small letters and digits`)
  }
  if (connection === undefined && account === undefined) {
    problems.push(
      `the storage account is missing: looked for ${ACCOUNT} and ${CONNECTION} in the environment and in ${fileName}`
    )
  }
  if (key !== undefined && !isAccountKey(key.text)) {
    problems.push(`${key.where} is not an account's key: base64, as the portal shows it`)
  }
  if (sas !== undefined && !isSasToken(sas.text)) {
    problems.push(`${sas.where} is not a SAS token: parameters of a URL, with sig=`)
  }
  const address = named?.endpoint ?? endpoint?.text
  if (address !== undefined && !isSafe(address)) {
    const where = (connection ?? endpoint)?.where
    problems.push(`${where} does not lead to an address in https, or in plain http on loopback`)
  }
  if (problems.length > 0) return Either.left(problems)
  return Either.right({
    variables: handedOn(environment, file),
    ...(named ?? accountOf(account, endpoint, key, sas))
  })
}

function accountOf(
  account: Found | undefined,
  endpoint: Found | undefined,
  key: Found | undefined,
  sas: Found | undefined
): Omit<AzureAccount, "credentials"> & Pick<AzureEnvironment, "credentials"> {
  const where = { account: account?.text ?? "", endpoint: endpoint?.text }
  if (key !== undefined) return { ...where, credentials: { accountKey: Redacted.make(key.text) } }
  if (sas !== undefined) return { ...where, credentials: { sasToken: Redacted.make(sas.text) } }
  return where
}

/** Whether a variable says who `DefaultAzureCredential` is to be. */
function isIdentity(name: string): boolean {
  return /^AZURE_(CLIENT|TENANT|FEDERATED|USERNAME|PASSWORD|AUTHORITY|TOKEN_CREDENTIALS|ADDITIONALLY)/.test(
    name
  )
}

/**
 * What `DefaultAzureCredential` reads, of the env file where the environment names no identity of
 * its own.
 */
function handedOn(environment: Variables, file: Variables): AzureEnvironment["variables"] {
  const isNamed = Object.keys(environment).some(
    (name) => isIdentity(name) && textOf(environment, name) !== ""
  )
  const inherited = isNamed
    ? []
    : Object.keys(file).filter((name) => isIdentity(name) && textOf(file, name) !== "")
  const blank = Object.keys(environment).filter(
    (name) =>
      isIdentity(name) && environment[name] !== undefined && textOf(environment, name) === ""
  )
  return {
    ...Object.fromEntries(blank.map((name) => [name, undefined])),
    ...Object.fromEntries(inherited.map((name) => [name, textOf(file, name)]))
  }
}
