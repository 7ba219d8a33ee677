/**
 * How Snowflake reaches the store: integration, file format, stage and pipe.
 *
 * @module
 */
import { Effect, Either, Option } from "effect"
import type { WarehousePart } from "../../services/WarehouseSetup.ts"
import type { Client } from "./client.ts"
import type { LakeNames } from "./setupGrants.ts"
import { chosen, described, look, named } from "./setupLook.ts"
import { identifier, qualified } from "./names.ts"
import * as make from "./setupStatements.ts"
import { HOUR_NAMES, literal } from "./statements.ts"

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
export const STAGE = "LAKE"
export const FORMAT = "LINES"

/** Whether an allowed location of an integration includes a URL. */
function covers(allowed: string, url: string): boolean {
  return allowed === "*" || url.startsWith(allowed.endsWith("/") ? allowed : `${allowed}/`)
}

function listOf(text: string | undefined): ReadonlyArray<string> {
  return (text ?? "").split(",").flatMap((it) => (it.trim() === "" ? [] : [it.trim()]))
}

export function integrationPart(
  client: Client,
  { integration = INTEGRATION, provider, url }: SetupOptions
): WarehousePart {
  const [own, property] =
    provider.name === "S3"
      ? [{ role: provider.roleArn }, ["role", "STORAGE_AWS_ROLE_ARN"] as const]
      : [{ tenant: provider.tenant }, ["tenant", "AZURE_TENANT_ID"] as const]
  const name = identifier(integration)
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

export function formatPart(
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

export function stagePart(
  client: Client,
  { database, integration = INTEGRATION, schema, url }: SetupOptions,
  { format, stage }: LakeNames,
  needs: ReadonlyArray<string>
): WarehousePart {
  const where = qualified(database, schema)
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

export function pipePart(
  client: Client,
  { database, queueIntegration, schema }: SetupOptions,
  { pipe = "", stage, table }: LakeNames,
  needs: ReadonlyArray<string>
): WarehousePart {
  const where = qualified(database, schema)
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
