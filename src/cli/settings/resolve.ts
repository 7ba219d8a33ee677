import { Array, Either } from "effect"
import { readProxy } from "../../services/ProxyRules.ts"
import { missingAccount, resolveAzure } from "./azureEnvironment.ts"
import { configurationOf } from "./commands/config.ts"
import { disagreements, missingSettings } from "./problems/disagreements.ts"
import { type ReadSettings, readSettings, type Sources, storeNamed } from "./readSettings.ts"
import { resolveS3 } from "./s3Environment.ts"
import { unknownVariables } from "./env/nearMisses.ts"
import { resolveSnowflake, resolveTarget, type SnowflakeEnvironment } from "./env/snowflake.ts"
import {
  settingsAlone,
  type SettingsOf,
  type Simulation,
  type Source,
  type Store
} from "./settingsOf.ts"
import { type CommandName, declaredBy, type Values } from "./table.ts"

export type { Sources } from "./readSettings.ts"

/** Variables for an SDK's own credential chain; `undefined` removes a blank one. */
type Variables = Readonly<Record<string, string | undefined>>

export interface Resolved<C extends CommandName> {
  readonly settings: SettingsOf<C>
  readonly variables: Variables
  /** What counts although the user may expect something else. */
  readonly warnings: ReadonlyArray<string>
}

/** The value that several settings form together; `undefined` if there are problems. */
interface Part<A> {
  readonly value: A | undefined
  readonly variables?: Variables
  readonly problems?: ReadonlyArray<string>
  readonly warnings?: ReadonlyArray<string>
}

/**
 * Resolves the settings of a command, or returns a sentence for everything that is missing or
 * wrong. No sentence repeats a secret.
 */
export function resolveSettings<C extends CommandName>(
  command: C,
  sources: Sources
): Either.Either<Resolved<C>, ReadonlyArray<string>> {
  const read = readSettings(command, sources)
  const { values } = read
  const parts = partsOf(command, read, sources)
  const problems = [
    ...certificateProblems(sources),
    ...proxyProblems(sources),
    ...read.problems,
    ...unknownInFile(sources),
    ...disagreements(command, read, sources)
  ]
  const missing = missingSettings(command, read, sources)
  const warnings = [
    ...unknownInEnvironment(sources),
    ...(parts.warnings ?? []),
    // A lake that is loaded elsewhere need not mind what other tools are set to.
    ...(command === "config" ? (sources.connection?.problems ?? []) : [])
  ]
  const alone = Object.fromEntries(settingsAlone(command).map((name) => [name, values[name]]))
  const resolved = (value: object, variables: Variables = {}) =>
    Either.right({
      settings: { ...alone, ...value } as SettingsOf<C>,
      variables,
      warnings
    })
  if (command === "config") {
    const [unset, invalid] = Array.partition(parts.problems ?? [], isInvalid(sources))
    return resolved({
      ...parts.value,
      logDir: undefined,
      configuration: configurationOf(read, sources, {
        missing: [...missing, ...unset],
        problems: [...problems, ...invalid]
      })
    })
  }
  const all = [...problems, ...missing, ...(parts.problems ?? [])]
  return all.length > 0 || parts.value === undefined
    ? Either.left(all)
    : resolved(parts.value, parts.variables)
}

/** Whether a problem of a store is more than an account that nobody has named. */
function isInvalid({ fileName }: Sources): (problem: string) => boolean {
  return (problem) => problem !== missingAccount(fileName)
}

/** The env file is this program's alone: a wrong name in it would silently select another lake. */
function unknownInFile({ file, fileName }: Sources): ReadonlyArray<string> {
  return unknownVariables(Object.keys(file), `in ${fileName}`, ["envFile"])
}

/** Only warned about: other programs may set such names there, too. */
function unknownInEnvironment({ environment }: Sources): ReadonlyArray<string> {
  return unknownVariables(Object.keys(environment), "in the environment")
}

/** Node would accept any certificate, and send the keys to any server. */
function certificateProblems({ environment }: Sources): ReadonlyArray<string> {
  return environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0"
    ? [
        "NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment turns certificate checks off: unset it, and if you use a private CA, set NODE_EXTRA_CA_CERTS to its file"
      ]
    : []
}

/** A proxy that cannot be used is named before anything is sent. */
function proxyProblems({ environment }: Sources): ReadonlyArray<string> {
  return Either.match(readProxy(environment), { onLeft: (it) => [it], onRight: () => [] })
}

/** What the command gets instead of single settings. */
function partsOf(command: CommandName, read: ReadSettings, sources: Sources): Part<object> {
  const { values, wrong } = read
  switch (command) {
    case "setup bucket":
      return bucketOf(values, sources)
    case "setup iam":
      return { value: values.bucket === undefined ? undefined : { bucket: values.bucket } }
    case "setup snowflake":
      return wrong.has("store") ? { value: undefined } : snowflakeSetupOf(read, sources)
    case "simulate":
      return { value: simulationOf(values) }
    case "export":
    case "model":
    case "sql":
      return { value: {} }
    case "report":
      return values.build ? storePart(read, sources) : { value: {} }
    default: {
      if (wrong.has("store")) return { value: undefined }
      const { value: store, ...found } = storeOf(read, sources)
      if (store === undefined) return { ...found, value: undefined }
      if (command === "copy") return targetOf(read, sources, { ...found, value: store })
      if (command === "verify" && values.against) {
        const { value, ...others } = targetOf(read, sources, { ...found, value: store })
        return { ...others, value: value && { ...value, snowflake: undefined } }
      }
      // What config shows of a source needs no keys.
      const hasSource = declaredBy(command).includes("source") && command !== "config"
      if (declaredBy(command).includes("warehouse")) {
        const {
          problems = [],
          value,
          warnings = []
        }: Part<SnowflakeEnvironment> = command === "verify"
          ? { value: undefined }
          : snowflakeOf(read, sources)
        if (problems.length > 0) return { ...found, value: undefined, problems }
        return {
          ...found,
          warnings: [...(found.warnings ?? []), ...warnings],
          value: { store, snowflake: value }
        }
      }
      if (!hasSource) return { ...found, value: { store } }
      // Where our version lies here, nothing is requested.
      const source =
        sourceOf(values, command === "reland") ?? (command === "resolve" ? NOTHING : undefined)
      return { ...found, value: source === undefined ? undefined : { store, source } }
    }
  }
}

/** The store alone. */
function storePart(read: ReadSettings, sources: Sources): Part<object> {
  if (read.wrong.has("store")) return { value: undefined }
  const { value: store, ...found } = storeOf(read, sources)
  return { ...found, value: store === undefined ? undefined : { store } }
}

function bucketOf({ bucket }: Values, { environment, file, fileName }: Sources): Part<object> {
  return Either.match(resolveS3(environment, file, fileName), {
    onLeft: (problems) => ({ value: undefined, problems }),
    onRight: ({ credentials, variables, warnings }) => ({
      value: bucket === undefined ? undefined : { bucket, credentials },
      variables,
      warnings
    })
  })
}

function storeOf(read: ReadSettings, { environment, file, fileName }: Sources): Part<Store> {
  const { values } = read
  const { bucket, container, localDir, prefix, sse, sseKmsKeyId } = values
  switch (storeNamed(read)) {
    case "s3":
      return Either.match(resolveS3(environment, file, fileName), {
        onLeft: (problems) => ({ value: undefined, problems }),
        onRight: ({ credentials, variables, warnings }) => ({
          value:
            bucket === undefined
              ? undefined
              : { _tag: "S3", bucket, prefix, sse, sseKmsKeyId, credentials },
          variables,
          warnings
        })
      })
    case "azure":
      return Either.match(resolveAzure(environment, file, fileName), {
        onLeft: (problems) => ({ value: undefined, problems }),
        onRight: ({ account, credentials, endpoint, variables }) => ({
          value:
            container === undefined
              ? undefined
              : { _tag: "Azure", container, prefix, account, endpoint, credentials },
          variables
        })
      })
    case "local":
      return { value: { _tag: "Local", folder: localDir, prefix } }
    case "memory":
      return { value: { _tag: "Memory", prefix } }
  }
}

function snowflakeSetupOf(read: ReadSettings, sources: Sources): Part<object> {
  const { value: store, ...found } = storeOf(read, sources)
  const target = resolveTarget(sources)
  const snowflake = read.values.print
    ? Either.map(target, () => undefined)
    : resolveSnowflake(sources)
  const problems = [...(found.problems ?? []), ...Either.match(snowflake, NO_VALUE)]
  return Either.isRight(target) && Either.isRight(snowflake) && store !== undefined
    ? {
        ...found,
        warnings: [...(found.warnings ?? []), ...(sources.connection?.warnings ?? [])],
        value: { store, target: target.right, snowflake: snowflake.right }
      }
    : { ...found, value: undefined, problems }
}

const NO_VALUE = {
  onLeft: (problems: ReadonlyArray<string>) => problems,
  onRight: (): ReadonlyArray<string> => []
}

/** The store of a lake together with the one that it is copied to. */
function targetOf(read: ReadSettings, sources: Sources, source: Part<Store>): Part<object> {
  const { values } = read
  const { toBucket, toContainer, toLocalDir, toPrefix, toStore } = values
  const named = toStore ?? (toLocalDir === undefined ? storeNamed(read) : "local")
  const { value: target, ...found } = storeOf(
    {
      ...read,
      values: {
        ...values,
        dev: false,
        store: named,
        bucket: toBucket ?? values.bucket,
        container: toContainer ?? values.container,
        localDir: toLocalDir ?? values.localDir,
        prefix: toPrefix ?? values.prefix
      }
    },
    sources
  )
  return {
    value: target === undefined ? undefined : { store: source.value, target },
    variables: { ...source.variables, ...found.variables },
    problems: found.problems ?? [],
    warnings: [...(source.warnings ?? []), ...(found.warnings ?? [])]
  }
}

function snowflakeOf({ values }: ReadSettings, sources: Sources): Part<SnowflakeEnvironment> {
  if (values.warehouse !== "snowflake") return { value: undefined }
  return Either.match(resolveSnowflake(sources), {
    onLeft: (problems) => ({ value: undefined, problems }),
    onRight: (value) => ({ value, warnings: sources.connection?.warnings ?? [] })
  })
}

function sourceOf(values: Values, isAlwaysAsked: boolean): Source | undefined {
  const { amplitudeUrl, apiKey, eventsPerHour, fromArchive, project, region, secretKey, seed } =
    values
  if (fromArchive !== undefined) return { _tag: "Archives", files: fromArchive }
  if (values.dryRun && !isAlwaysAsked) return { _tag: "Unasked" }
  if (values.source === "synthetic") return { _tag: "Synthetic", seed, eventsPerHour, project }
  if (apiKey === undefined || secretKey === undefined) return undefined
  return { _tag: "Amplitude", region, origin: amplitudeUrl, apiKey, secretKey }
}

const NOTHING: Source = { _tag: "Unasked" }

function simulationOf(values: Values): { readonly simulation: Simulation } | undefined {
  const { apiKey, dump, maxBytes, port, secretKey } = values
  if (dump !== undefined) return { simulation: { _tag: "Dump", folder: dump } }
  if (apiKey === undefined || secretKey === undefined) return undefined
  return { simulation: { _tag: "Serve", port, maxBytes, apiKey, secretKey } }
}
