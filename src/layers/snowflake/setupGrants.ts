import { Effect, Either, Option } from "effect"
import type { WarehousePart } from "../../services/WarehouseSetup.ts"
import type { Client } from "./client.ts"
import { identifier } from "./names.ts"
import { type Grant, grant } from "./setupStatements.ts"
import { TABLE_NAMES } from "./tables.ts"

/** The parts of a lake, each as SQL has its name. */
export interface LakeNames {
  readonly warehouse: string
  readonly database: string
  readonly schema: string
  readonly stage: string
  readonly format: string
  /** Absent if nothing loads by itself. */
  readonly pipe: string | undefined
  readonly table: (name: string) => string
}

/** What anybody needs who looks into a lake. */
function usage({ database, schema, warehouse }: LakeNames): ReadonlyArray<Grant> {
  return [
    { privileges: ["USAGE"], kind: "WAREHOUSE", name: warehouse },
    { privileges: ["USAGE"], kind: "DATABASE", name: database },
    { privileges: ["USAGE"], kind: "SCHEMA", name: schema }
  ]
}

/** All that a load needs. It makes and drops nothing. */
export function loaderGrants(names: LakeNames): ReadonlyArray<Grant> {
  const on = (table: string, ...privileges: ReadonlyArray<string>) => ({
    privileges,
    kind: "TABLE",
    name: names.table(table)
  })
  return [
    ...usage(names),
    { privileges: ["USAGE"], kind: "FILE FORMAT", name: names.format },
    { privileges: ["USAGE"], kind: "STAGE", name: names.stage },
    on("ABOUT", "SELECT", "INSERT", "UPDATE"),
    on("EVENTS_RAW", "SELECT", "INSERT", "DELETE"),
    on("LOADS", "SELECT", "INSERT", "UPDATE"),
    on("CALENDAR", "SELECT", "INSERT", "DELETE"),
    ...["LISTS", "EVENT_TYPES", "COHORTS", "ANNOTATIONS"].map((it) =>
      on(it, "SELECT", "INSERT", "DELETE")
    ),
    on("LOAD_LOCK", "SELECT", "INSERT", "UPDATE"),
    ...(names.pipe === undefined
      ? []
      : [{ privileges: ["MONITOR", "OPERATE"], kind: "PIPE", name: names.pipe }])
  ]
}

/** All that queries and models need to read. */
export function readerGrants(names: LakeNames): ReadonlyArray<Grant> {
  const tables = TABLE_NAMES.filter((name) => name !== "LOAD_LOCK")
  return [
    ...usage(names),
    ...tables.map((it) => ({ privileges: ["SELECT"], kind: "TABLE", name: names.table(it) }))
  ]
}

/** `SELECT on TABLE LAKE.AMPLITUDE.LOADS`: one right, as a property. */
function rightOf(privilege: string, kind: string, name: string): string {
  return `${privilege} on ${kind.replaceAll("_", " ")} ${name}`
}

/** The rights of a role. It may have more; rights that it owns count. */
export function grantsPart(
  client: Client,
  role: string,
  grants: ReadonlyArray<Grant>,
  needs: ReadonlyArray<string>
): WarehousePart {
  const rights = grants.flatMap(({ kind, name, privileges }) =>
    privileges.map((privilege) => ({
      privilege,
      kind,
      name,
      right: rightOf(privilege, kind, name)
    }))
  )
  return {
    name: `grants to ${role}`,
    needs,
    wanted: Object.fromEntries(rights.map(({ right }) => [right, "granted"])),
    read: Effect.map(
      client.records("set up", `SHOW GRANTS TO ROLE ${identifier(role)}`),
      (rows) => {
        const has = new Set(
          rows.map((row) =>
            rightOf(row["privilege"] ?? "", row["granted_on"] ?? "", row["name"] ?? "")
          )
        )
        const held = rights.filter(
          ({ kind, name, right }) => has.has(right) || has.has(rightOf("OWNERSHIP", kind, name))
        )
        return Option.some(Object.fromEntries(held.map(({ right }) => [right, "granted"])))
      }
    ),
    create: grants.map((it) => grant(it, role)),
    alter: (differing) =>
      Either.right(
        grants.flatMap((it) => {
          const privileges = it.privileges.filter((privilege) =>
            differing.includes(rightOf(privilege, it.kind, it.name))
          )
          return privileges.length === 0 ? [] : [grant({ ...it, privileges }, role)]
        })
      )
  }
}
