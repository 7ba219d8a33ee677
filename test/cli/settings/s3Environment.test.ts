import assert from "node:assert/strict"
import { Either, Option, Redacted } from "effect"
import { describe, it } from "vitest"
import { resolveS3 } from "../../../src/cli/settings/s3Environment.ts"

const settled = (environment: Record<string, string>, file: Record<string, string>) => {
  const { variables, credentials } = Either.getOrThrow(resolveS3(environment, file, ".env"))
  return {
    variables,
    pair: Option.getOrUndefined(credentials)?.accessKeyId,
    secret: Option.match(credentials, {
      onNone: () => undefined,
      onSome: ({ secretAccessKey }) => Redacted.value(secretAccessKey)
    })
  }
}

describe("resolveS3()", () => {
  for (const [id, secret] of [
    ["AWS_ACCESS_KEY", "AWS_SECRET_KEY"],
    ["Access_key_ID", "Secret_access_key"],
    ["AWS_PYTHON_USER_ACCESS_KEY", "AWS_PYTHON_USER_SECRET_KEY"]
  ] as const) {
    it(`takes ${id} and ${secret} as a pair`, () => {
      const found = settled({}, { [id]: "me", [secret]: "mine" })
      assert.deepEqual([found.pair, found.secret], ["me", "mine"])
      assert.deepEqual(found.variables, {})
    })
    it(`names what ${id} lacks`, () => {
      const problems = Either.getOrThrow(
        Either.flip(resolveS3({}, { [id]: "me", [secret]: " " }, ".env"))
      )
      assert.equal(problems.length, 1)
      assert.match(problems[0] ?? "", new RegExp(`^${id} is set without ${secret}`))
    })
  }
  it("passes the env file's AWS variables to the SDK's chain, but never over the environment's", () => {
    const file = { AWS_REGION: "eu-west-2", AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1", OTHER: "x" }
    assert.deepEqual(settled({ AWS_REGION: "us-east-1" }, file).variables, {
      AWS_ENDPOINT_URL_S3: "http://127.0.0.1:1"
    })
  })
  it("prefers a standard name or a profile to an alias, wherever it is", () => {
    const alias = { AWS_ACCESS_KEY: "me", AWS_SECRET_KEY: "mine" }
    assert.equal(settled({ AWS_PROFILE: "work" }, alias).pair, undefined)
    const standard = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" }
    assert.equal(settled({}, { ...alias, ...standard }).pair, undefined)
    assert.equal(settled(alias, { AWS_PROFILE: "work" }).pair, undefined)
  })
  it("mixes no identity from the env file into one from the environment", () => {
    const file = {
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret",
      AWS_REGION: "eu-west-2"
    }
    assert.deepEqual(settled({ AWS_PROFILE: "work" }, file).variables, { AWS_REGION: "eu-west-2" })
  })
  it("trims what the SDK would send with its line break", () => {
    const environment = { AWS_ACCESS_KEY_ID: "id\n", AWS_SECRET_ACCESS_KEY: "secret\r\n" }
    assert.deepEqual(settled(environment, {}).variables, {
      AWS_ACCESS_KEY_ID: "id",
      AWS_SECRET_ACCESS_KEY: "secret"
    })
  })
  it("refuses keys that no header can carry, by name and place", () => {
    const pair = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: '"geheim"' }
    const why = "is in quotes, which docker and kubectl keep as part of the value: remove them"
    for (const [environment, file, place] of [
      [pair, {}, "the environment"],
      [{}, pair, ".env"]
    ] as const) {
      assert.deepEqual(
        resolveS3(environment, file, ".env"),
        Either.left([`AWS_SECRET_ACCESS_KEY in ${place} ${why}`])
      )
    }
  })
  it("names a leftover session token that hides the env file's keys", () => {
    const file = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" }
    assert.deepEqual(
      resolveS3({ AWS_SESSION_TOKEN: "stale" }, file, ".env"),
      Either.left([
        "AWS_SESSION_TOKEN in the environment is set without AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, so those in .env do not count: unset it"
      ])
    )
  })
  it("warns of a profile that hides the env file's keys", () => {
    const file = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "secret" }
    const { warnings } = Either.getOrThrow(resolveS3({ AWS_PROFILE: "work" }, file, ".env"))
    assert.deepEqual(warnings, [
      "AWS_PROFILE in the environment is used: the keys in .env do not count"
    ])
    assert.deepEqual(Either.getOrThrow(resolveS3({ AWS_PROFILE: "work" }, {}, ".env")).warnings, [])
  })
  it("treats a blank variable as not set, and removes it", () => {
    const found = settled({ AWS_PROFILE: "", AWS_REGION: " " }, { AWS_REGION: "eu-west-2" })
    assert.deepEqual(found.variables, { AWS_PROFILE: undefined, AWS_REGION: "eu-west-2" })
  })
  for (const name of ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]) {
    it(`refuses plain http in ${name} except on loopback, and does not repeat the URL`, () => {
      for (const endpoint of [
        "http://s3.lake.test:9000",
        "http://user:geheim@10.0.0.1",
        "http://127.0.0.1.geheim.test",
        "ftp://127.0.0.1",
        "s3.geheim.test"
      ]) {
        for (const [environment, file, where] of [
          [{ [name]: endpoint }, { [name]: "https://s3.test" }, "the environment"],
          [{ [name]: " " }, { [name]: endpoint }, ".env"]
        ] as const) {
          const problem = `${name} in ${where} must be an https URL, or plain http on loopback`
          assert.deepEqual(resolveS3(environment, file, ".env"), Either.left([problem]))
        }
      }
      for (const endpoint of ["https://s3.test", "http://127.0.0.1:9000", "http://localhost"]) {
        assert.ok(Either.isRight(resolveS3({}, { [name]: endpoint }, ".env")), endpoint)
        const file = { [name]: "http://s3.test" }
        assert.ok(Either.isRight(resolveS3({ [name]: endpoint }, file, ".env")), endpoint)
      }
    })
  }
  it("names half of the standard pair, and never completes it from the env file", () => {
    const [id, secret] = [{ AWS_ACCESS_KEY_ID: "id" }, { AWS_SECRET_ACCESS_KEY: "geheim" }]
    for (const [environment, file, problem] of [
      [id, secret, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY in the environment"],
      [secret, {}, "AWS_SECRET_ACCESS_KEY is set without AWS_ACCESS_KEY_ID in the environment"],
      [{}, id, "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY in .env"]
    ] as const) {
      assert.deepEqual(resolveS3(environment, file, ".env"), Either.left([problem]))
    }
  })
  it("names an unsafe endpoint and half a pair at once", () => {
    const file = { AWS_ENDPOINT_URL: "http://s3.test", AWS_ACCESS_KEY: "me" }
    const problems = Either.getOrThrow(Either.flip(resolveS3({}, file, ".env")))
    assert.equal(problems.length, 2)
  })
})
