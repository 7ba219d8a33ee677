/**
 * The connection that Snowflake's own tools would use: `connections.toml`, or `connections` in `config.toml`.
 *
 * Source: https://docs.snowflake.com/en/developer-guide/snowflake-cli/connecting/configure-connections
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { parse, type TomlTable } from "smol-toml"

type Variables = Readonly<Record<string, string | undefined>>

export interface SnowflakeConnection {
  /** Where it is, for messages. */
  readonly where: string
  /** Keyed by the variable that each value replaces where it is not set. */
  readonly values: Variables
  readonly tokenType?: "OAUTH" | "PROGRAMMATIC_ACCESS_TOKEN" | undefined
  readonly problems: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/** The variable of each key. Some keys have an older name. */
const KEYS: Readonly<Record<string, string>> = {
  account: "SNOWFLAKE_ACCOUNT",
  user: "SNOWFLAKE_USER",
  private_key_file: "SNOWFLAKE_PRIVATE_KEY_PATH",
  private_key_path: "SNOWFLAKE_PRIVATE_KEY_PATH",
  private_key_file_pwd: "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
  private_key_passphrase: "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
  token: "SNOWFLAKE_TOKEN",
  token_file_path: "SNOWFLAKE_TOKEN",
  role: "SNOWFLAKE_ROLE",
  warehouse: "SNOWFLAKE_WAREHOUSE",
  database: "SNOWFLAKE_DATABASE",
  schema: "SNOWFLAKE_SCHEMA",
  host: "SNOWFLAKE_HOST"
}

/** Ways to prove who calls that the SQL API takes. */
const AUTHENTICATORS = ["SNOWFLAKE_JWT", "OAUTH", "PROGRAMMATIC_ACCESS_TOKEN"]

function expanded(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir())
}

/** The folder of the files: Snowflake's own if there is one, else where the platform keeps such files. */
function folderOf(variable: (name: string) => string): string {
  const own = expanded(variable("SNOWFLAKE_HOME") || "~/.snowflake")
  if (existsSync(own)) return own
  if (process.platform === "darwin") {
    return join(homedir(), "Library", "Application Support", "snowflake")
  }
  return process.platform === "win32"
    ? join(homedir(), "AppData", "Local", "snowflake")
    : join(variable("XDG_CONFIG_HOME") || join(homedir(), ".config"), "snowflake")
}

interface TomlFile {
  readonly path: string
  readonly table: TomlTable
  readonly problems: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

/** A file that others may write to is not read, as Snowflake's tools do. No message repeats a line. */
function readToml(path: string, isQuiet: boolean): TomlFile | undefined {
  const nothing = { path, table: {}, problems: [], warnings: [] }
  if (!existsSync(path)) return undefined
  try {
    const mode = process.platform === "win32" ? 0o600 : statSync(path).mode
    if ((mode & 0o022) !== 0) {
      const problem = `"${path}" can be written to by other users of this machine: run chmod 600 on it`
      return { ...nothing, problems: [problem] }
    }
    const warnings =
      (mode & 0o044) === 0 || isQuiet
        ? []
        : [`"${path}" is readable by other users of this machine: run chmod 600 on it`]
    return { ...nothing, table: parse(readFileSync(path, "utf8")), warnings }
  } catch (error) {
    const { code, line } = error as { readonly code?: string; readonly line?: number }
    const why = line === undefined ? `cannot be read: ${code}` : `is not TOML: line ${line}`
    return { ...nothing, problems: [`"${path}" ${why}`] }
  }
}

function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/**
 * Reads the connection that is named, or the default one. `undefined` if there is none and nobody has
 * named one.
 */
export function readConnection(
  environment: Variables,
  file: Variables
): SnowflakeConnection | undefined {
  const variable = (name: string) => environment[name]?.trim() || (file[name]?.trim() ?? "")
  const isQuiet =
    variable("SF_SKIP_WARNING_FOR_READ_PERMISSIONS_ON_CONFIG_FILE").toLowerCase() === "true"
  const folder = folderOf(variable)
  const config = readToml(join(folder, "config.toml"), isQuiet)
  const connections = readToml(join(folder, "connections.toml"), isQuiet)
  const chosen = config?.table["default_connection_name"]
  const named = variable("SNOWFLAKE_DEFAULT_CONNECTION_NAME")
  const name = named || (typeof chosen === "string" ? chosen : "default")
  const all = connections?.table ?? config?.table["connections"]
  const path = (connections ?? config)?.path ?? join(folder, "connections.toml")
  const where = `connection "${name}" in "${path}"`
  const files = [config, connections].filter((it) => it !== undefined)
  const found = {
    where,
    values: {},
    problems: files.flatMap(({ problems }) => problems),
    warnings: files.flatMap(({ warnings }) => warnings)
  }
  if (found.problems.length > 0) return found
  const connection = isTable(all) ? all[name] : undefined
  if (isTable(connection)) return { ...found, ...valuesOf(connection, where) }
  return named === ""
    ? undefined
    : {
        ...found,
        problems: [`there is no ${where}, which SNOWFLAKE_DEFAULT_CONNECTION_NAME names`]
      }
}

/** The values of a connection. No problem repeats one. */
function valuesOf(
  connection: TomlTable,
  where: string
): Pick<SnowflakeConnection, "values" | "problems" | "tokenType"> {
  const values: Record<string, string> = {}
  const problems: Array<string> = []
  for (const [key, variable] of Object.entries(KEYS)) {
    const value = connection[key]
    if (value === undefined || value === "") continue
    if (typeof value !== "string") {
      problems.push(`${key} of the ${where} is not a text in quotes`)
    } else if (key === "token_file_path") {
      const token = textIn(expanded(value))
      if (token === undefined)
        problems.push(`${key} of the ${where} names a file that cannot be read`)
      else values[variable] ??= token
    } else values[variable] ??= variable === "SNOWFLAKE_PRIVATE_KEY_PATH" ? expanded(value) : value
  }
  const authenticator = String(connection["authenticator"] ?? "").toUpperCase()
  if (authenticator !== "" && !AUTHENTICATORS.includes(authenticator)) {
    problems.push(
      `authenticator of the ${where} is none that works without a person: use SNOWFLAKE_JWT with private_key_file, OAUTH or PROGRAMMATIC_ACCESS_TOKEN with token`
    )
  }
  const tokenType =
    authenticator === "OAUTH" || authenticator === "PROGRAMMATIC_ACCESS_TOKEN"
      ? authenticator
      : undefined
  return { values, problems, tokenType }
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return undefined
  }
}
