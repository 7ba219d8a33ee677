import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assert } from "vitest"
import { isLong } from "../../fixtures/long.ts"

const ROOT = fileURLToPath(new URL("../../..", import.meta.url))

/** An app that has the built library with what it depends on, and no SDK. */
const app = Effect.acquireRelease(
  Effect.promise(async () => {
    const folder = await mkdtemp(join(tmpdir(), "amplitude-lake-"))
    for (const part of ["dist/layers", "dist/network", "dist/services", "package.json"]) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true })
    }
    await mkdir(join(folder, "node_modules"))
    for (const name of ["effect", "ipaddr.js"]) {
      await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name))
    }
    return folder
  }),
  (folder) => Effect.promise(() => rm(folder, { recursive: true }))
)

/** What the first call of a layer fails with there. */
const firstCall = (
  folder: string,
  [layer, service, call, options]: readonly [string, string, string, object]
) =>
  Effect.gen(function* () {
    const file = join(folder, "app.mjs")
    const source = `
      import { Effect } from "effect"
      import * as Layer from "./dist/layers/${layer}.js"
      import { ${service} } from "./dist/services/${service}.js"
      const program = Effect.flatMap(${service}, (it) => Effect.scoped(Effect.flip(it.${call})))
      const provided = Effect.provide(program, Layer.layer(${JSON.stringify(options)}))
      const { _tag, detail, reason } = await Effect.runPromise(provided)
      process.stdout.write(JSON.stringify({ _tag, detail, reason }))`
    yield* Effect.promise(() => writeFile(file, source))
    return yield* Effect.async<{ _tag: string; detail: string; reason: string }>((resume) => {
      execFile(process.execPath, [file], (error, stdout) =>
        resume(error === null ? Effect.succeed(JSON.parse(stdout)) : Effect.die(error))
      )
    })
  })

describe("loadSdk()", () => {
  it.scoped.runIf(isLong)(
    "has the first call of a layer say which package to install",
    () =>
      Effect.gen(function* () {
        const folder = yield* app
        const s3 = { bucket: "lake" }
        const azure = { account: "lake", container: "lake" }
        const duckDb = { file: "lake.duckdb" }
        for (const [layer, service, call, options, wanted] of [
          ["s3/ObjectStorageS3", "ObjectStorage", "check", s3, "@aws-sdk/client-s3@3"],
          ["s3/BucketSetupS3", "BucketSetup", "find", s3, "@aws-sdk/client-s3@3"],
          ["azure/ObjectStorageAzure", "ObjectStorage", "check", azure, "@azure/storage-blob@12"],
          [
            "duckdb/WarehouseDuckDb",
            "Warehouse",
            'open("load")',
            duckDb,
            "@duckdb/node-api@1.5.6-r.1"
          ]
        ] as const) {
          const error = yield* firstCall(folder, [layer, service, call, options])
          assert.strictEqual(error._tag, `${service}Error`)
          assert.strictEqual(error.reason, "Misconfigured", error.detail)
          assert.match(error.detail, new RegExp(`npm install ${wanted}$`))
          assert.notInclude(error.detail, tmpdir())
        }
      }),
    60_000
  )
})
