import { readFileSync } from "node:fs"
import { Either, Redacted } from "effect"
import type { WarehouseSnowflakeOptions } from "../../../layers/snowflake/WarehouseSnowflake.ts"
import type { SnowflakeConnection } from "./connections.ts"
import type { Parse } from "../parse.ts"
import { parseSafeOrigin } from "../../../services/SafeUrl.ts"
import { secretProblem } from "./secretForm.ts"

/** What the environment and the env file set for Snowflake. */
export type SnowflakeEnvironment = Pick<
  WarehouseSnowflakeOptions,
  "account" | "credentials" | "role" | "warehouse" | "database" | "schema" | "origin"
>

/** Where a lake is in an account, whoever asks. */
export type SnowflakeTarget = Pick<SnowflakeEnvironment, "warehouse" | "database" | "schema">

/** Where settings of Snowflake are looked up. */
export interface SnowflakeSources {
  readonly environment: Variables
  readonly file: Variables
  readonly fileName: string
  /** Read by the entry point, and only if it is needed. */
  readonly connection?: SnowflakeConnection | undefined
}

type Variables = Readonly<Record<string, string | undefined>>

const KEY = "SNOWFLAKE_PRIVATE_KEY_PATH"
const PASSPHRASE = "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE"
const TOKEN = "SNOWFLAKE_TOKEN"

/** Which connection of Snowflake's own tools counts where nothing else is set. */
const HOME = "SNOWFLAKE_HOME"
const CONNECTION = "SNOWFLAKE_DEFAULT_CONNECTION_NAME"

/** Proofs of who calls. If the environment sets any of them, those of the env file are ignored. */
const PROOFS = [KEY, PASSPHRASE, TOKEN]

/** The variables for Snowflake. */
export const snowflakeVariables = [
  "SNOWFLAKE_ACCOUNT",
  "SNOWFLAKE_USER",
  KEY,
  PASSPHRASE,
  TOKEN,
  "SNOWFLAKE_ROLE",
  "SNOWFLAKE_WAREHOUSE",
  "SNOWFLAKE_DATABASE",
  "SNOWFLAKE_SCHEMA",
  "SNOWFLAKE_HOST",
  HOME,
  CONNECTION
] as const
type Name = (typeof snowflakeVariables)[number]

const TARGET: ReadonlyArray<readonly [Name, string]> = [
  ["SNOWFLAKE_WAREHOUSE", "the compute warehouse"],
  ["SNOWFLAKE_DATABASE", "the database"],
  ["SNOWFLAKE_SCHEMA", "the schema"]
]
const NEEDED: typeof TARGET = [["SNOWFLAKE_ACCOUNT", "the Snowflake account"], ...TARGET]

/** `myorg-account`, or an account with its region. It becomes part of a host name. */
const ACCOUNT = /^[A-Za-z0-9][\w.-]*$/

function textOf(variables: Variables, name: string): string {
  return variables[name]?.trim() ?? ""
}

/** The variables for Snowflake that count, each with the place that it is taken from. */
export function snowflakeCounting(
  environment: Variables,
  file: Variables
): ReadonlyMap<string, "environment" | "file"> {
  const isProven = PROOFS.some((name) => textOf(environment, name) !== "")
  const counts = (name: string) =>
    textOf(environment, name) !== "" ||
    (textOf(file, name) !== "" && !(isProven && PROOFS.includes(name)))
  return new Map(
    snowflakeVariables
      .filter(counts)
      .map((name) => [name, textOf(environment, name) === "" ? "file" : "environment"])
  )
}

/** Whether something is left for a connection of Snowflake's own tools to say, or one is named. */
export function needsConnection(environment: Variables, file: Variables): boolean {
  const counting = snowflakeCounting(environment, file)
  return (
    counting.has(CONNECTION) ||
    !NEEDED.every(([name]) => counting.has(name)) ||
    !(counting.has(KEY) || counting.has(TOKEN))
  )
}

/** What variables and connection say, the former first. */
function lookUp({ connection, environment, file, fileName }: SnowflakeSources) {
  const counting = snowflakeCounting(environment, file)
  const own = (name: Name) =>
    counting.has(name)
      ? textOf(counting.get(name) === "file" ? file : environment, name)
      : undefined
  const isProven = PROOFS.some((name) => counting.has(name))
  const account = own("SNOWFLAKE_ACCOUNT")?.toLowerCase()
  const theirs = connection?.values["SNOWFLAKE_ACCOUNT"]?.toLowerCase()
  // Keys and tokens are for their own account alone.
  const isOther = account !== undefined && theirs !== undefined && account !== theirs
  const other = (name: Name) =>
    isOther || (isProven && PROOFS.includes(name))
      ? undefined
      : connection?.values[name]?.trim() || undefined
  return {
    other,
    find: (name: Name) => own(name) ?? other(name),
    where: (name: Name) =>
      counting.has(name) || other(name) === undefined
        ? `${name} in ${counting.get(name) === "file" ? fileName : "the environment"}`
        : `${name} by the ${connection?.where}`,
    tokenType: own(TOKEN) === undefined ? connection?.tokenType : undefined,
    problems: isOther ? [] : (connection?.problems ?? [])
  }
}

/** What the connection of Snowflake's own tools sets, where no variable does. */
export function snowflakeConnected(sources: SnowflakeSources): ReadonlyMap<string, string> {
  const counting = snowflakeCounting(sources.environment, sources.file)
  const { other } = lookUp(sources)
  return new Map(
    snowflakeVariables.flatMap((name) => {
      const text = counting.has(name) ? undefined : other(name)
      return text === undefined ? [] : [[name, text] as const]
    })
  )
}

/**
 * Resolves where and as whom to load, or names everything that is missing or wrong. No message repeats
 * a value.
 */
export function resolveSnowflake(
  sources: SnowflakeSources
): Either.Either<SnowflakeEnvironment, ReadonlyArray<string>> {
  const { fileName } = sources
  const { find, tokenType, where, ...looked } = lookUp(sources)
  const problems = [...looked.problems]
  const missing = NEEDED.filter(([name]) => find(name) === undefined).map(
    ([name, what]) => `${what} is missing: set ${name} in the environment or in ${fileName}`
  )
  problems.push(...missing)
  const account = find("SNOWFLAKE_ACCOUNT") ?? ""
  if (account !== "" && !ACCOUNT.test(account)) {
    problems.push(
      `${where("SNOWFLAKE_ACCOUNT")} is not an account such as myorg-account: no URL, no blank`
    )
  }
  const [user, keyFile, passphrase, token] = [
    find("SNOWFLAKE_USER"),
    find(KEY),
    find(PASSPHRASE),
    find(TOKEN)
  ]
  if (keyFile !== undefined && token !== undefined) {
    problems.push(`${where(KEY)} and ${where(TOKEN)} contradict each other: keep only one`)
  } else if (keyFile === undefined && token === undefined) {
    problems.push(
      `who loads is missing: set ${KEY} and SNOWFLAKE_USER, or ${TOKEN}, in the environment or in ${fileName}`
    )
  }
  if (keyFile !== undefined && user === undefined) {
    problems.push(`${where(KEY)} is set without SNOWFLAKE_USER`)
  }
  const problem = token === undefined ? undefined : secretProblem(token)
  if (problem !== undefined) problems.push(`${where(TOKEN)} ${problem}`)
  const origin = originOf(find("SNOWFLAKE_HOST"))
  if (Either.isLeft(origin)) problems.push(`${where("SNOWFLAKE_HOST")} ${origin.left}`)
  const privateKey = keyFile === undefined ? undefined : readKey(keyFile)
  if (privateKey === "") problems.push(`${where(KEY)} names a file that cannot be read`)
  if (problems.length > 0 || Either.isLeft(origin)) return Either.left(problems)
  return Either.right({
    account,
    warehouse: nameOf(find("SNOWFLAKE_WAREHOUSE") ?? ""),
    database: nameOf(find("SNOWFLAKE_DATABASE") ?? ""),
    schema: nameOf(find("SNOWFLAKE_SCHEMA") ?? ""),
    role: find("SNOWFLAKE_ROLE") === undefined ? undefined : nameOf(find("SNOWFLAKE_ROLE") ?? ""),
    origin: origin.right,
    credentials:
      privateKey === undefined
        ? { token: Redacted.make(token ?? ""), tokenType }
        : {
            user: user ?? "",
            privateKey: Redacted.make(privateKey),
            passphrase: passphrase === undefined ? undefined : Redacted.make(passphrase)
          }
  })
}

/** Resolves where a lake is, for statements that somebody else runs. */
export function resolveTarget(
  sources: SnowflakeSources
): Either.Either<SnowflakeTarget, ReadonlyArray<string>> {
  const { find } = lookUp(sources)
  const missing = TARGET.filter(([name]) => find(name) === undefined)
  if (missing.length > 0) {
    return Either.left(
      missing.map(
        ([name, what]) =>
          `${what} is missing: set ${name} in the environment or in ${sources.fileName}`
      )
    )
  }
  return Either.right({
    warehouse: nameOf(find("SNOWFLAKE_WAREHOUSE") ?? ""),
    database: nameOf(find("SNOWFLAKE_DATABASE") ?? ""),
    schema: nameOf(find("SNOWFLAKE_SCHEMA") ?? "")
  })
}

/** A host, or a whole origin, which may be plain http on loopback. */
function originOf(host: string | undefined): Either.Either<string | undefined, string> {
  if (host === undefined) return Either.right(undefined)
  const text = host.includes("://") ? host : `https://${host}`
  return Either.map(parseSafeOrigin(text), (url) => url.origin)
}

/** Empty if it cannot be read. */
function readKey(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}

/** Accepts a name of Snowflake's, and returns it as Snowflake keeps it. */
export const snowflakeName: Parse<string> = (name) =>
  /^([A-Za-z_][\w$]*|"[^"]+")$/.test(name)
    ? Either.right(nameOf(name))
    : Either.left(
        "a name in Snowflake: letters, digits and underscores, or any text in double quotes"
      )

/** As Snowflake keeps names: in capital letters unless they are in quotes. */
function nameOf(name: string): string {
  return /^[A-Za-z_][\w$]*$/.test(name) ? name.toUpperCase() : name.replace(/^"(.*)"$/, "$1")
}
