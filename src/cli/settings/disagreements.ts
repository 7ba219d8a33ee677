/**
 * Problems between settings that are each valid.
 *
 * @module
 */
import { type Stats, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { hourAt } from "../../services/Hour.ts"
import {
  isBlank,
  type ReadSettings,
  type Sources,
  standardKeys,
  storeNamed
} from "./readSettings.ts"
import {
  type CommandName,
  declaredBy,
  keys,
  requiredBy,
  type SettingName,
  settings,
  type Values
} from "./table.ts"

type Problems = ReadonlyArray<string>

/** Every problem at once. Settings that are invalid by themselves are left out. */
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
      .map((name) => `${flagOf(name)} is missing: ${command} needs it`),
    ...windowProblems(values),
    ...archiveProblems(values),
    ...futureProblems(command, read, sources),
    ...companionProblems(read, sources),
    ...(used.has("store") && !wrong.has("store") ? storeProblems(read, used, sources) : []),
    ...(used.has("bucket") && !used.has("store") ? setupProblems(read, sources) : []),
    ...(needsKeys(command, read) ? missingKeys(read, sources) : [])
  ]
}

function windowProblems({ endDate, startDate, yesterday }: Values): Problems {
  const problems: Array<string> = []
  if (startDate !== undefined && endDate !== undefined && endDate < startDate) {
    problems.push(`--end-date ${endDate} is before --start-date ${startDate}`)
  }
  if (yesterday && (startDate ?? endDate) !== undefined) {
    problems.push("--yesterday cannot be combined with --start-date or --end-date")
  }
  return problems
}

function archiveProblems(values: Values): Problems {
  if (values.fromArchive === undefined) return []
  return (["yesterday", "dryRun", "recheck", "archiveDir"] as const)
    .filter((name) => values[name] !== settings[name].fallback)
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
  if (startDate !== undefined && startDate > hourAt(values.now ?? now)) {
    problems.push(`--start-date ${startDate} is in the future`)
  }
  return problems
}

/** Flags that have no effect without another. */
function companionProblems(
  { values, wrong }: ReadSettings,
  { fileName, flags }: Sources
): Problems {
  const problems: Array<string> = []
  if (values.sampleSeed !== undefined && values.sample === undefined) {
    problems.push("--seed has no effect without --sample")
  }
  if (values.archiveDays !== undefined && values.archiveDir === undefined) {
    problems.push("--archive-days has no effect without --archive-dir")
  }
  if (values.testWebhook && values.webhook === undefined && !wrong.has("webhook")) {
    problems.push(
      `--test-webhook needs a webhook: use --webhook, or set ${settings.webhook.variables[0]} in the environment or in ${fileName}`
    )
  }
  if (flags.notify !== undefined && values.webhook === undefined && !wrong.has("webhook")) {
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

function flagOf(name: SettingName): string | undefined {
  return settings[name].flag?.split(" ")[0]
}

function missing(what: "bucket" | "container", fileName: string): string {
  return `the ${what} is missing: use ${flagOf(what)}, or set ${settings[what].variables[0]} in the environment or in ${fileName}`
}

function setupProblems({ values, wrong }: ReadSettings, { fileName }: Sources): Problems {
  const { bucket, externalId, only, trustedArn } = values
  const problems: Array<string> = []
  if (bucket === undefined && !wrong.has("bucket")) problems.push(missing("bucket", fileName))
  if (wrong.has("externalId") || wrong.has("trustedArn")) return problems
  const named = [trustedArn, externalId].filter((it) => it !== undefined).length
  if (named === 1 || (named === 0 && only === "trust")) {
    problems.push(
      "the trust policy of the reader's role needs both --trusted-arn and --external-id"
    )
  }
  return problems
}

function storeProblems(
  { values, wrong }: ReadSettings,
  used: ReadonlySet<SettingName>,
  { flags, fileName }: Sources
): Problems {
  const isNamed = flags.store !== undefined
  const { store, dev, localDir, prefix, dataDir } = values
  const named = storeNamed(values)
  const problems: Array<string> = []
  for (const [kind, what] of [
    ["s3", "bucket"],
    ["azure", "container"]
  ] as const) {
    if (named === kind && values[what] === undefined && !wrong.has(what)) {
      problems.push(`${missing(what, fileName)}; or use --dev to land hours in a local folder`)
    }
  }
  for (const name of foreign[named]) {
    if (flags[name] !== undefined) {
      problems.push(`${flagOf(name)} cannot be combined with --store ${named}`)
    }
  }
  if (values.sse === "AES256" && values.sseKmsKeyId !== undefined) {
    problems.push("--sse AES256 cannot be combined with --sse-kms-key-id, which needs aws:kms")
  }
  if (dev && isNamed && store !== "local") {
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
    !values.dryRun &&
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
