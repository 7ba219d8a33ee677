/**
 * What is said to Snowflake to set a lake up. Every name is whole, as nothing may exist yet. Nothing
 * here replaces or drops: a replaced integration has another external ID, a replaced pipe forgets
 * what it has loaded.
 *
 * @module
 */
import { identifier } from "./names.ts"
import { copyInto, FILE_FORMAT, HOUR_NAMES, literal } from "./statements.ts"

/** Whose store a storage integration reads. */
export type Provider =
  | { readonly name: "S3"; readonly roleArn: string }
  | { readonly name: "AZURE"; readonly tenant: string }

export function createIntegration(name: string, provider: Provider, url: string): string {
  const own =
    provider.name === "S3"
      ? `STORAGE_AWS_ROLE_ARN = ${literal(provider.roleArn)}`
      : `AZURE_TENANT_ID = ${literal(provider.tenant)}`
  return `CREATE STORAGE INTEGRATION IF NOT EXISTS ${identifier(name)}
  TYPE = EXTERNAL_STAGE
  STORAGE_PROVIDER = ${literal(provider.name)}
  ENABLED = TRUE
  ${own}
  STORAGE_ALLOWED_LOCATIONS = (${literal(url)})`
}

/** Replaces the list of locations, so that it has to hold those of others. */
export function allowLocations(name: string, urls: ReadonlyArray<string>): string {
  return `ALTER STORAGE INTEGRATION ${identifier(name)} SET STORAGE_ALLOWED_LOCATIONS = (${urls.map(literal).join(", ")})`
}

export function createFileFormat(name: string): string {
  return `CREATE FILE FORMAT IF NOT EXISTS ${name}
  ${FILE_FORMAT}`
}

interface NewStage {
  readonly url: string
  readonly integration: string
  readonly format: string
}

export function createStage(name: string, { format, integration, url }: NewStage): string {
  return `CREATE STAGE IF NOT EXISTS ${name}
  URL = ${literal(url)}
  STORAGE_INTEGRATION = ${identifier(integration)}
  FILE_FORMAT = (FORMAT_NAME = ${literal(format)})`
}

interface NewPipe {
  readonly stage: string
  readonly table: string
  /** Azure: what tells of new objects. */
  readonly queueIntegration?: string | undefined
}

/** States its file format itself, so that nobody changes it behind the pipe's back. */
export function createPipe(name: string, { queueIntegration, stage, table }: NewPipe): string {
  const queue =
    queueIntegration === undefined ? "" : `\n  INTEGRATION = ${literal(queueIntegration)}`
  return `CREATE PIPE IF NOT EXISTS ${name}
  AUTO_INGEST = TRUE${queue}
AS
${copyInto(stage, table)}
PATTERN = ${literal(HOUR_NAMES)}
FILE_FORMAT = (${FILE_FORMAT})
ON_ERROR = SKIP_FILE`
}

/** Rights on one object. */
export interface Grant {
  readonly privileges: ReadonlyArray<string>
  /** Such as `TABLE`. */
  readonly kind: string
  /** As SQL has it. */
  readonly name: string
}

export function grant({ kind, name, privileges }: Grant, role: string): string {
  return `GRANT ${privileges.join(", ")} ON ${kind} ${name} TO ROLE ${identifier(role)}`
}
