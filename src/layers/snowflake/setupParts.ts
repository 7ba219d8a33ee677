/**
 * The parts of a lake in Snowflake: how each is looked at, made and completed.
 *
 * @module
 */
import { Effect, Either, Option } from "effect"
import type { WarehouseError } from "../../services/Warehouse.ts"
import type { Properties, WarehousePart } from "../../services/WarehouseSetup.ts"
import type { Client } from "./client.ts"
import { grantsPart, loaderGrants, type LakeNames, readerGrants } from "./setupGrants.ts"
import * as make from "./setupStatements.ts"
import { HOUR_NAMES, literal } from "./statements.ts"
import { COLUMNS, firstRows, SCHEMA_VERSION, TABLE_NAMES, tableOf } from "./tables.ts"

export interface SetupOptions {
  /** The compute warehouse that the roles may use. */
  readonly warehouse: string
  readonly database: string
  readonly schema: string
  /** The URL of the store with its prefix, such as `s3://bucket/python-import/`. */
  readonly url: string
  /** Snowflake's access to the store. S3 has a role, Azure a tenant. */
  readonly provider: make.Provider
  /** Defaults to `AMPLITUDE_LAKE`. */
  readonly integration?: string | undefined
  /** Defaults to `AMPLITUDE_LOADER`. */
  readonly loaderRole?: string | undefined
  /** Defaults to `AMPLITUDE_READER`. */
  readonly readerRole?: string | undefined
  /** Whether a pipe loads new objects by itself. Defaults to `false`. */
  readonly pipe?: boolean | undefined
  /** Azure: the notification integration that tells the pipe of new objects. */
  readonly queueIntegration?: string | undefined
}

export const INTEGRATION = "AMPLITUDE_LAKE"
export const PIPE = "LAKE_PIPE"
const STAGE = "LAKE"
const FORMAT = "LINES"

type Records = ReadonlyArray<Readonly<Record<string, string>>>
type Look = Effect.Effect<Option.Option<Properties>, WarehouseError>

/** What a SHOW or DESC finds; nothing where the object, or what it lies in, does not exist. */
export function look(client: Client, statement: string): Effect.Effect<Records, WarehouseError> {
  return Effect.catchIf(
    client.records("set up", statement),
    ({ reason }) => reason === "NotFound",
    () => Effect.succeed([])
  )
}

/** The row of a SHOW that has just this name: its LIKE takes an underscore for any letter. */
export function named(records: Records, name: string): Option.Option<Records[number]> {
  return Option.fromNullable(records.find((row) => row["name"] === name))
}

/** The properties that a DESC lists. */
export function described(records: Records): Option.Option<Properties> {
  if (records.length === 0) return Option.none()
  return Option.some(
    Object.fromEntries(
      records.map((row) => [row["property"] ?? "", row["property_value"] ?? ""] as const)
    )
  )
}

/** Where others have chosen differently. */
function chosen(what: string): WarehousePart["alter"] {
  return () => Either.left(`${what}; nothing was changed`)
}

export function partsOf(client: Client, options: SetupOptions): ReadonlyArray<WarehousePart> {
  const { database, pipe = false, schema } = options
  const [loader, reader] = [
    options.loaderRole ?? "AMPLITUDE_LOADER",
    options.readerRole ?? "AMPLITUDE_READER"
  ]
  const whole = (name: string) => make.qualified(database, schema, name)
  const names: LakeNames = {
    warehouse: make.identifier(options.warehouse),
    database: make.identifier(database),
    schema: make.qualified(database, schema),
    stage: whole(STAGE),
    format: whole(FORMAT),
    pipe: pipe ? whole(PIPE) : undefined,
    table: whole
  }
  const [integration, stage] = [integrationPart(client, options), `stage ${STAGE}`]
  const inSchema = [`schema ${schema}`]
  const tables = TABLE_NAMES.map((name) => tablePart(client, name, names, inSchema))
  return [
    integration,
    {
      ...there(`database ${database}`, [], `CREATE DATABASE IF NOT EXISTS ${names.database}`),
      read: isShown(client, "DATABASES", database, "")
    },
    {
      ...there(
        `schema ${schema}`,
        [`database ${database}`],
        `CREATE SCHEMA IF NOT EXISTS ${names.schema}`
      ),
      read: isShown(client, "SCHEMAS", schema, ` IN DATABASE ${names.database}`)
    },
    formatPart(client, names, inSchema),
    stagePart(client, options, names, [...inSchema, integration.name, `file format ${FORMAT}`]),
    ...tables,
    rowsPart(client, names, ["table ABOUT", "table LOAD_LOCK"]),
    ...[loader, reader].map((role) => ({
      ...there(`role ${role}`, [], `CREATE ROLE IF NOT EXISTS ${make.identifier(role)}`),
      read: isShown(client, "ROLES", role, "")
    })),
    ...(pipe ? [pipePart(client, options, names, [...inSchema, stage, "table EVENTS_RAW"])] : []),
    ...(
      [
        [loader, loaderGrants(names)],
        [reader, readerGrants(names)]
      ] as const
    ).map(([role, grants]) =>
      grantsPart(client, role, grants, [
        ...inSchema,
        stage,
        ...tables.map(({ name }) => name),
        ...(pipe ? [`pipe ${PIPE}`] : []),
        `role ${role}`
      ])
    )
  ]
}

/** A part of which nothing matters but that it exists. */
function there(
  name: string,
  needs: ReadonlyArray<string>,
  create: string
): Omit<WarehousePart, "read"> {
  return { name, needs, wanted: {}, create: [create], alter: () => Either.right([]) }
}

function isShown(client: Client, kind: string, name: string, where: string): Look {
  return Effect.map(look(client, `SHOW ${kind} LIKE ${literal(name)}${where}`), (rows) =>
    Option.as(named(rows, name), {})
  )
}

/** Whether Snowflake reads what lies below one URL where another is allowed. */
function covers(allowed: string, url: string): boolean {
  return allowed === "*" || url.startsWith(allowed.endsWith("/") ? allowed : `${allowed}/`)
}

function listOf(text: string | undefined): ReadonlyArray<string> {
  return (text ?? "").split(",").flatMap((it) => (it.trim() === "" ? [] : [it.trim()]))
}

function integrationPart(
  client: Client,
  { integration = INTEGRATION, provider, url }: SetupOptions
): WarehousePart {
  const [own, property] =
    provider.name === "S3"
      ? [{ role: provider.roleArn }, ["role", "STORAGE_AWS_ROLE_ARN"] as const]
      : [{ tenant: provider.tenant }, ["tenant", "AZURE_TENANT_ID"] as const]
  const name = make.identifier(integration)
  return {
    name: `integration ${integration}`,
    needs: [],
    wanted: { provider: provider.name, enabled: "true", ...own, reads: url, blocked: "no" },
    read: Effect.map(look(client, `DESC STORAGE INTEGRATION ${name}`), (rows) =>
      Option.map(described(rows), (found) => {
        const allowed = listOf(found["STORAGE_ALLOWED_LOCATIONS"])
        const isBlocked = listOf(found["STORAGE_BLOCKED_LOCATIONS"]).some((it) => covers(it, url))
        return {
          provider: found["STORAGE_PROVIDER"] ?? "",
          enabled: (found["ENABLED"] ?? "").toLowerCase(),
          [property[0]]: found[property[1]] ?? "",
          reads: allowed.some((it) => covers(it, url)) ? url : allowed.join(", "),
          blocked: isBlocked ? "yes" : "no"
        }
      })
    ),
    create: [make.createIntegration(integration, provider, url)],
    // Another role or tenant may serve other stages, and a switch is somebody's decision.
    alter: (differing, found) =>
      differing.length === 1 && differing[0] === "reads"
        ? Either.right([make.allowLocations(integration, [...listOf(found["reads"]), url])])
        : Either.left(
            `somebody made ${name} otherwise: use another integration, or ALTER STORAGE INTEGRATION it yourself; nothing was changed`
          )
  }
}

function formatPart(
  client: Client,
  { format }: LakeNames,
  needs: ReadonlyArray<string>
): WarehousePart {
  const wanted = { TYPE: "CSV", FIELD_DELIMITER: "NONE", ESCAPE_UNENCLOSED_FIELD: "NONE" }
  return {
    name: `file format ${FORMAT}`,
    needs,
    wanted,
    read: Effect.map(look(client, `DESC FILE FORMAT ${format}`), described),
    create: [make.createFileFormat(format)],
    alter: chosen(`somebody made ${format} otherwise: drop or rename it, then run again`)
  }
}

function stagePart(
  client: Client,
  { database, integration = INTEGRATION, schema, url }: SetupOptions,
  { format, stage }: LakeNames,
  needs: ReadonlyArray<string>
): WarehousePart {
  const where = make.qualified(database, schema)
  return {
    name: `stage ${STAGE}`,
    needs,
    wanted: { url, integration },
    read: Effect.map(
      look(client, `SHOW STAGES LIKE ${literal(STAGE)} IN SCHEMA ${where}`),
      (rows) =>
        Option.map(named(rows, STAGE), (row) => ({
          url: row["url"] ?? "",
          integration: row["storage_integration"] ?? ""
        }))
    ),
    create: [make.createStage(stage, { url, integration, format })],
    // The keys of all loaded rows come from its URL.
    alter: chosen(
      `somebody made ${stage} otherwise: use another schema for this lake, or change the stage yourself (ALTER STAGE)`
    )
  }
}

/** `NUMBER(38,0) NOT NULL`; a text or time of the usual length is without it. */
function typeOf(type: string, isNullable: boolean): string {
  const plain = type
    .replace(/\s+/g, "")
    .replace(/^VARCHAR\(\d{8,}\)$/, "VARCHAR")
    .replace(/^TIMESTAMP_NTZ\(9\)$/, "TIMESTAMP_NTZ")
  return isNullable ? plain : `${plain} NOT NULL`
}

/** Whether a row can be added without a value for the column. */
function isFree(column: Records[number]): boolean {
  return column["null?"] === "Y" || column["default"] !== ""
}

function tablePart(
  client: Client,
  name: (typeof TABLE_NAMES)[number],
  { schema, table }: LakeNames,
  needs: ReadonlyArray<string>
): WarehousePart {
  const wanted = Object.fromEntries(
    Object.entries(COLUMNS[name]).map(([column, text]) => {
      const type = text.replace(/ PRIMARY KEY$/, "")
      return [column, typeOf(type.replace(/ NOT NULL$/, ""), !type.endsWith("NOT NULL"))]
    })
  )
  return {
    name: `table ${name}`,
    needs,
    wanted: { ...wanted, "other columns": "fill themselves" },
    read: Effect.map(look(client, `DESC TABLE ${table(name)}`), (rows) => {
      if (rows.length === 0) return Option.none()
      const columns = rows.filter((row) => (row["kind"] ?? "COLUMN") === "COLUMN")
      const others = columns.filter(
        (row) => wanted[row["name"] ?? ""] === undefined && !isFree(row)
      )
      return Option.some({
        ...Object.fromEntries(
          columns.map((row) => [row["name"] ?? "", typeOf(row["type"] ?? "", row["null?"] === "Y")])
        ),
        "other columns":
          others.length === 0 ? "fill themselves" : others.map((row) => row["name"]).join(", ")
      })
    }),
    create: [tableOf(name, `${schema}.`)],
    alter: chosen(
      `somebody altered ${table(name)}: use another schema for this lake, or alter the table yourself`
    )
  }
}

function rowsPart(
  client: Client,
  { schema, table }: LakeNames,
  needs: ReadonlyArray<string>
): WarehousePart {
  const version = String(SCHEMA_VERSION)
  const statement = `SELECT (SELECT MAX(VALUE) FROM ${table("ABOUT")} WHERE NAME = 'schema') AS VERSION,
  (SELECT COUNT(*) FROM ${table("LOAD_LOCK")}) AS LOCKS`
  return {
    name: "first rows",
    needs,
    wanted: { version, lock: "1" },
    read: Effect.map(client.records("set up", statement), ([row]) =>
      row === undefined || (row["version"] === "" && row["locks"] === "0")
        ? Option.none()
        : Option.some({ version: row["version"] ?? "", lock: row["locks"] ?? "" })
    ),
    create: firstRows(`${schema}.`),
    alter: (_, found) =>
      found["version"] === "" || (found["version"] === version && found["lock"] === "0")
        ? Either.right(firstRows(`${schema}.`))
        : Either.left(
            "its tables are those of another version of this program, or the lock has several rows; nothing was changed"
          )
  }
}

function pipePart(
  client: Client,
  { database, queueIntegration, schema }: SetupOptions,
  { pipe = "", stage, table }: LakeNames,
  needs: ReadonlyArray<string>
): WarehousePart {
  const where = make.qualified(database, schema)
  const wanted = { takes: HOUR_NAMES, fills: "HOUR", "on error": "SKIP_FILE", ingests: "by itself" }
  return {
    name: `pipe ${PIPE}`,
    needs,
    wanted,
    read: Effect.map(look(client, `SHOW PIPES LIKE ${literal(PIPE)} IN SCHEMA ${where}`), (rows) =>
      Option.map(named(rows, PIPE), (row) => {
        const definition = row["definition"] ?? ""
        const part = (pattern: RegExp) => pattern.exec(definition)?.[1] ?? ""
        const isTold = row["notification_channel"] !== "" || row["integration"] !== ""
        return {
          takes: part(/\bPATTERN\s*=\s*'([^']*)'/i),
          fills: part(/\bEVENTS_RAW"?\s*\(\s*(HOUR)\b/i).toUpperCase(),
          "on error": part(/\bON_ERROR\s*=\s*'?(\w+)/i).toUpperCase() || "SKIP_FILE",
          ingests: isTold ? "by itself" : "when called"
        }
      })
    ),
    create: [make.createPipe(pipe, { stage, table: table("EVENTS_RAW"), queueIntegration })],
    // A replaced pipe forgets what it has loaded, and loads it a second time.
    alter: chosen(
      `somebody made ${pipe} otherwise: pause it, load the rest by COPY, drop it, then run again, and compare by load --reconcile`
    )
  }
}
