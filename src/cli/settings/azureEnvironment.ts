import { Either, Redacted } from "effect"
import { parseSafeUrl } from "../../services/SafeUrl.ts"
import {
  type AzureAccount,
  isAccountKey,
  isSasToken,
  parseConnectionString
} from "./azureAccount.ts"
import type { AzureCredentials } from "../../layers/azure/ObjectStorageAzure.ts"

/** What the environment and the env file set for Azure, besides the settings. */
interface AzureEnvironment {
  /** Variables for `DefaultAzureCredential`; `undefined` removes a blank one. */
  readonly variables: Readonly<Record<string, string | undefined>>
  readonly account: string
  /** Absent for Azure's public cloud. */
  readonly endpoint?: string | undefined
  /** Absent if `DefaultAzureCredential` is to find them. */
  readonly credentials?: AzureCredentials | undefined
}

type Variables = Readonly<Record<string, string | undefined>>

const ACCOUNT = "AZURE_STORAGE_ACCOUNT"
const CONNECTION = "AZURE_STORAGE_CONNECTION_STRING"
const ENDPOINT = "AZURE_STORAGE_SERVICE_ENDPOINT"
const KEY = "AZURE_STORAGE_KEY"
const SAS = "AZURE_STORAGE_SAS_TOKEN"

/** Credentials. If the environment sets any of them, those of the env file are ignored. */
const PROOFS = [CONNECTION, KEY, SAS]

/** The variables for Azure's storage. */
export const azureVariables = [CONNECTION, ACCOUNT, KEY, SAS, ENDPOINT] as const

interface Found {
  readonly text: string
  /** Where it was found, for messages. */
  readonly where: string
}

function textOf(variables: Variables, name: string): string {
  return variables[name]?.trim() ?? ""
}

/** Whether nobody on the way to an endpoint can read the traffic. */
function isSafe(endpoint: string): boolean {
  const url = parseSafeUrl(endpoint)
  return Either.isRight(url) && url.right.search === "" && url.right.hash === ""
}

/** The variables for Azure's storage that count, each with the place that it is taken from. */
export function azureCounting(
  environment: Variables,
  file: Variables
): ReadonlyMap<string, "environment" | "file"> {
  const isProven = PROOFS.some((name) => textOf(environment, name) !== "")
  const isWhole = textOf(environment, CONNECTION) !== ""
  const counts = (name: string) =>
    textOf(environment, name) !== "" ||
    (textOf(file, name) !== "" && !isWhole && !(isProven && PROOFS.includes(name)))
  return new Map(
    azureVariables
      .filter(counts)
      .map((name) => [name, textOf(environment, name) === "" ? "file" : "environment"])
  )
}

/** What is said where no account is named. */
export function missingAccount(fileName: string): string {
  return `the storage account is missing: set ${ACCOUNT} or ${CONNECTION} in the environment or in ${fileName}`
}

/**
 * Resolves the Azure account, endpoint and credentials, or names everything that is missing, unsafe
 * or contradictory. No message repeats a value.
 */
export function resolveAzure(
  environment: Variables,
  file: Variables,
  fileName: string
): Either.Either<AzureEnvironment, ReadonlyArray<string>> {
  const counting = azureCounting(environment, file)
  const find = (name: string): Found | undefined => {
    const place = counting.get(name)
    if (place === undefined) return undefined
    return place === "environment"
      ? { text: textOf(environment, name), where: `${name} in the environment` }
      : { text: textOf(file, name), where: `${name} in ${fileName}` }
  }
  const [connection, account, key, sas, endpoint] = azureVariables.map(find)
  const problems: Array<string> = []
  const proofs = [connection, key, sas].filter((found) => found !== undefined)
  if (proofs.length > 1) {
    problems.push(
      `${proofs.map(({ where }) => where).join(" and ")} contradict each other: keep only one`
    )
  }
  const parsed = connection && parseConnectionString(connection.text)
  if (parsed !== undefined && Either.isLeft(parsed)) {
    problems.push(`${connection?.where} is not a connection string: ${parsed.left}`)
  }
  const named = parsed && Either.getOrUndefined(parsed)
  if (named !== undefined && account !== undefined && account.text !== named.account) {
    problems.push(
      `${account.where} differs from the account in ${connection?.where}: keep only one`
    )
  }
  if (connection !== undefined && endpoint !== undefined) {
    problems.push(`${endpoint.where} and ${connection.where} both set the endpoint: keep only one`)
  }
  if (account !== undefined && !/^[a-z0-9]{3,24}$/.test(account.text)) {
    problems.push(`${account.where} is not an account name: 3 to 24 lowercase letters and digits`)
  }
  if (connection === undefined && account === undefined) {
    problems.push(missingAccount(fileName))
  }
  if (key !== undefined && !isAccountKey(key.text)) {
    problems.push(`${key.where} is not an account key: base64, as the Azure portal shows it`)
  }
  if (sas !== undefined && !isSasToken(sas.text)) {
    problems.push(`${sas.where} is not a SAS token: URL parameters, with sig= among them`)
  }
  const address = named?.endpoint ?? endpoint?.text
  if (address !== undefined && !isSafe(address)) {
    const where = (connection ?? endpoint)?.where
    problems.push(`${where} must lead to an https URL, or to plain http on loopback`)
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

/** Whether a variable sets the identity that `DefaultAzureCredential` uses. */
function isIdentity(name: string): boolean {
  return /^AZURE_(CLIENT|TENANT|FEDERATED|USERNAME|PASSWORD|AUTHORITY|TOKEN_CREDENTIALS|ADDITIONALLY)/.test(
    name
  )
}

/**
 * The variables for `DefaultAzureCredential`. Those of the env file count only if the environment
 * names no identity.
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
  // A secret from a file often ends in a line break, which the SDK would send as part of it.
  const untrimmed = Object.keys(environment).filter(
    (name) => isIdentity(name) && textOf(environment, name) !== (environment[name] ?? "")
  )
  return {
    ...Object.fromEntries(untrimmed.map((name) => [name, textOf(environment, name)])),
    ...Object.fromEntries(blank.map((name) => [name, undefined])),
    ...Object.fromEntries(inherited.map((name) => [name, textOf(file, name)]))
  }
}
