import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { assertCode } from "../fixtures/process/killable.ts"
import { isLong } from "../fixtures/long.ts"
import { run, startSimulator } from "../fixtures/process/program.ts"
import { readFiles } from "./_lake.ts"

const KILL_AT = pathToFileURL(
  fileURLToPath(new URL("../fixtures/process/killAt.mjs", import.meta.url))
).href
const WINDOW = ["--start-date", "2025-11-10T00", "--end-date", "2025-11-10T02"]
const ONE = ["--concurrency", "1", "--retry-base-ms", "1", "--dev"]
const LAKES = { shop: "111", blog: "222" } as const
type Name = keyof typeof LAKES
type Command = "fetch" | "sync" | "all"

/** One folder with an env file for each of two projects, and what has to land for each. */
const makeFolder = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const expected = new Map<Name, Map<string, string>>()
  for (const [name, project] of Object.entries(LAKES) as ReadonlyArray<[Name, string]>) {
    const keys = { AMP_API_KEY: `${name}-api`, AMP_SECRET_KEY: `${name}-secret` }
    const events = ["--events-per-hour", "20", "--project", project]
    const own = yield* temporaryFolder
    const { origin } = yield* startSimulator(events, { folder: own, env: keys })
    assertCode(yield* run(["simulate", "--dump", ".", ...WINDOW, ...events], { folder: own }), 0)
    expected.set(name, yield* readFiles(own))
    const env = Object.entries({ ...keys, AMPLITUDE_URL: origin })
    const text = env.map(([variable, value]) => `${variable}=${value}\n`).join("")
    yield* Effect.promise(() => fs.writeFile(join(folder, `${name}.env`), text, { mode: 0o600 }))
  }
  const argumentsOf = (name: Name, command: Command) => [
    command,
    ...(command === "sync" ? [] : WINDOW),
    ...ONE,
    "--env-file",
    `${name}.env`,
    "--prefix",
    `${name}/`
  ]
  const landed = (name: Name) => readFiles(join(folder, "s3_dev", name))
  return {
    run: (name: Name, command: Command) => run(argumentsOf(name, command), { folder }),
    /** Runs a command until one of its file operations, which it has to reach, kills it. */
    kill: (name: Name, command: Command, at: string, moment: "before" | "after") =>
      Effect.gen(function* () {
        const ended = yield* run(argumentsOf(name, command), {
          folder,
          env: { KILL_AT: at, KILL_MOMENT: moment },
          nodeArguments: ["--import", KILL_AT]
        })
        assert.equal(ended.code, null, `It never came to ${at}: ${ended.stderr}`)
      }),
    /** Nothing of one project is in the other's lake. */
    assertApart: Effect.gen(function* () {
      for (const name of ["shop", "blog"] as const) {
        for (const [file, text] of yield* landed(name)) {
          assert.equal(text, expected.get(name)?.get(file) ?? "", `${name}/${file}`)
        }
      }
    }),
    assertComplete: Effect.gen(function* () {
      for (const name of ["shop", "blog"] as const) {
        const files = yield* landed(name)
        assert.equal(files.size, 3)
        for (const [file, text] of files) assert.equal(text, expected.get(name)?.get(file) ?? "")
      }
      assert.deepEqual([...(yield* readFiles(join(folder, "data"))).keys()], [])
    })
  }
})

const LINK_INTO_STAGING = "^link data/.amplitude-lake/runs/RUN/[1-9]"
const OUT_OF_STAGING = "^rename data/[^/]*[.]jsonl$"

describe("X5 two projects in one folder", () => {
  it.scopedLive.runIf(isLong)("keep their hours apart, whatever the order", () =>
    Effect.gen(function* () {
      const it = yield* makeFolder
      assertCode(yield* it.run("shop", "fetch"), 0)
      const refused = yield* it.run("blog", "fetch")
      assertCode(refused, 3)
      assert.match(refused.stdout, /StagedForAnotherLake.*\(--data-dir\)/)
      const moved = yield* it.run("blog", "sync")
      assertCode(moved, 0)
      assert.match(moved.stdout, /left +\d hours? of project 111, staged for file:.*\/shop\//)
      assertCode(yield* it.run("blog", "all"), 0)
      yield* it.assertApart
      assertCode(yield* it.run("shop", "sync"), 0)
      yield* it.assertComplete
    })
  )

  const kills = [
    { first: "fetch", at: LINK_INTO_STAGING, moment: "before" },
    { first: "fetch", at: LINK_INTO_STAGING, moment: "after" },
    { first: "sync", at: OUT_OF_STAGING, moment: "before" },
    { first: "sync", at: OUT_OF_STAGING, moment: "after" }
  ] as const
  for (const { at, first, moment } of kills) {
    it.scopedLive.runIf(isLong)(
      `keep their hours apart if ${first} is killed ${moment} ${at}`,
      () =>
        Effect.gen(function* () {
          const it = yield* makeFolder
          if (first === "sync") assertCode(yield* it.run("shop", "fetch"), 0)
          yield* it.kill("shop", first, at, moment)
          yield* it.assertApart
          assertCode(yield* it.run("blog", "all"), 0)
          yield* it.assertApart
          assertCode(yield* it.run("shop", "all"), 0)
          assertCode(yield* it.run("blog", "sync"), 0)
          yield* it.assertComplete
        })
    )
  }
})
