import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { run, startSimulator } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"

const KEYS = { AMP_API_KEY: "canary-api", AMP_SECRET_KEY: "canary-secret" }

describe("amplitude-lake check", () => {
  it.scopedLive("prints a line for each check, and lands nothing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const s3 = yield* S3Server.make({ buckets: { lake: "eu-west-2" } })
      const { origin } = yield* startSimulator(["--events-per-hour", "20"], { folder, env: KEYS })
      const env = {
        ...KEYS,
        AWS_ENDPOINT_URL_S3: s3.url,
        AWS_ACCESS_KEY_ID: "AKTEST",
        AWS_SECRET_ACCESS_KEY: "SKTEST"
      }
      const check = (given: Record<string, string>, ...args: ReadonlyArray<string>) =>
        run(["check", "--amplitude-url", origin, ...args], { folder, env: { ...env, ...given } })

      const good = yield* check({}, "--bucket", "lake", "--archive-dir", "archives")
      assert.equal(good.code, 0, good.stdout + good.stderr)
      const names = [
        "keys",
        "clock",
        "store",
        "gaps",
        "conflicts",
        "work",
        "data",
        "archives",
        "inflating"
      ]
      assert.deepEqual(
        good.stdout
          .trimEnd()
          .split("\n")
          .map((line) => line.split(/ +/).slice(0, 2).join(" ")),
        names.map((name) => `ok ${name}`)
      )
      assert.equal(good.stderr, "")
      assert.deepEqual(yield* pathsBelow(folder), [])
      assert.deepEqual(
        [...(s3.buckets.get("lake")?.objects.keys() ?? [])],
        ["python-import/.amplitude-lake-probe"]
      )

      yield* Effect.promise(() => writeFile(join(folder, "file"), ""))
      const wrong = ["--bucket", "absent", "--data-dir", "file", "--json"]
      const other = { AMP_SECRET_KEY: "canary-other", AMPLITUDE_LAKE_INFLATE: "portable" }
      const bad = yield* check(other, ...wrong)
      const found = JSON.parse(bad.stdout)
      assert.match(good.stdout, /inflating .*by calls inside Node .* have passed a test/)
      assert.match(found.checks.at(-1).message, /the faster ones are switched off/)
      assert.deepEqual([bad.code, found.exitCode], [7, 7])
      assert.deepEqual(
        found.checks.map(({ name, state, error }: Record<string, string>) => [name, state, error]),
        [
          ["keys", "fail", "AmplitudeError.Forbidden"],
          ["clock", "unknown", undefined],
          ["store", "fail", "ObjectStorageError.NotFound"],
          ["gaps", "unknown", undefined],
          ["conflicts", "unknown", undefined],
          ["work", "ok", undefined],
          ["data", "fail", "FolderError.Misconfigured"],
          ["inflating", "ok", undefined]
        ]
      )
      assert.doesNotMatch(bad.stdout + bad.stderr, /canary/)
    })
  )
})
