/**
 * A lake's parts in Snowflake: the integration that reads the store, stage, tables, roles and pipe.
 *
 * @module
 */
import { Effect, Either, Layer, Option, type Scope } from "effect"
import { WarehouseError } from "../../services/Warehouse.ts"
import { WarehouseSetup } from "../../services/WarehouseSetup.ts"
import type { Client } from "./client.ts"
import { connect, type ConnectionOptions } from "./connect.ts"
import { described, look, named } from "./setupLook.ts"
import { partsOf } from "./setupParts.ts"
import { INTEGRATION, PIPE, type SetupOptions } from "./setupStorage.ts"
import { identifier, qualified } from "./names.ts"
import { literal } from "./statements.ts"

export interface WarehouseSetupSnowflakeOptions extends SetupOptions {
  /** As whom the statements run. Without it they can be shown, and nothing else. */
  readonly connection?: (ConnectionOptions & { readonly role?: string | undefined }) | undefined
}

/** Nothing is sent before something is looked at. */
export const make: (
  options: WarehouseSetupSnowflakeOptions
) => Effect.Effect<WarehouseSetup["Type"], never, Scope.Scope> = Effect.fnUntraced(
  function* (options) {
    const { connection, database, pipe = false, schema, warehouse } = options
    const path = `snowflake://${connection?.account ?? ""}/${database}/${schema}`
    // Database and schema may not exist yet.
    const client =
      connection === undefined
        ? Either.left("no account is named")
        : yield* connect(connection, path, { warehouse, role: connection.role })
    const misconfigured = (detail: string) =>
      Effect.fail(new WarehouseError({ reason: "Misconfigured", method: "set up", path, detail }))
    const connected: Client = Either.getOrElse(client, (detail) => ({
      run: () => misconfigured(detail),
      rows: () => misconfigured(detail),
      records: () => misconfigured(detail)
    }))
    return WarehouseSetup.of({
      place: path,
      parts: partsOf(connected, options),
      run: (statements) =>
        statements.length === 0 ? Effect.void : connected.run("set up", statements),
      access: access(connected, { ...options, pipe }, path)
    })
  }
)

const access = Effect.fn("WarehouseSetupSnowflake.access")(function* (
  client: Client,
  { database, integration = INTEGRATION, pipe, schema }: WarehouseSetupSnowflakeOptions,
  path: string
) {
  const rows = yield* look(client, `DESC STORAGE INTEGRATION ${identifier(integration)}`)
  const found = Option.getOrUndefined(described(rows))
  if (found === undefined) {
    const detail = `there is no storage integration ${integration}, or it is hidden from the role`
    return yield* new WarehouseError({ reason: "NotFound", method: "set up", path, detail })
  }
  const valueOf = (name: string) => found[name] || null
  const where = qualified(database, schema)
  const pipes =
    pipe === true ? yield* look(client, `SHOW PIPES LIKE ${literal(PIPE)} IN SCHEMA ${where}`) : []
  const channel = Option.getOrUndefined(named(pipes, PIPE))?.["notification_channel"] ?? ""
  return {
    integration,
    trustedArn: valueOf("STORAGE_AWS_IAM_USER_ARN"),
    externalId: valueOf("STORAGE_AWS_EXTERNAL_ID"),
    consentUrl: valueOf("AZURE_CONSENT_URL"),
    application: valueOf("AZURE_MULTI_TENANT_APP_NAME"),
    queue: channel.startsWith("arn:") ? channel : null
  }
})

/**
 * @example
 * ```ts
 * import { Effect, Redacted } from "effect"
 * import { setupWarehouse } from "amplitude-lake"
 * import * as WarehouseSetupSnowflake from "amplitude-lake/layers/WarehouseSetupSnowflake"
 *
 * const setup = WarehouseSetupSnowflake.layer({
 *   connection: {
 *     account: "myorg-account",
 *     credentials: { user: "ADMIN", privateKey: Redacted.make("-----BEGIN …") },
 *     role: "ACCOUNTADMIN"
 *   },
 *   warehouse: "LOADING",
 *   database: "AMPLITUDE_LAKE",
 *   schema: "AMPLITUDE",
 *   url: "s3://your-bucket/python-import/",
 *   provider: { name: "S3", roleArn: "arn:aws:iam::111122223333:role/snowflake-reader" }
 * })
 *
 * export const report = Effect.provide(setupWarehouse({ apply: false }), setup)
 * ```
 */
export function layer(options: WarehouseSetupSnowflakeOptions): Layer.Layer<WarehouseSetup> {
  return Layer.scoped(WarehouseSetup, make(options))
}
