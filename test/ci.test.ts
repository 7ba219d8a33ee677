import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "./fixtures/disk.ts"

const RUN = fileURLToPath(new URL("../.ci/run", import.meta.url))
const REPORT = "$(echo \"$*\" | grep -o '[.]ci/[a-z]*[.]json')"

/** Runs a copy of `.ci/run` in a folder where `npm` and `npx` are these scripts. */
const runCi = Effect.fnUntraced(function* (npm: string, npx: string) {
  const folder = yield* temporaryFolder
  return yield* Effect.promise(async () => {
    await fs.mkdir(join(folder, ".ci"))
    await fs.mkdir(join(folder, "scripts"))
    for (const name of ["mutate.mjs", "tool.mjs"]) {
      await fs.writeFile(join(folder, "scripts", name), "")
    }
    const promtool = join(folder, "scripts", "promtool.sh")
    await fs.writeFile(promtool, "#!/bin/sh\n", { mode: 0o755 })
    await fs.copyFile(RUN, join(folder, ".ci", "run"))
    for (const [name, script] of Object.entries({ npm, npx })) {
      await fs.writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
    }
    const env = { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder }
    const { status, stdout } = spawnSync("bash", [join(folder, ".ci", "run")], { env })
    const lines = String(stdout).trimEnd().split("\n")
    const failed = lines.filter((line) => line.startsWith("failed: "))
    return { status, last: lines.at(-1), failed }
  })
})

/** It is a script of bash, which not everyone has who tests with Node and npm alone. */
const hasBash = spawnSync("bash", ["--version"]).status === 0

describe.skipIf(!hasBash)("the checks of CI", () => {
  const whole = `echo '{"numPassedTests":3,"numFailedTests":0}' > ${REPORT}`

  for (const [title, npm, npx, expected] of [
    ["all is well", "exit 0", whole, { status: 0, last: "17 passed, 0 failed" }],
    [
      "nothing can be installed",
      '[ "$1" != ci ]',
      whole,
      { status: 1, last: "0 passed, 1 failed" }
    ],
    ["steps fail", '[ "$1" = ci ]', "exit 1", { status: 1, last: "3 passed, 11 failed" }],
    [
      "a suite ends amid its report",
      "exit 0",
      `echo '{"numPassed' > ${REPORT}; kill -9 $$`,
      { status: 1, last: "13 passed, 1 failed" }
    ],
    [
      "a suite leaves half a report and says that it is well",
      "exit 0",
      `echo '{"numPassed' > ${REPORT}`,
      { status: 1, last: "14 passed, 1 failed" }
    ]
  ] as const) {
    it.scopedLive(`end with their numbers where ${title}`, () =>
      Effect.gen(function* () {
        const { last, status } = yield* runCi(npm, npx)
        assert.deepEqual({ status, last }, expected)
      })
    )
  }

  it.scopedLive("name at the end what failed", () =>
    Effect.gen(function* () {
      const report = JSON.stringify({
        numPassedTests: 1,
        numFailedTests: 1,
        testResults: [
          { name: "well.test.ts", status: "passed", assertionResults: [] },
          {
            name: "one.test.ts",
            status: "failed",
            assertionResults: [
              { fullName: "works", status: "passed", failureMessages: [] },
              { fullName: "goes on", status: "failed", failureMessages: ["1 is not 2"] }
            ]
          },
          { name: "two.test.ts", status: "failed", message: "no import", assertionResults: [] }
        ]
      })
      const { failed } = yield* runCi("exit 0", `echo '${report}' > ${REPORT}; exit 1`)
      assert.equal(failed[0]?.startsWith("failed: env FAULTS_SECONDS="), true)
      assert.deepEqual(failed.slice(1), [
        "failed: one.test.ts: goes on",
        "failed: two.test.ts: no import"
      ])
    })
  )
})
