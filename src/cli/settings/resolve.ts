import { type Stats, statSync } from "node:fs"
import { join, resolve } from "node:path"
import { Either } from "effect"
import { hourAt } from "../../services/Hour.ts"
import { noAzureEnvironment, settleAzure } from "./azureEnvironment.ts"
import { noS3Environment, settleS3 } from "./s3Environment.ts"
import {
  type CommandName,
  commands,
  keys,
  type Setting,
  type SettingName,
  type Settings,
  settings
} from "./table.ts"

/** Where the text of settings is looked for; blank text is none. */
export interface Sources {
  /** By setting: text, or `true` for a flag without a value. */
  readonly flags: Readonly<Partial<Record<SettingName, string | boolean>>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /** What the env file holds. */
  readonly file: Readonly<Record<string, string | undefined>>
  /** The env file's name, for messages. */
  readonly fileName: string
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Settings without what only the store's own client reads. */
type Settled = Omit<Settings, "s3" | "azure">

interface Found {
  readonly text: string
  /** Where it was found, for messages. */
  readonly where: string
}

/**
 * Settles every setting of a command, flag over environment over env file, or names everything that is missing or wrong
 * at once, a sentence each. A secret's text is never repeated.
 */
export function settle(
  command: CommandName,
  sources: Sources
): Either.Either<Settings, ReadonlyArray<string>> {
  const problems = certificateProblems(sources)
  const wrong = new Set<SettingName>()
  const used = new Set<SettingName>(commands[command].settings)
  const values = Object.fromEntries(
    Object.entries(settings).map(([name, setting]: [string, Setting<unknown>]) => {
      if (!used.has(name as SettingName)) return [name, setting.fallback]
      const flag = setting.flag === undefined ? undefined : sources.flags[name as SettingName]
      if (flag === true) return [name, true]
      const found = find(setting, typeof flag === "string" ? flag : "", sources)
      if (found === undefined) return [name, setting.fallback]
      const value = setting.parse(found.text)
      if (Either.isRight(value)) return [name, value.right]
      const shown = setting.isPrivate ? "" : ` "${found.text}"`
      problems.push(`${found.where}${shown} is not ${value.left}`)
      wrong.add(name as SettingName)
      return [name, setting.fallback]
    })
  ) as Settled

  problems.push(...disagreements(command, values, wrong, sources))
  const kind = storeAskedOf(command, values, wrong)
  const { environment, file, fileName } = sources
  const s3 = kind === "s3" ? settleS3(environment, file, fileName) : Either.right(noS3Environment)
  const azure =
    kind === "azure" ? settleAzure(environment, file, fileName) : Either.right(noAzureEnvironment)
  if (Either.isLeft(s3)) problems.push(...s3.left)
  if (Either.isLeft(azure)) problems.push(...azure.left)
  return problems.length === 0 && Either.isRight(s3) && Either.isRight(azure)
    ? Either.right({ ...values, s3: s3.right, azure: azure.right })
    : Either.left(problems)
}

/** The store that will be asked; none where it is not known, or nobody is asked. */
function storeAskedOf(
  command: CommandName,
  values: Settled,
  wrong: ReadonlySet<SettingName>
): Settings["store"] | undefined {
  if (command === "setup bucket") return "s3"
  const isKnown = commands[command].settings.includes("store") && !wrong.has("store")
  return isKnown ? storeOf(values) : undefined
}

/** Node would take any server's word for who it is, and hand it the keys. */
function certificateProblems({ environment }: Sources): Array<string> {
  return environment["NODE_TLS_REJECT_UNAUTHORIZED"] === "0"
    ? [
        "NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment trusts every server: unset it, and name the file of your own authority in NODE_EXTRA_CA_CERTS if there is one"
      ]
    : []
}

function isBlank(text: string | undefined): boolean {
  return text === undefined || text.trim() === ""
}

function find(setting: Setting<unknown>, flag: string, sources: Sources): Found | undefined {
  const { environment, file, fileName } = sources
  const aliases = standardKeys(sources).length === 0 ? setting.fileVariables : []
  const places: ReadonlyArray<readonly [string | undefined, string]> = [
    [flag, setting.flag?.split(" ")[0] ?? ""],
    // Name by name, so that a standard one wins over its aliases wherever it stands.
    ...setting.variables.flatMap((name) => [
      [environment[name], `${name} in the environment`] as const,
      [file[name], `${name} in ${fileName}`] as const
    ]),
    ...aliases.map((name) => [file[name], `${name} in ${fileName}`] as const)
  ]
  const found = places.find(([text]) => !isBlank(text))
  return found?.[0] === undefined ? undefined : { text: found[0].trim(), where: found[1] }
}

/** The standard variables of the keys that are set anywhere: any of them, and no alias of any key counts. */
function standardKeys({ environment, file }: Sources): ReadonlyArray<string> {
  return keys
    .flatMap((name) => settings[name].variables)
    .filter((name) => !isBlank(environment[name]) || !isBlank(file[name]))
}

/** What is wrong between settings that are each well; those that are wrong in themselves are left out. */
function disagreements(
  command: CommandName,
  values: Settled,
  wrong: ReadonlySet<SettingName>,
  sources: Sources
): ReadonlyArray<string> {
  const problems: Array<string> = []
  const used = new Set<SettingName>(commands[command].settings)
  const { startDate, endDate } = values
  if (startDate !== undefined && endDate !== undefined && endDate < startDate) {
    problems.push(`--end-date ${endDate} lies before --start-date ${startDate}`)
  }
  if (values.yesterday && (startDate ?? endDate) !== undefined) {
    problems.push("--yesterday cannot be combined with --start-date or --end-date")
  }
  if (values.fromArchive !== undefined) {
    for (const name of ["yesterday", "dryRun", "recheck", "archiveDir"] as const) {
      const [flag] = settings[name].flag?.split(" ") ?? []
      if (values[name] !== settings[name].fallback) {
        problems.push(`--from-archive cannot be combined with ${flag}`)
      }
    }
  }
  const { now } = sources
  const knowsNoFuture =
    values.source === "amplitude" && command !== "simulate" && !wrong.has("source")
  if (values.now !== undefined && values.now > now && knowsNoFuture) {
    problems.push("--now lies in the future, which only synthetic events know")
  }
  if (startDate !== undefined && startDate > hourAt(values.now ?? now) && knowsNoFuture) {
    problems.push(`--start-date ${startDate} lies in the future`)
  }
  if (values.sampleSeed !== undefined && values.sample === undefined) {
    problems.push("--seed draws a sample: say of how many hours, with --sample")
  }
  if (values.archiveDays !== undefined && values.archiveDir === undefined) {
    problems.push("--archive-days says how long archives are kept: say where, with --archive-dir")
  }
  if (sources.flags.notify !== undefined && values.webhook === undefined && !wrong.has("webhook")) {
    problems.push(
      `--notify tells nobody: say --webhook, or ${settings.webhook.variables[0]} in the environment or in ${sources.fileName}`
    )
  }
  if (used.has("store") && !wrong.has("store")) {
    problems.push(...storeProblems(values, used, wrong, sources))
  }
  if (used.has("bucket") && !used.has("store")) {
    problems.push(...setupProblems(values, wrong, sources))
  }
  const asksAmplitude =
    (used.has("source") &&
      values.source === "amplitude" &&
      !values.dryRun &&
      values.fromArchive === undefined &&
      !wrong.has("source")) ||
    (command === "simulate" && values.dump === undefined)
  if (asksAmplitude) problems.push(...missingKeys(values, sources))
  return problems
}

/** Flags that say something of another store than the one that is named. */
const foreign: Readonly<Record<Settings["store"], ReadonlyArray<SettingName>>> = {
  s3: ["container"],
  azure: ["bucket", "sseKmsKeyId"],
  local: [],
  memory: []
}

function bucketMissing(fileName: string): string {
  return `the bucket is missing: say --bucket, or ${settings.bucket.variables[0]} in the environment or in ${fileName}`
}

function setupProblems(
  { bucket, externalId, only, trustedArn }: Settled,
  wrong: ReadonlySet<SettingName>,
  { fileName }: Sources
): ReadonlyArray<string> {
  const problems: Array<string> = []
  if (bucket === undefined && !wrong.has("bucket")) problems.push(bucketMissing(fileName))
  if (wrong.has("externalId") || wrong.has("trustedArn")) return problems
  const named = [trustedArn, externalId].filter((it) => it !== undefined).length
  if (named === 1 || (named === 0 && only === "trust")) {
    problems.push(
      "who may take the reader's role is said by --trusted-arn and --external-id together"
    )
  }
  return problems
}

function storeProblems(
  values: Settled,
  used: ReadonlySet<SettingName>,
  wrong: ReadonlySet<SettingName>,
  { flags, fileName }: Sources
): ReadonlyArray<string> {
  const isNamed = flags.store !== undefined
  const { store, dev, localDir, prefix, dataDir } = values
  const problems: Array<string> = []
  if (storeOf(values) === "s3" && values.bucket === undefined && !wrong.has("bucket")) {
    problems.push(`${bucketMissing(fileName)}; --dev lands in a local folder instead`)
  }
  if (storeOf(values) === "azure" && values.container === undefined && !wrong.has("container")) {
    problems.push(
      `the container is missing: say --container, or ${settings.container.variables[0]} in the environment or in ${fileName}; --dev lands in a local folder instead`
    )
  }
  for (const name of foreign[storeOf(values)]) {
    if (flags[name] === undefined) continue
    const flag = settings[name].flag?.split(" ")[0]
    problems.push(`${flag} cannot be combined with --store ${storeOf(values)}`)
  }
  if (dev && isNamed && store !== "local") {
    problems.push(`--dev is --store local, and cannot be combined with --store ${store}`)
  }
  if (
    storeOf(values) === "local" &&
    used.has("dataDir") &&
    isSameFolder(join(localDir, prefix), dataDir)
  ) {
    problems.push(`--data-dir "${dataDir}" is the folder of the local store: name another`)
  }
  return problems
}

/** Also by way of a link or a mount: what is moved from a folder to itself is removed from it. */
function isSameFolder(one: string, other: string): boolean {
  if (resolve(one) === resolve(other)) return true
  const [left, right] = [one, other].map(look)
  return left !== undefined && left.ino === right?.ino && left.dev === right.dev
}

/** `undefined` also for what may not be looked at: whoever uses it says that better. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

function missingKeys(values: Settled, sources: Sources): ReadonlyArray<string> {
  const { file, fileName } = sources
  const standard = standardKeys(sources)
  const disregarded = keys
    .flatMap((name) => settings[name].fileVariables)
    .filter((name) => !isBlank(file[name]))
  const missing = keys.filter((name) => values[name] === undefined)
  return missing.map((name) => {
    const { help, variables, fileVariables } = settings[name]
    const inFile = standard.length === 0 ? [...variables, ...fileVariables] : variables
    const why =
      standard.length === 0 || disregarded.length === 0
        ? ""
        : `; ${disregarded.join(" and ")} there cannot complete ${standard.join(" and ")}, as the keys count as whole pairs`
    return `${help} is missing: looked for ${variables.join(", ")} in the environment, and for ${inFile.join(" or ")} in ${fileName}${why}`
  })
}

/** The store that the settings name. */
export function storeOf({ store, dev }: Pick<Settings, "store" | "dev">): Settings["store"] {
  return dev ? "local" : store
}
