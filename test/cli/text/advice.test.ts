import assert from "node:assert/strict"
import { Redacted } from "effect"
import { describe, it } from "vitest"
import { settings } from "../../../src/cli/settings/table.ts"
import type { Source } from "../../../src/cli/settings/settingsOf.ts"
import { adviceFor, advised, advisedItem, advisedLeftover } from "../../../src/cli/text/advice.ts"
import { BucketItem } from "../../../src/programs/setup/setupBucket.ts"

const key = Redacted.make("key")
const amplitude = (region: "eu" | "us", origin?: string): Source => ({
  _tag: "Amplitude",
  region,
  origin,
  apiKey: key,
  secretKey: key
})

const TABLE = [
  ["LandingError.OutOfTime", "--max-duration"],
  ["LandingError.OtherProject", "another --prefix"],
  ["SpoolError.Misconfigured", "--work-dir"],
  ["ArchiveError.NoSpace", "--archive-dir"],
  [
    "AmplitudeError.TooLarge",
    "gaps accept --start-date 2025-11-10T00 --end-date 2025-11-10T00 --reason"
  ],
  ["AmplitudeError.Unauthorized", "AMP_API_KEY and AMP_SECRET_KEY"],
  ["AmplitudeError.Forbidden", "--amplitude-region eu|us"]
] as const

const said = (name: BucketItem["name"], message: string, state: BucketItem["state"] = "same") =>
  advisedItem(BucketItem.make({ name, state, message })).message

describe("adviceFor()", () => {
  for (const [error, says] of TABLE) {
    it(`appends ${says} to the message of ${error}`, () => {
      const told = advised({ error, message: "the fact", hour: "2025-11-10T00" })
      assert.ok(told.message.startsWith("the fact"))
      assert.ok(told.message.includes(says), told.message)
      assert.equal(told.hour, "2025-11-10T00")
    })
  }

  it("names the other region if it is known", () => {
    const told = { error: "AmplitudeError.Unauthorized", message: "" }
    assert.match(adviceFor(told, amplitude("eu")), /other region \(--amplitude-region us\)$/)
    assert.match(adviceFor(told, amplitude("us")), /\(--amplitude-region eu\)$/)
    const elsewhere = amplitude("us", "http://127.0.0.1:4000")
    assert.match(adviceFor(told, elsewhere), /\(--amplitude-region eu\|us\)$/)
  })

  it("names --sse-kms-key-id if that key cannot be used, and for no other misconfiguration", () => {
    const error = "ObjectStorageError.Misconfigured"
    assert.match(adviceFor({ error, message: "The KMS key cannot be used" }), /--sse-kms-key-id$/)
    assert.equal(adviceFor({ error, message: "The bucket is in another region" }), "")
  })

  it("names a schema for another lake in Snowflake, and a file for one in DuckDB", () => {
    const error = "LoadError.OtherProject"
    const named = (place: string) =>
      adviceFor({ error, message: `the warehouse "${place}" holds project 1` })
    assert.match(named("snowflake://myorg-shop/LAKE/AMPLITUDE"), /\(SNOWFLAKE_SCHEMA\)$/)
    assert.match(named("lake.duckdb"), /--warehouse-file$/)
  })

  it("is empty if no flag would help", () => {
    for (const error of [undefined, "UnpackerError.Corrupt", "ClockSkew", "Other.NoSpace"]) {
      const told = { error, message: "the fact" }
      assert.equal(advised(told), told)
    }
  })

  it("names only flags that exist", () => {
    const flags = Object.values(settings).map(({ flag }) => flag?.split(" ")[0])
    for (const [error] of TABLE) {
      const named = adviceFor({ error, message: "" }).match(/--[a-z-]+/g) ?? []
      assert.ok(named.length > 0, error)
      for (const flag of named) assert.ok(flags.includes(flag), flag)
    }
  })
})

describe("advisedLeftover()", () => {
  const upload = { kind: "upload", path: "a", size: 1, fate: "kept", detail: "old" } as const

  it("names the flag that removes an upload that was kept", () => {
    assert.equal(advisedLeftover(upload).detail, "old; use --abort-uploads to remove it")
  })

  it("leaves everything else as it is", () => {
    for (const other of [{ fate: "removed" }, { kind: "spooled" }] as const) {
      assert.equal(advisedLeftover({ ...upload, ...other }).detail, "old")
    }
  })
})

describe("advisedItem()", () => {
  it("names the flag for a key of one's own if the bucket has none", () => {
    assert.match(said("encryption", "AES256"), /^AES256; use --kms-key to set a key of your own$/)
    assert.equal(said("encryption", "aws:kms, key k"), "aws:kms, key k")
    assert.equal(said("encryption", "AES256", "would change"), "AES256")
  })

  it("names the flag that restricts puts if they are not", () => {
    const open = "puts are not restricted"
    assert.match(said("policy", open), /^puts are not restricted; use --require-if-none-match/)
    assert.equal(said("policy", "puts need If-None-Match"), "puts need If-None-Match")
    assert.equal(said("policy", open, "changed"), open)
  })
})
