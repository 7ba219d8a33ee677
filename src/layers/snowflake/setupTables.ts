/**
 * The tables of a lake in Snowflake, and their first rows.
 *
 * @module
 */
import { Effect, Either, Option } from "effect"
import type { WarehousePart } from "../../services/WarehouseSetup.ts"
import type { Client } from "./client.ts"
import type { LakeNames } from "./setupGrants.ts"
import { chosen, look, type Records } from "./setupLook.ts"
import { COLUMNS, firstRows, SCHEMA_VERSION, type TABLE_NAMES, tableOf } from "./tables.ts"

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

export function tablePart(
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

export function rowsPart(
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
