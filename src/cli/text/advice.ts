/**
 * What to type after a failure. Programs and layers say what is wrong; only this module knows the
 * flags.
 *
 * @module
 */
import type { SetupChecks } from "../../programs/inspect/checkSetup.ts"
import type { LoadSummary } from "../../programs/load/LoadSummary.ts"
import type { BucketReport } from "../../programs/setup/setupBucket.ts"
import type { Cleaning } from "../../programs/clean/cleanLeftovers.ts"
import type { RunError } from "../../programs/run/failureKind.ts"
import type { BucketSetupError } from "../../services/BucketSetup.ts"
import type { Source } from "../settings/settingsOf.ts"
import { conflictText, gapCommands, resolveCommands } from "./printed.ts"

type AnyError = RunError | BucketSetupError

/** An error in a report: class and reason, such as `SpoolError.NoSpace`, and its message. */
export interface Told {
  readonly error?: string | undefined
  readonly message: string
  /** The hour that failed, if it is one hour's error. */
  readonly hour?: string | undefined
}

/** Appended to the message. */
type Advice = string | ((told: Told, source: Source | undefined) => string)

const KEYS: Advice = (_, source) => keysAdvice(source)

/** A project has cohorts and annotations by its plan, also if the keys are right. */
const FORBIDDEN: Advice = (told, source) =>
  told.message.includes("the list of cohorts")
    ? "; the cohorts API needs a paid plan of Amplitude and a key of this project: the other lists do not depend on it"
    : keysAdvice(source)

function keysAdvice(source: Source | undefined): string {
  return `; check AMP_API_KEY and AMP_SECRET_KEY, and whether the project is in the other region (--amplitude-region ${otherRegion(source)})`
}

/** For an hour that the Export API cannot deliver. */
const OTHER_WAY: Advice = ({ hour = "HOUR" }) =>
  `; copy it from Amplitude's own S3 export destination, which has no such limit, or accept the gap: amplitude-lake gaps accept --start-date ${hour} --end-date ${hour} --reason "larger than 4 GB"`

/** By the name of the warehouse, which begins its messages. */
function isOfSnowflake({ message }: Told): boolean {
  return message.includes('the warehouse "snowflake://')
}

function otherWarehouse(told: Told): string {
  return isOfSnowflake(told)
    ? "; name a schema of its own for each lake (SNOWFLAKE_SCHEMA)"
    : "; use another --warehouse-file"
}

const ADVICE: {
  readonly [Tag in AnyError["_tag"]]: Readonly<
    Partial<Record<Extract<AnyError, { readonly _tag: Tag }>["reason"], Advice>>
  >
} = {
  AmplitudeError: { Unauthorized: KEYS, Forbidden: FORBIDDEN, TooLarge: OTHER_WAY },
  UnpackerError: {},
  FleetError: {
    Unavailable: "; check AMPLITUDE_LAKE_DATABASE_URL, and whether the server runs",
    AccessDenied: "; check AMPLITUDE_LAKE_DATABASE_URL",
    Misconfigured: "; check AMPLITUDE_LAKE_DATABASE_URL",
    NotFound: ": type amplitude-lake backfill without --watch and --stop, which begins one"
  },
  SpoolError: { Misconfigured: " (--work-dir)" },
  ArchiveError: { NoSpace: " (--archive-dir)" },
  FolderError: { Foreign: " (--to)", Busy: " (--to)" },
  ObjectStorageError: {
    AccessDenied: ({ message }) => {
      if (message.includes("encryption header")) return "; use --sse AES256 or --sse aws:kms"
      return message.includes("puts that replace an object")
        ? "; use the maintainer's role (setup iam --only maintainer), or update the bucket's policy (setup bucket --require-if-none-match --apply)"
        : ""
    },
    Misconfigured: ({ message }) =>
      message.includes("KMS key cannot be used") ? "; check --sse-kms-key-id" : ""
  },
  BucketSetupError: {},
  ResolveError: {
    NoGap: "; gaps lists what is missing",
    UnknownAcceptance: "; gaps shows the names",
    Doubled: "; name the one that counts: --keep KEY",
    Emptied: ({ hour = "HOUR" }) =>
      `. If that is right: amplitude-lake all --recheck --start-date ${hour} --end-date ${hour}, then amplitude-lake resolve ${hour} --keep ours`,
    OtherVersion: ({ hour }) => (hour === undefined ? "" : `; choose: ${resolveCommands(hour)}`)
  },
  LoadError: {
    OtherProject: otherWarehouse,
    OtherPlace: otherWarehouse
  },
  ModelError: {},
  ReportError: {
    NotModelled: ": amplitude-lake model makes them, or report --build, which also loads"
  },
  ExportError: {
    NotModelled: ": amplitude-lake model makes it, or dbt build",
    OtherProject: " (--to)"
  },
  WarehouseError: {
    NotFound: (told) => {
      if (told.message.includes("storage integration")) {
        return ": amplitude-lake setup snowflake --apply makes it"
      }
      return isOfSnowflake(told)
        ? "; load makes the tables: check SNOWFLAKE_DATABASE, SNOWFLAKE_SCHEMA and SNOWFLAKE_ROLE"
        : ": amplitude-lake load makes it, or name another file (--warehouse-file)"
    },
    Misconfigured: ({ message }) =>
      message.includes("the tables for lists")
        ? ": amplitude-lake setup snowflake --apply makes and grants them"
        : "",
    NotADatabase: " (--warehouse-file)",
    Foreign: (told) =>
      isOfSnowflake(told)
        ? "; name another schema (SNOWFLAKE_SCHEMA), or bring the table back: UNDROP TABLE"
        : " (--warehouse-file)",
    AccessDenied: (told) =>
      isOfSnowflake(told)
        ? "; check SNOWFLAKE_USER with its key, or SNOWFLAKE_TOKEN, and what SNOWFLAKE_ROLE may do"
        : " (--warehouse-file)"
  },
  LandingError: {
    Conflict: ({ hour }) => (hour === undefined ? "" : `; choose: ${resolveCommands(hour)}`),
    Doubled: "; status shows the commands that choose",
    OtherProject: "; use that project's keys, or another --prefix",
    StagedForAnotherLake: " (--data-dir)",
    OutOfTime: " (--max-duration)"
  }
}

/** The advice to append to an error's message; empty if there is nothing to type. */
export function adviceFor(told: Told, source?: Source): string {
  const [tag = "", reason = ""] = told.error?.split(".") ?? []
  const all: Readonly<Record<string, Readonly<Record<string, Advice>>>> = ADVICE
  const advice = all[tag]?.[reason] ?? ""
  return typeof advice === "string" ? advice : advice(told, source)
}

/** An error with its advice appended. */
export function advised<T extends Told>(told: T, source?: Source): T {
  const advice = adviceFor(told, source)
  return advice === "" ? told : { ...told, message: told.message + advice }
}

/** What a run loaded, with advice on what failed. */
export function advisedLoad(summary: LoadSummary): LoadSummary {
  const { error, failed, lists } = summary
  return {
    ...summary,
    failed: failed.map((it) => advised(it)),
    ...(lists === undefined
      ? {}
      : { lists: { ...lists, failed: lists.failed.map((it) => advised(it)) } }),
    ...(error === undefined ? {} : { error: advised(error) })
  }
}

function otherRegion(source: Source | undefined): string {
  if (source?._tag !== "Amplitude" || source.origin !== undefined) return "eu|us"
  return source.region === "eu" ? "us" : "eu"
}

type Check = SetupChecks["checks"][number]

/** A check that found gaps or conflicts, with the commands that end them. */
export function advisedCheck(
  check: Check,
  { conflicts, gaps }: Pick<SetupChecks, "conflicts" | "gaps">
): Check {
  if (check.state !== "fail") return check
  const { message, name } = check
  if (name === "gaps" && gaps !== null)
    return { ...check, message: `${message}: ${gapCommands(gaps)}` }
  if (name !== "conflicts") return check
  return { ...check, message: `${message}: ${conflicts.map(conflictText).join("; ")}` }
}

type Leftover = Cleaning["leftovers"][number]

/** A leftover with the flag that would remove it. */
export function advisedLeftover(leftover: Leftover): Leftover {
  const { detail, fate, kind } = leftover
  if (kind !== "upload" || fate !== "kept") return leftover
  return { ...leftover, detail: `${detail}; use --abort-uploads to remove it` }
}

type BucketItem = BucketReport["items"][number]

/** An unchanged bucket setting with the flag that would change it. */
export function advisedItem(item: BucketItem): BucketItem {
  const { message, name, state } = item
  const isUnasked = state === "same"
  if (isUnasked && name === "encryption" && !message.includes(", key ")) {
    return { ...item, message: `${message}; use --kms-key to set a key of your own` }
  }
  if (isUnasked && name === "policy" && message.startsWith("puts are not restricted")) {
    return { ...item, message: `${message}; use --require-if-none-match to restrict them` }
  }
  return item
}
