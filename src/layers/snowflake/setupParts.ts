/**
 * The parts of a lake in Snowflake: how each is looked at, made and completed.
 *
 * @module
 */
import { Effect, Either, Option } from "effect"
import type { WarehousePart } from "../../services/WarehouseSetup.ts"
import type { Client } from "./client.ts"
import { grantsPart, loaderGrants, type LakeNames, readerGrants } from "./setupGrants.ts"
import { type Look, look, named } from "./setupLook.ts"
import { identifier, qualified } from "./names.ts"
import {
  FORMAT,
  formatPart,
  integrationPart,
  PIPE,
  pipePart,
  type SetupOptions,
  STAGE,
  stagePart
} from "./setupStorage.ts"
import { rowsPart, tablePart } from "./setupTables.ts"
import { literal } from "./statements.ts"
import { TABLE_NAMES } from "./tables.ts"

export function partsOf(client: Client, options: SetupOptions): ReadonlyArray<WarehousePart> {
  const { database, pipe = false, schema } = options
  const [loader, reader] = [
    options.loaderRole ?? "AMPLITUDE_LOADER",
    options.readerRole ?? "AMPLITUDE_READER"
  ]
  const whole = (name: string) => qualified(database, schema, name)
  const names: LakeNames = {
    warehouse: identifier(options.warehouse),
    database: identifier(database),
    schema: qualified(database, schema),
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
      ...there(`role ${role}`, [], `CREATE ROLE IF NOT EXISTS ${identifier(role)}`),
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
