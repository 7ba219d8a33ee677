import { readFile, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { Data, Effect, Either } from "effect"
import { decodeEnv, type EnvEntry, parseEnvText } from "./envGrammar.ts"
import { nearMisses } from "./nearMisses.ts"

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
export const readEnvFile = Effect.fn("readEnvFile")(function* (path: string, isNamed: boolean) {
  const read = yield* Effect.tryPromise({
    try: async () => ({ bytes: await readFile(path), mode: (await stat(path)).mode }),
    catch: (error) => {
      const { code, message } = error as NodeJS.ErrnoException
      return code ?? message
    }
  }).pipe(
    Effect.catchAll((code) =>
      (code === "ENOENT" || code === "EISDIR") && !isNamed
        ? Effect.succeed({ bytes: new Uint8Array(), mode: 0 })
        : Effect.fail(
            new EnvFileError({
              message: `cannot read the env file "${path}": ${code}`
            })
          )
    )
  )
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
  return variablesOf(parsed.right)
})

/** If a name comes twice, the last one counts. */
function variablesOf(
  entries: ReadonlyArray<EnvEntry>
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(entries.map(({ name, value }) => [name, value]))
}
