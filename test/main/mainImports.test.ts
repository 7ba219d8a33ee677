import assert from "node:assert/strict"
import { readdirSync } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { run } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"

/** The names of all layers, each of which has a file of its own in the bundle. */
const LAYERS = readdirSync("src/layers", { recursive: true, encoding: "utf8" })
  .map((path) => basename(path, ".ts"))
  .filter((name) => /^[A-Z]/.test(name))

/** What a command loads: which layers, whether the steps of a run, and how many kilobytes with all else. */
const loaded = Effect.fnUntraced(function* (args: ReadonlyArray<string>, env = {}) {
  const folder = yield* temporaryFolder
  const coverage = join(folder, "coverage")
  const ended = yield* run(args, { folder, env: { ...env, NODE_V8_COVERAGE: coverage } })
  assert.equal(ended.code, 0, ended.stderr)
  return yield* Effect.promise(async () => {
    const files = await fs.readdir(coverage)
    const texts = await Promise.all(files.map((name) => fs.readFile(join(coverage, name), "utf8")))
    const scripts = texts.flatMap((text) => {
      const { result } = JSON.parse(text) as { result: ReadonlyArray<{ url: string }> }
      return result.map(({ url }) => url)
    })
    const own = [...new Set(scripts)].filter((url) => url.startsWith("file:"))
    const sizes = await Promise.all(own.map(async (url) => (await fs.stat(new URL(url))).size))
    const names = own.map((url) => basename(url, ".js"))
    return {
      layers: names.filter((name) => LAYERS.includes(name)).sort(),
      isRun: names.includes("runPipeline"),
      kilobytes: sizes.reduce((sum, size) => sum + size, 0) / 1000
    }
  })
})

describe("What a command loads", () => {
  for (const args of [["--help"], ["--version"], ["all", "--help"]]) {
    it.scoped(`includes no layer and no step of a run for ${args.join(" ")}`, () =>
      Effect.gen(function* () {
        const { isRun, kilobytes, layers } = yield* loaded(args)
        assert.deepEqual([layers, isRun], [[], false])
        assert.ok(kilobytes < 800, `${kilobytes} kB`)
      })
    )
  }

  it.scoped("includes only the stores for status, and no SDK if both are folders", () =>
    Effect.gen(function* () {
      const { kilobytes, layers } = yield* loaded(["status", "--dev"])
      assert.deepEqual(layers, ["ObjectStorageFileSystem"])
      assert.ok(kilobytes < 1500, `${kilobytes} kB`)
      const { url } = yield* S3Server.make({
        users: { AKTEST: { secret: "SKTEST" } },
        buckets: { lake: "us-east-1" }
      })
      const s3 = yield* loaded(["status"], {
        AWS_BUCKET_NAME: "lake",
        AWS_ENDPOINT_URL_S3: url,
        AWS_REGION: "us-east-1",
        AWS_ACCESS_KEY_ID: "AKTEST",
        AWS_SECRET_ACCESS_KEY: "SKTEST"
      })
      // Staging is a folder.
      assert.deepEqual(s3.layers, ["ObjectStorageFileSystem", "ObjectStorageS3"])
      assert.ok(s3.kilobytes > kilobytes + 500, `${s3.kilobytes} kB`)
    })
  )

  it.scoped("includes what lands an hour for all, and nothing of a warehouse", () =>
    Effect.gen(function* () {
      const hour = ["--start-date", "2025-11-10T05", "--end-date", "2025-11-10T05"]
      const { layers } = yield* loaded(["all", "--dev", "--source", "synthetic", ...hour])
      assert.deepEqual(layers, [
        "AmplitudeSynthetic",
        "ObjectStorageFileSystem",
        "SpoolFileSystem",
        "UnpackerWorkers"
      ])
    })
  )
})
