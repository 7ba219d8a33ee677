import assert from "node:assert/strict"
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { EnvFileError, readEnvFile } from "../../../../src/cli/settings/env/envFile.ts"

const folder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "env-file-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true }))
)

const fileOf = Effect.fnUntraced(function* (text: string, mode = 0o600) {
  const path = join(yield* folder, ".env")
  yield* Effect.promise(() => writeFile(path, text))
  yield* Effect.promise(() => chmod(path, mode))
  return path
})

/** What an effect answers, and what it says meanwhile. */
const listened = Effect.fnUntraced(function* <A, E>(self: Effect.Effect<A, E>) {
  const said: Array<string> = []
  const logger = Logger.make(({ message }) => void said.push(String(message)))
  const answer = yield* Effect.provide(self, Logger.replace(Logger.defaultLogger, logger))
  return { answer, said }
})

describe("readEnvFile()", () => {
  it.scoped("reads quotes, comments, exports, blanks and Windows line endings", () =>
    Effect.gen(function* () {
      const path = yield* fileOf(
        "# keys\r\nAMP_API_KEY=abc\r\nAMP_SECRET_KEY='d e#f' # ours\r\nexport REGION = us\r\nBLANK=\r\n"
      )
      const { answer, said } = yield* listened(readEnvFile(path, false))
      assert.deepEqual(answer.variables, {
        AMP_API_KEY: "abc",
        AMP_SECRET_KEY: "d e#f",
        REGION: "us",
        BLANK: ""
      })
      assert.deepEqual(said, [])
    })
  )

  it.scoped("reads the first name after a byte order mark", () =>
    Effect.gen(function* () {
      const { answer } = yield* listened(readEnvFile(yield* fileOf("\uFEFFAMP_API_KEY=abc"), true))
      assert.equal(answer.variables["AMP_API_KEY"], "abc")
    })
  )

  it.scoped(
    "fails on a line that it does not understand, by its number and never by its text",
    () =>
      Effect.gen(function* () {
        const path = yield* fileOf("A=b\ngeheim and more\nAMP_API_KEY=abc\n")
        const error = yield* Effect.flip(readEnvFile(path, true))
        assert.equal(
          error.message,
          `the env file "${path}": line 2: not NAME=value, a comment or blank`
        )
      })
  )

  it.scoped("warns of a name that is nearly one of the program's", () =>
    Effect.gen(function* () {
      const path = yield* fileOf("AMP_API_KEYS=a\nAWS_BUCKET_NAMES=b\nOTHER=c\nPATH=d\n")
      const { said } = yield* listened(readEnvFile(path, true))
      assert.deepEqual(said, [
        `AMP_API_KEYS in "${path}" has no effect: is AMP_API_KEY meant?`,
        `AWS_BUCKET_NAMES in "${path}" has no effect: is AWS_BUCKET_NAME meant?`
      ])
    })
  )

  it.scoped("does not change the process environment", () =>
    Effect.gen(function* () {
      yield* listened(readEnvFile(yield* fileOf("AMPLITUDE_LAKE_TEST=1"), true))
      assert.equal(process.env["AMPLITUDE_LAKE_TEST"], undefined)
    })
  )

  it.scoped("is empty if nobody named a file and there is none, or a folder", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, ".env")
      const { answer, said } = yield* listened(readEnvFile(path, false))
      assert.deepEqual(answer.variables, {})
      yield* Effect.promise(() => mkdir(path))
      assert.deepEqual((yield* listened(readEnvFile(path, false))).answer.variables, {})
      assert.deepEqual(said, [])
    })
  )

  it.scoped("fails if a named file is missing or a folder", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "keys.env")
      const absent = yield* Effect.flip(readEnvFile(path, true))
      assert.ok(absent instanceof EnvFileError)
      assert.equal(absent.message, `cannot read the env file "${path}": ENOENT`)
      yield* Effect.promise(() => mkdir(path))
      const isFolder = yield* Effect.flip(readEnvFile(path, true))
      assert.equal(isFolder.message, `cannot read the env file "${path}": EISDIR`)
    })
  )

  it.scoped("warns of a file that others can read, without showing its text", () =>
    Effect.gen(function* () {
      for (const mode of [0o644, 0o640, 0o604]) {
        const path = yield* fileOf("AMP_API_KEY=geheim", mode)
        const { answer, said } = yield* listened(readEnvFile(path, false))
        assert.equal(answer.variables["AMP_API_KEY"], "geheim")
        assert.equal(said.length, 1)
        assert.match(said.join(), /is readable by other users.*chmod 600/)
        assert.doesNotMatch(said.join(), /geheim/)
      }
    })
  )

  it.scoped("trusts systemd to protect its credentials", () =>
    Effect.gen(function* () {
      const path = yield* fileOf("AMP_API_KEY=geheim", 0o440)
      const credentials = Effect.acquireRelease(
        Effect.sync(() => (process.env["CREDENTIALS_DIRECTORY"] = dirname(path))),
        () => Effect.sync(() => delete process.env["CREDENTIALS_DIRECTORY"])
      )
      yield* credentials
      assert.deepEqual((yield* listened(readEnvFile(path, true))).said, [])
      const other = yield* fileOf("AMP_API_KEY=geheim", 0o440)
      assert.equal((yield* listened(readEnvFile(other, true))).said.length, 1)
    })
  )
})
