/**
 * The settings that a command gets once they are resolved: those that it declares. Settings that
 * belong together, such as those of a store, are one tagged value.
 *
 * @module
 */
import type { Option, Redacted } from "effect"
import type { AzureCredentials } from "../../layers/azure/ObjectStorageAzure.ts"
import type { S3Credentials } from "../../layers/s3/ObjectStorageS3.ts"
import type { SnowflakeEnvironment, SnowflakeTarget } from "./env/snowflake.ts"
import type { Configuration } from "./commands/Configuration.ts"
import {
  type CommandName,
  type commands,
  declaredBy,
  place,
  type required,
  type SettingName,
  source,
  targetPlace,
  type Values
} from "./table.ts"

export type Store =
  | {
      readonly _tag: "S3"
      readonly bucket: string
      readonly prefix: string
      readonly sse: "AES256" | "aws:kms" | undefined
      readonly sseKmsKeyId: string | undefined
      /** Absent if the SDK's own chain is to find them. */
      readonly credentials: Option.Option<S3Credentials>
    }
  | {
      readonly _tag: "Azure"
      readonly container: string
      readonly prefix: string
      readonly account: string
      /** Absent for Azure's public cloud. */
      readonly endpoint: string | undefined
      /** Absent if `DefaultAzureCredential` is to find them. */
      readonly credentials: AzureCredentials | undefined
    }
  | { readonly _tag: "Local"; readonly folder: string; readonly prefix: string }
  | { readonly _tag: "Memory"; readonly prefix: string }

interface Keys {
  readonly apiKey: Redacted.Redacted
  readonly secretKey: Redacted.Redacted
}

/** A source that windows are requested from. */
export type AskedSource =
  | ({
      readonly _tag: "Amplitude"
      readonly region: Values["region"]
      readonly origin: string | undefined
    } & Keys)
  | {
      readonly _tag: "Synthetic"
      readonly seed: number
      readonly eventsPerHour: number
      readonly project: number
    }

/** No source: what requests nothing, such as a dry run, needs no keys. */
interface Unasked {
  readonly _tag: "Unasked"
}

/** Archive files that are read instead of requests. */
interface Archives {
  readonly _tag: "Archives"
  readonly files: ReadonlyArray<string>
}

export type Source = AskedSource | Unasked | Archives

/** What `simulate` does with its events. */
export type Simulation =
  | ({
      readonly _tag: "Serve"
      readonly port: number
      readonly maxBytes: number | undefined
    } & Keys)
  | { readonly _tag: "Dump"; readonly folder: string }

type Declared<C extends CommandName> = (typeof commands)[C]["settings"][number]

type StoreOf<Name> = "store" extends Name ? { readonly store: Store } : unknown

/** Where a lake is copied to, or which lake it is compared with, if with any. */
type TargetOf<Name> = "toStore" extends Name
  ? { readonly target: "against" extends Name ? Store | undefined : Store }
  : unknown

type SourceOf<Name> = "source" extends Name
  ? {
      readonly source:
        | AskedSource
        | ("dryRun" extends Name ? Unasked : never)
        | ("keep" extends Name ? Unasked : never)
        | ("fromArchive" extends Name ? Archives : never)
    }
  : unknown

/** Absent unless Snowflake is the warehouse. */
type SnowflakeOf<Name> = "warehouse" extends Name
  ? { readonly snowflake: SnowflakeEnvironment | undefined }
  : unknown

/** What these commands get instead of single settings. */
interface OwnParts {
  /** It writes no log file, so that it also explains a folder that cannot be written to. */
  readonly config: { readonly configuration: Configuration; readonly logDir: undefined }
  /** Without a store where nothing is to be loaded. */
  readonly report: { readonly store?: Store }
  readonly "setup bucket": {
    readonly bucket: string
    readonly credentials: Option.Option<S3Credentials>
  }
  readonly "setup iam": { readonly bucket: string }
  readonly "setup snowflake": {
    readonly store: Store
    readonly target: SnowflakeTarget
    /** Absent if statements are only printed. */
    readonly snowflake: SnowflakeEnvironment | undefined
  }
  readonly simulate: { readonly simulation: Simulation }
  /** Also its dry run requests hours. */
  readonly reland: { readonly store: Store; readonly source: AskedSource }
}

type PartsOf<C extends CommandName> = C extends keyof OwnParts
  ? OwnParts[C]
  : StoreOf<Declared<C>> & TargetOf<Declared<C>> & SourceOf<Declared<C>> & SnowflakeOf<Declared<C>>

/** Settings that a command gets only inside another value. */
const combinedSettings = [
  ...place,
  ...targetPlace,
  ...source,
  "fromArchive",
  "port",
  "maxBytes",
  "dump"
] as const

/** Combined elsewhere, but single settings of these commands. */
const exceptions = {
  "setup bucket": ["prefix"],
  "setup iam": ["prefix"],
  simulate: ["seed", "eventsPerHour", "project"]
} as const satisfies Partial<Record<CommandName, ReadonlyArray<SettingName>>>

/** The settings that `config` acts by; it shows the others. */
const actedBy = ["json", "logLevel", "logFormat"] as const

type Alone<C extends CommandName> =
  | (C extends "config"
      ? (typeof actedBy)[number]
      : Exclude<Declared<C>, (typeof combinedSettings)[number]>)
  | (C extends keyof typeof exceptions ? (typeof exceptions)[C][number] : never)

/** The settings that a command gets as single values. */
export function settingsAlone(command: CommandName): ReadonlyArray<SettingName> {
  if (command === "config") return actedBy
  const parts: ReadonlyArray<SettingName> = combinedSettings
  const own: Partial<Record<CommandName, ReadonlyArray<SettingName>>> = exceptions
  return [...declaredBy(command).filter((name) => !parts.includes(name)), ...(own[command] ?? [])]
}

/** A command's settings. Those that it does not declare are absent. */
export type SettingsOf<C extends CommandName> = C extends CommandName
  ? Pick<Values, Exclude<Alone<C>, RequiredOf<C>>> & {
      readonly [Name in RequiredOf<C>]: NonNullable<Values[Name]>
    } & PartsOf<C>
  : never

type RequiredOf<C extends CommandName> = C extends keyof typeof required
  ? (typeof required)[C][number]
  : never

/** The settings that are read for every command. Those that it does not declare are absent. */
export type CommonSettings = Pick<Values, "logLevel" | "logFormat" | "logDir"> &
  Partial<Pick<Values, "json" | "dryRun" | "webhook" | "notify" | "heartbeat" | "metricsFile">> & {
    readonly store?: Store | undefined
  }
