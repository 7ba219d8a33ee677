/**
 * Problems between settings that are each valid.
 *
 * @module
 */
import { type Stats, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { hourAt } from "../../../services/Hour.ts"
import {
  isBlank,
  type ReadSettings,
  type Sources,
  standardKeys,
  storeNamed
} from "../readSettings.ts"
import {
  type CommandName,
  declaredBy,
  keys,
  requiredBy,
  type SettingName,
  settings,
  type Values
} from "../table.ts"
import { flagOf, isTyped, nameOf, type Problems } from "./flags.ts"
import { againstProblems, targetProblems } from "./targetProblems.ts"
import {
  loadProblems,
  reconcileProblems,
  replaceProblems,
  shardProblems,
  snowflakeProblems,
  snowflakeSetupProblems
} from "./warehouseProblems.ts"

/** All that contradicts something else. Settings that are invalid by themselves are left out. */
export function disagreements(
  command: CommandName,
  read: ReadSettings,
  sources: Sources
): Problems {
  const { values, wrong } = read
  const used = new Set(declaredBy(command))
  return [
    ...requiredBy(command)
      .filter((name) => values[name] === undefined && !wrong.has(name))
      .map((name) => `${nameOf(name)} is missing: ${command} needs it`),
    ...windowProblems(values),
    ...fleetProblems(read, sources),
    ...archiveProblems(read),
    ...replaceProblems(read),
    ...reconcileProblems(read),
    ...snowflakeProblems(command, read),
    ...shardProblems(command, values),
    ...(command === "setup snowflake" ? snowflakeSetupProblems(read) : []),
    ...(used.has("toStore") && !wrong.has("store")
      ? (used.has("against") ? againstProblems : targetProblems)(read, sources)
      : []),
    ...futureProblems(command, read, sources),
    ...companionProblems(read, sources),
    ...(used.has("load") ? loadProblems(command, read) : []),
    ...(used.has("store") && !wrong.has("store") ? storeProblems(read, used) : []),
    ...(used.has("bucket") && !used.has("store") ? trustProblems(read) : [])
  ]
}

/** A sentence for the bucket, container and keys that a command needs and that are not set. */
export function missingSettings(
  command: CommandName,
  read: ReadSettings,
  sources: Sources
): Problems {
  return [
    ...(command === "report" && !read.values.build
      ? []
      : missingPlace(new Set(declaredBy(command)), read, sources)),
    ...(needsKeys(command, read) ? missingKeys(read, sources) : [])
  ]
}

function windowProblems({ endDate, startDate, yesterday }: Values): Problems {
  const problems: Array<string> = []
  if (startDate !== undefined && endDate !== undefined && endDate.hour < startDate.hour) {
    problems.push(`--end-date ${endDate.hour} is before --start-date ${startDate.hour}`)
  }
  if (yesterday && (startDate ?? endDate) !== undefined) {
    problems.push("--yesterday cannot be combined with --start-date or --end-date")
  }
  return problems
}

function fleetProblems({ values, wrong }: ReadSettings, { fileName }: Sources): Problems {
  const { databaseUrl, dryRun, stop, watch } = values
  const used = [...(watch ? ["--watch"] : []), ...(stop ? ["--stop"] : [])]
  const [variable] = settings.databaseUrl.variables
  return [
    ...(used.length > 1 ? ["--watch cannot be combined with --stop"] : []),
    ...(dryRun ? used.map((it) => `--dry-run cannot be combined with ${it}`) : []),
    ...(databaseUrl === undefined && !wrong.has("databaseUrl")
      ? used.map(
          (it) => `${it} needs a fleet: set ${variable} in the environment or in ${fileName}`
        )
      : [])
  ]
}

function archiveProblems({ found, values }: ReadSettings): Problems {
  if (values.fromArchive === undefined) return []
  return (["yesterday", "dryRun", "recheck", "archiveDir"] as const)
    .filter((name) => isTyped(found, name))
    .map((name) => `--from-archive cannot be combined with ${flagOf(name)}`)
}

function futureProblems(
  command: CommandName,
  { values, wrong }: ReadSettings,
  { now }: Sources
): Problems {
  const isSynthetic = values.source !== "amplitude" || command === "simulate"
  if (isSynthetic || wrong.has("source")) return []
  const problems: Array<string> = []
  if (values.now !== undefined && values.now > now) {
    problems.push("--now is in the future, which is possible for synthetic events only")
  }
  const { startDate } = values
  if (startDate !== undefined && startDate.hour > hourAt(values.now ?? now)) {
    problems.push(`--start-date ${startDate.hour} is in the future`)
  }
  return problems
}

/** Flags that have no effect without another. */
function companionProblems(
  { found, values, wrong }: ReadSettings,
  { fileName }: Sources
): Problems {
  const problems: Array<string> = []
  if (values.sampleSeed !== undefined && values.sample === undefined) {
    problems.push("--sample-seed has no effect without --sample")
  }
  if (isTyped(found, "archiveDays") && values.archiveDir === undefined) {
    problems.push("--archive-days has no effect without --archive-dir")
  }
  if (values.testWebhook && values.webhook === undefined && !wrong.has("webhook")) {
    problems.push(
      `--test-webhook needs a webhook: use --webhook, or set ${settings.webhook.variables[0]} in the environment or in ${fileName}`
    )
  }
  if (isTyped(found, "notify") && values.webhook === undefined && !wrong.has("webhook")) {
    problems.push(
      `--notify has no effect without a webhook: use --webhook, or set ${settings.webhook.variables[0]} in the environment or in ${fileName}`
    )
  }
  return problems
}

/** Flags that belong to a store other than the selected one. */
const foreign: Readonly<Record<Values["store"], ReadonlyArray<SettingName>>> = {
  s3: ["container"],
  azure: ["bucket", "sse", "sseKmsKeyId"],
  local: [],
  memory: []
}

function missing(what: "bucket" | "container", fileName: string): string {
  return `the ${what} is missing: use ${flagOf(what)}, or set ${settings[what].variables[0]} in the environment or in ${fileName}`
}

function missingPlace(
  used: ReadonlySet<SettingName>,
  read: ReadSettings,
  { fileName }: Sources
): Problems {
  const { values, wrong } = read
  const isMissing = (what: "bucket" | "container") => values[what] === undefined && !wrong.has(what)
  if (!used.has("store")) {
    return used.has("bucket") && isMissing("bucket") ? [missing("bucket", fileName)] : []
  }
  const named = wrong.has("store") ? undefined : storeNamed(read)
  return (
    [
      ["s3", "bucket"],
      ["azure", "container"]
    ] as const
  )
    .filter(([kind, what]) => named === kind && isMissing(what))
    .map(([, what]) => `${missing(what, fileName)}; or use --dev to land hours in a local folder`)
}

function trustProblems({ values, wrong }: ReadSettings): Problems {
  const { externalId, only, trustedArn } = values
  if (wrong.has("externalId") || wrong.has("trustedArn")) return []
  const named = [trustedArn, externalId].filter((it) => it !== undefined).length
  return named === 1 || (named === 0 && only === "trust")
    ? ["the trust policy of the reader's role needs both --trusted-arn and --external-id"]
    : []
}

function storeProblems(read: ReadSettings, used: ReadonlySet<SettingName>): Problems {
  const { found, values } = read
  const { store, dev, localDir, prefix, dataDir } = values
  const named = storeNamed(read)
  const problems: Array<string> = []
  for (const name of foreign[named]) {
    if (isTyped(found, name)) {
      problems.push(`${flagOf(name)} cannot be combined with --store ${named}`)
    }
  }
  if (values.sse === "AES256" && values.sseKmsKeyId !== undefined) {
    problems.push("--sse AES256 cannot be combined with --sse-kms-key-id, which needs aws:kms")
  }
  const [devPlace, storePlace] = [found.get("dev"), found.get("store")].map((it) => it?.[0]?.place)
  if (dev && devPlace === storePlace && store !== "local") {
    problems.push(`--dev means --store local, and cannot be combined with --store ${store}`)
  }
  if (named === "local" && used.has("dataDir") && isSameFolder(join(localDir, prefix), dataDir)) {
    problems.push(`--data-dir "${dataDir}" is the folder of the local store: choose another`)
  }
  return problems
}

/** Sees through links and mounts: moving an hour from a folder to itself would remove it. */
function isSameFolder(one: string, other: string): boolean {
  if (resolve(one) === resolve(other)) return true
  const left = look(one)
  const right = look(other)
  return left !== undefined && left.ino === right?.ino && left.dev === right?.dev
}

/** `undefined` also without permission: whatever uses the folder later reports that better. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

function needsKeys(command: CommandName, { values, wrong }: ReadSettings): boolean {
  if (command === "simulate") return values.dump === undefined
  return (
    declaredBy(command).includes("source") &&
    command !== "resolve" &&
    values.source === "amplitude" &&
    (!values.dryRun || command === "reland") &&
    values.fromArchive === undefined &&
    !wrong.has("source")
  )
}

function missingKeys({ values, wrong }: ReadSettings, sources: Sources): Problems {
  const { file, fileName } = sources
  const standard = standardKeys(sources)
  const disregarded = keys
    .flatMap((name) => settings[name].fileVariables)
    .filter((name) => !isBlank(file[name]))
  return keys
    .filter((name) => values[name] === undefined && !wrong.has(name))
    .map((name) => {
      const { help, variables, fileVariables } = settings[name]
      const inFile = standard.length === 0 ? [...variables, ...fileVariables] : variables
      const why =
        standard.length === 0 || disregarded.length === 0
          ? ""
          : `; ${disregarded.join(" and ")} there cannot complete ${standard.join(" and ")}, because the keys count only as a pair`
      return `${help} is missing: set ${variables.join(", ")} in the environment, or ${inFile.join(" or ")} in ${fileName}${why}`
    })
}
