import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { archive, HOUR, lines } from "../fixtures/archive/largeArchive.ts"
import { isLong } from "../fixtures/long.ts"
import { run } from "../fixtures/process/program.ts"
import { answer, scriptedServer } from "../fixtures/servers/scriptedServer.ts"

const DIST = fileURLToPath(new URL("../../dist", import.meta.url))
const env = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }

/** Its name on this node: newer ones call it experimental no more. */
const PERMISSION = process.allowedNodeEnvironmentFlags.has("--permission")
  ? "--permission"
  : "--experimental-permission"

const SYNC =
  "fs.promises.open('/dev/null').then((it) => it.sync()).catch(({ code }) => process.exit(code === 'ERR_ACCESS_DENIED' ? 9 : 0))"

/** Whether this Node lets a program flush files to disk under its permission model. */
const canSync =
  spawnSync(process.execPath, [PERMISSION, "--allow-fs-read=*", "-e", SYNC]).status !== 9

/** The README's least set, for a working directory. */
function permissions(folder: string, ...more: ReadonlyArray<string>): ReadonlyArray<string> {
  const written = [".amplitude-lake", "data", "s3_dev"].map((name) => `${folder}/${name}/*`)
  const read = [`${DIST}/*`, join(DIST, "../package.json"), `${folder}/.env`, ...written]
  return [
    PERMISSION,
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...written.map((path) => `--allow-fs-write=${path}`),
    ...(process.allowedNodeEnvironmentFlags.has("--allow-net") ? ["--allow-net"] : []),
    ...more
  ]
}

describe("amplitude-lake under Node's permission model", () => {
  for (const [name, more] of [
    ["without worker threads", []],
    ["with worker threads", ["--allow-worker"]]
  ] as const) {
    it.scoped.skipIf(!canSync || (!isLong && name !== "with worker threads"))(
      `lands a large archive with the minimum permissions, ${name}`,
      () =>
        Effect.gen(function* () {
          const folder = yield* temporaryFolder
          const { origin } = yield* scriptedServer([answer(200, { body: archive })])
          const own = ["--amplitude-url", origin, "--archive-dir", "data/archives"]
          const ended = yield* run(["all", "--dev", ...HOUR, ...own], {
            folder,
            env,
            nodeArguments: permissions(folder, ...more)
          })
          assert.equal(ended.code, 0, ended.stderr)
          const landed = join(folder, "s3_dev/python-import/2025-11-10_05.jsonl")
          assert.ok((yield* Effect.promise(() => fs.readFile(landed, "utf8"))) === lines)
        })
    )
  }

  it.scoped.skipIf(canSync)("lands nothing if no file can be flushed to disk, and says why", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const ended = yield* run(["all", "--dev", ...HOUR, "--source", "synthetic"], {
        folder,
        nodeArguments: permissions(folder)
      })
      assert.equal(ended.code, 7, ended.stderr)
      assert.match(ended.stderr, /flushes no file to disk under --permission, so run without it/)
    })
  )

  it.scoped.runIf(isLong)("names the folder that it has no permission for, and exits 7", () =>
    Effect.gen(function* () {
      const [folder, elsewhere] = [yield* temporaryFolder, yield* temporaryFolder]
      const args = ["--source", "synthetic", "--local-dir", elsewhere]
      const ended = yield* run(["all", "--dev", ...HOUR, ...args], {
        folder,
        nodeArguments: permissions(folder)
      })
      assert.equal(ended.code, 7, ended.stderr)
      assert.ok(ended.stderr.includes(elsewhere))
      assert.match(ended.stderr, /AccessDenied: Access to this API has been restricted/)
    })
  )
})
