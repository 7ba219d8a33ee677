/**
 * Several lakes in one process: an env file for each.
 *
 * @module
 */
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { Either, Effect, Option, Redacted } from "effect"
import { EnvFileError } from "./env/envFile.ts"
import { SEPARATOR } from "./parse.ts"
import { type Resolved, resolveSettings, type Sources } from "./resolve.ts"
import type { SettingsOf } from "./settingsOf.ts"
import type { Setting } from "./setting.ts"
import { type CommandName, settings } from "./table.ts"

/** The commands that take several. */
export type FleetCommand = "backfill" | "worker"

function isFleetCommand(command: CommandName): command is FleetCommand {
  return command === "backfill" || command === "worker"
}

/** A lake of several. */
export type LakeOf<C extends FleetCommand> = SettingsOf<C> & {
  /** Its env file. */
  readonly name: string
}

/** What a command gets in addition where it has several lakes. */
export interface Several<C extends FleetCommand> {
  readonly lakes?: ReadonlyArray<LakeOf<C>> | undefined
}

/** The env files that a command is to read: of a fleet all that were named, and those of a folder; else the last. */
export const envFilesOf = Effect.fnUntraced(function* (
  command: CommandName,
  { isNamed, path }: { readonly isNamed: boolean; readonly path: string }
): Effect.fn.Return<ReadonlyArray<string>, EnvFileError> {
  const paths = path.split(SEPARATOR)
  if (!isFleetCommand(command) || !isNamed) return paths.slice(-1)
  const found = yield* Effect.promise(() => Promise.all(paths.map(filesOf)))
  const empty = paths.find((_, at) => found[at]?.length === 0)
  if (empty === undefined) return found.flat()
  return yield* new EnvFileError({
    message: `the folder "${empty}" has no env file: the names of its files must end in .env`
  })
})

async function filesOf(path: string): Promise<ReadonlyArray<string>> {
  // Whoever reads the file says better what is wrong with it.
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false
  )
  if (!isFolder) return [path]
  const names = await readdir(path)
  return names
    .filter((name) => name.endsWith(".env"))
    .sort()
    .map((name) => join(path, name))
}

/** Resolves the settings of each env file. The first one's hold for what is no lake's own, such as the log. */
export function resolveLakes<C extends CommandName>(
  command: C,
  all: ReadonlyArray<Sources>
): Either.Either<Resolved<C>, ReadonlyArray<string>> {
  return Either.flatMap(
    Either.all(all.map((sources) => resolveSettings(command, sources))),
    (resolved) => {
      const [first, ...others] = resolved.map(withOwnKeys)
      if (first === undefined) return Either.left([])
      if (others.length === 0) return Either.right(resolved[0] ?? first)
      const names = all.map(({ fileName }) => fileName)
      const problems = [...problemsOf([first, ...others], names)]
      if (problems.length > 0) return Either.left(problems)
      const lakes = [first, ...others].map((it, at) => ({ ...it.settings, name: names[at] ?? "" }))
      return Either.right({
        settings: { ...first.settings, lakes },
        variables: Object.assign({}, ...[first, ...others].map(({ variables }) => variables)),
        warnings: [first, ...others].flatMap(({ warnings }) => warnings)
      })
    }
  )
}

const [ID, SECRET] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const

/** Gives a lake the keys of its file by themselves: of the process's variables there is one each. */
function withOwnKeys<C extends CommandName>(resolved: Resolved<C>): Resolved<C> {
  const { [ID]: accessKeyId, [SECRET]: secret, ...variables } = resolved.variables
  const { store } = resolved.settings as { readonly store?: SettingsOf<"worker">["store"] }
  const isOwn = store?._tag === "S3" && Option.isNone(store.credentials)
  if (!isOwn || accessKeyId === undefined || secret === undefined) return resolved
  if (variables["AWS_SESSION_TOKEN"] !== undefined) return resolved
  const credentials = Option.some({ accessKeyId, secretAccessKey: Redacted.make(secret) })
  return {
    ...resolved,
    settings: { ...resolved.settings, store: { ...store, credentials } },
    variables
  }
}

/** Variables of settings, which no SDK reads. */
const OWN = new Set(
  Object.values<Setting<unknown>>(settings).flatMap((it) => [
    ...it.variables,
    ...it.legacyVariables
  ])
)

function urlOf({ settings }: Resolved<CommandName>): string | undefined {
  return "databaseUrl" in settings && settings.databaseUrl !== undefined
    ? Redacted.value(settings.databaseUrl)
    : undefined
}

/** What lakes in one process cannot differ in. No sentence has a value. */
function* problemsOf(
  resolved: ReadonlyArray<Resolved<CommandName>>,
  names: ReadonlyArray<string>
): Generator<string> {
  const [first, ...others] = resolved
  if (first === undefined) return
  const [variable = ""] = settings.databaseUrl.variables
  if (urlOf(first) === undefined) {
    yield `several env files need a fleet: set ${variable} in the environment`
  }
  if ("dryRun" in first.settings && first.settings.dryRun) {
    yield "--dry-run cannot be combined with several env files"
  }
  for (const [at, other] of others.entries()) {
    const pair = `${names[0]} and ${names[at + 1]} differ`
    if (urlOf(other) !== urlOf(first)) yield `${variable}: ${pair}, and a fleet has one database`
    const all = new Set([...Object.keys(first.variables), ...Object.keys(other.variables)])
    for (const name of all) {
      if (!OWN.has(name) && first.variables[name] !== other.variables[name]) {
        yield `${name}: ${pair}, and a process has one: give each a process of its own`
      }
    }
  }
}
