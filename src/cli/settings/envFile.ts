import { readFile, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { parseEnv } from "node:util"
import { Data, Effect } from "effect"

/** The env file cannot be read. */
export class EnvFileError extends Data.TaggedError("EnvFileError")<{ readonly message: string }> {}

/**
 * What systemd keeps there no other user can read: the access list that says so looks like a
 * group's bits.
 */
function isCredential(path: string): boolean {
  return dirname(path) === process.env["CREDENTIALS_DIRECTORY"]
}

/**
 * The variables of an env file, none when there is no such file and nobody named it; a folder of
 * that name, such as a Python environment, is no such file. Warns of a file that other users of the
 * machine can read.
 */
export const readEnvFile = Effect.fn("readEnvFile")(function* (path: string, isNamed: boolean) {
  const read = yield* Effect.tryPromise({
    try: async () => ({ text: await readFile(path, "utf8"), mode: (await stat(path)).mode }),
    catch: (error) => {
      const { code, message } = error as NodeJS.ErrnoException
      return code ?? message
    }
  }).pipe(
    Effect.catchAll((code) =>
      (code === "ENOENT" || code === "EISDIR") && !isNamed
        ? Effect.succeed({ text: "", mode: 0 })
        : Effect.fail(
            new EnvFileError({
              message: `the env file "${path}" cannot be read: ${code}`
            })
          )
    )
  )
  if ((read.mode & 0o077) !== 0 && !isCredential(path)) {
    yield* Effect.logWarning(
      `"${path}" can be read by other users of this machine: make it yours alone with chmod 600`
    )
  }
  // Editors on Windows begin a file with a byte order mark, which would count as part of the first
  // name.
  return parseEnv(read.text.replace(/^\uFEFF/, "")) as Readonly<Record<string, string | undefined>>
})
