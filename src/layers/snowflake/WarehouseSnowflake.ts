/**
 * A warehouse in Snowflake, which reads the store by itself through a stage.
 *
 * @module
 */
import { Effect, Either, Layer, type Scope } from "effect"
import { Warehouse, WarehouseError } from "../../services/Warehouse.ts"
import type { Client } from "./client.ts"
import { connect, type ConnectionOptions } from "./connect.ts"
import { openWarehouse } from "./openWarehouse.ts"
import { PIPE } from "./setupStorage.ts"
import * as sql from "./statements.ts"
import { FIRST_ROWS, SCHEMA_VERSION, TABLES } from "./tables.ts"

export type { SnowflakeCredentials } from "./credentials.ts"

export interface WarehouseSnowflakeOptions extends ConnectionOptions {
  readonly role?: string | undefined
  /** The compute warehouse that runs the statements. */
  readonly warehouse: string
  readonly database: string
  readonly schema: string
  /** The stage, whose URL is the store with its prefix. Defaults to `LAKE`. */
  readonly stage?: string | undefined
  /** The pipe that may load in the place of this program. Defaults to `LAKE_PIPE`. */
  readonly pipe?: string | undefined
  /** The store's prefix, which the stage's URL ends with. Defaults to none. */
  readonly prefix?: string | undefined
}

/** Nothing is sent until the warehouse is opened. */
export const make: (
  options: WarehouseSnowflakeOptions
) => Effect.Effect<Warehouse["Type"], never, Scope.Scope> = Effect.fnUntraced(function* (options) {
  const { account, database, prefix = "", role, schema, stage = "LAKE", warehouse } = options
  const pipe = [database, schema, options.pipe ?? PIPE]
  const path = `snowflake://${account}/${database}/${schema}`
  const misconfigured = (detail: string) =>
    new WarehouseError({ reason: "Misconfigured", method: "open", path, detail })
  const client = yield* connect(options, path, { database, schema, warehouse, role })
  let isOpen = false
  const alone = Effect.acquireRelease(
    Effect.suspend(() => {
      if (isOpen) {
        const detail = "this process has it open already"
        return Effect.fail(new WarehouseError({ reason: "Busy", method: "open", path, detail }))
      }
      isOpen = true
      return Effect.void
    }),
    () =>
      Effect.sync(() => {
        isOpen = false
      })
  )
  return Warehouse.of({
    place: path,
    health: Effect.gen(function* () {
      if (Either.isLeft(client)) return yield* misconfigured(client.left)
      const isThere = yield* client.right.rows("open", sql.ABOUT).pipe(
        Effect.as(true),
        Effect.catchIf(
          ({ reason }) => reason === "NotFound",
          () => Effect.succeed(false)
        )
      )
      return { isThere, free: Infinity, exposure: "" }
    }),
    open: Effect.fn("WarehouseSnowflake.open")(function* (to) {
      if (Either.isLeft(client)) return yield* misconfigured(client.left)
      yield* prepare(client.right, path, to)
      yield* alone
      return openWarehouse(client.right, { path, stage, pipe, prefix }, to)
    })
  })
})

/** Makes the tables if hours are to be loaded into a schema without them. */
const prepare = Effect.fnUntraced(function* (client: Client, path: string, to: "load" | "read") {
  const look = client.rows("open", sql.ABOUT)
  const about = yield* to === "read"
    ? look
    : Effect.catchIf(
        look,
        ({ reason }) => reason === "NotFound",
        () => Effect.zipRight(client.run("open", [...TABLES, ...FIRST_ROWS]), look)
      )
  const [lock] = yield* Effect.mapError(client.rows("open", sql.LOCK_ROWS), (error) =>
    error.reason === "NotFound"
      ? new WarehouseError({ reason: "Foreign", method: "open", path, detail: error.detail })
      : error
  )
  // Without a row, two loaders would not wait for each other.
  if (to === "load" && Number(lock?.[0]) === 0) yield* client.run("open", FIRST_ROWS)
  const version = Number(about.find(([name]) => name === "schema")?.[1])
  if (version === SCHEMA_VERSION) return
  const detail = `its tables have version ${version}, and this program's have ${SCHEMA_VERSION}`
  const reason = version > SCHEMA_VERSION ? "TooNew" : "TooOld"
  return yield* new WarehouseError({ reason, method: "open", path, detail })
})

/**
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import * as WarehouseSnowflake from "amplitude-lake/layers/WarehouseSnowflake"
 *
 * export const warehouse = WarehouseSnowflake.layer({
 *   account: "myorg-account",
 *   credentials: { user: "AMPLITUDE_LOADER", privateKey: Redacted.make("-----BEGIN …") },
 *   warehouse: "LOADING",
 *   database: "AMPLITUDE_LAKE",
 *   schema: "AMPLITUDE",
 *   prefix: "python-import/"
 * })
 * ```
 */
export function layer(options: WarehouseSnowflakeOptions): Layer.Layer<Warehouse> {
  return Layer.scoped(Warehouse, make(options))
}
