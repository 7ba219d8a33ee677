import assert from "node:assert/strict"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Either, Option, Redacted } from "effect"
import { SEPARATOR } from "../../../src/cli/settings/parse.ts"
import { envFilesOf, resolveLakes } from "../../../src/cli/settings/severalLakes.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"

const DATABASE = { AMPLITUDE_LAKE_DATABASE_URL: "postgres://lake@localhost/lake" }
const ONE = {
  AMP_API_KEY: "one",
  AMP_SECRET_KEY: "secret",
  AWS_BUCKET_NAME: "lake",
  AWS_ACCESS_KEY_ID: "id-one",
  AWS_SECRET_ACCESS_KEY: "key-one"
}
const TWO = { ...ONE, AMP_API_KEY: "two", AWS_ACCESS_KEY_ID: "id-two", AWS_BUCKET_NAME: "pond" }

function resolved(
  files: ReadonlyArray<Readonly<Record<string, string>>>,
  environment: Readonly<Record<string, string>> = DATABASE,
  flags: Parameters<typeof resolveLakes>[1][number]["flags"] = {}
) {
  return resolveLakes(
    "backfill",
    files.map((file, at) => ({ file, environment, flags, fileName: `${at}.env`, now: 0 }))
  )
}
const problems = (...given: Parameters<typeof resolved>) =>
  Either.match(resolved(...given), { onLeft: (it) => it, onRight: () => [] })

describe("Several env files", () => {
  it("are a lake each, with the keys of its own", () => {
    const { settings, variables } = Either.getOrThrow(resolved([ONE, TWO]))
    const { lakes = [] } = settings as { readonly lakes?: ReadonlyArray<typeof settings> }
    assert.deepEqual(
      lakes.map(({ store }) => {
        assert.ok(store._tag === "S3")
        const { accessKeyId, secretAccessKey } = Option.getOrThrow(store.credentials)
        return [store.bucket, accessKeyId, Redacted.value(secretAccessKey)]
      }),
      [
        ["lake", "id-one", "key-one"],
        ["pond", "id-two", "key-one"]
      ]
    )
    assert.ok(!Object.keys(variables).some((name) => /KEY/.test(name)))
    const alone = Either.getOrThrow(resolved([ONE]))
    assert.ok(!("lakes" in alone.settings))
    assert.equal(alone.variables["AWS_ACCESS_KEY_ID"], "id-one")
  })

  it("may not differ in what a process has once", () => {
    assert.deepEqual(problems([ONE, { ...TWO, AWS_REGION: "eu-west-2" }]), [
      "AWS_REGION: 0.env and 1.env differ, and a process has one: give each a process of its own"
    ])
    const other = { AMPLITUDE_LAKE_DATABASE_URL: "postgres://lake@localhost/other" }
    assert.deepEqual(
      problems(
        [
          { ...ONE, ...DATABASE },
          { ...TWO, ...other }
        ],
        {}
      ),
      ["AMPLITUDE_LAKE_DATABASE_URL: 0.env and 1.env differ, and a fleet has one database"]
    )
  })

  it("need a fleet, and are not planned", () => {
    assert.match(problems([ONE, TWO], {}).join(), /^several env files need a fleet: set AMPLITUDE/)
    const dry = problems([ONE, TWO], DATABASE, { dryRun: true })
    assert.deepEqual(dry, ["--dry-run cannot be combined with several env files"])
    assert.match(problems([ONE, {}]).join(), /in 1\.env/)
  })

  it.scoped("are named one by one, or by their folder, for a fleet alone", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.promise(async () => {
        await mkdir(join(folder, "none"))
        for (const name of ["b.env", "a.env", "notes.txt"]) await writeFile(join(folder, name), "")
      })
      const [a, b] = [join(folder, "a.env"), join(folder, "b.env")]
      const path = ["x.env", folder].join(SEPARATOR)
      const named = { isNamed: true, path }
      assert.deepEqual(yield* envFilesOf("worker", named), ["x.env", a, b])
      assert.deepEqual(yield* envFilesOf("all", named), [folder])
      const empty = yield* Effect.flip(
        envFilesOf("backfill", { isNamed: true, path: join(folder, "none") })
      )
      assert.match(empty.message, /none" has no env file/)
    })
  )
})
