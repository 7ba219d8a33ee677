/**
 * Looks at what there is in Snowflake.
 *
 * @module
 */
import { Effect, Either, Option } from "effect"
import type { WarehouseError } from "../../services/Warehouse.ts"
import type { Properties, WarehousePart } from "../../services/WarehouseSetup.ts"
import type { Client } from "./client.ts"

export type Records = ReadonlyArray<Readonly<Record<string, string>>>
export type Look = Effect.Effect<Option.Option<Properties>, WarehouseError>

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
export function chosen(what: string): WarehousePart["alter"] {
  return () => Either.left(`${what}; nothing was changed`)
}
