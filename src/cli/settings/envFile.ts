import { readFile, stat } from "node:fs/promises"
import { dirname } from "node:path"
import { parseEnv } from "node:util"
import { Data, Effect } from "effect"

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
  // Editors on Windows may write a byte order mark, which would become part of the first name.
  return parseEnv(read.text.replace(/^\uFEFF/, "")) as Readonly<Record<string, string | undefined>>
})
