import { readFile, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { Data, Effect, Either } from "effect"
import { decodeEnv, type EnvEntry, parseEnvText } from "./envGrammar.ts"
import { nearMisses } from "./nearMisses.ts"

/** The variables of an env file. */
export interface EnvFile {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The line on which each of them is set, from 1; `undefined` if there is no file. */
  readonly lines: Readonly<Record<string, number>> | undefined
}

/** The env file cannot be read. */
export class EnvFileError extends Data.TaggedError("EnvFileError")<{ readonly message: string }> {}

/**
 * Whether systemd protects the file. No other user can read it there, although its access list
 * looks like permission bits of the group.
 */
function isCredential(path: string): boolean {
  return dirname(path) === process.env["CREDENTIALS_DIRECTORY"]
}

/**
 * The variables of an env file. If nobody named the file, a missing one counts as empty, and so
 * does a folder of that name, such as a Python environment. Warns if other users can read the file.
 */
export const readEnvFile = Effect.fn("readEnvFile")(function* (
  path: string,
  isNamed: boolean
): Effect.fn.Return<EnvFile, EnvFileError> {
  const read = yield* Effect.tryPromise({
    try: async () => ({ bytes: await readFile(path), mode: (await stat(path)).mode }),
    catch: (error) => {
      const { code, message } = error as NodeJS.ErrnoException
      return code ?? message
    }
  }).pipe(
    Effect.catchAll((code) =>
      (code === "ENOENT" || code === "EISDIR") && !isNamed
        ? Effect.void
        : Effect.fail(
            new EnvFileError({
              message: `cannot read the env file "${path}": ${code}`
            })
          )
    )
  )
  if (read === undefined) return { variables: {}, lines: undefined }
  if ((read.mode & 0o077) !== 0 && !isCredential(path)) {
    yield* Effect.logWarning(
      `"${path}" is readable by other users of this machine: run chmod 600 on it`
    )
  }
  const parsed = Either.flatMap(decodeEnv(read.bytes), parseEnvText)
  if (Either.isLeft(parsed)) {
    const { line, problem } = parsed.left
    const where = line === undefined ? "" : `line ${line}: `
    return yield* new EnvFileError({ message: `the env file "${path}": ${where}${problem}` })
  }
  for (const [name, known] of nearMisses(parsed.right.map((it) => it.name))) {
    yield* Effect.logWarning(`${name} in "${path}" has no effect: is ${known} meant?`)
  }
  return fileOf(parsed.right)
})

/** If a name comes twice, the last one counts. */
function fileOf(entries: ReadonlyArray<EnvEntry>): EnvFile {
  return {
    variables: Object.fromEntries(entries.map(({ name, value }) => [name, value])),
    lines: Object.fromEntries(entries.map(({ name, lines }) => [name, lines[0]]))
  }
}
