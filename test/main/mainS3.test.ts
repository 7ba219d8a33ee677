import assert from "node:assert/strict"
import { chmod, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { syntheticHour } from "../../src/layers/synthetic/AmplitudeSynthetic.ts"
import { Hour } from "../../src/services/Hour.ts"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { run, startSimulator } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"

const EVENTS = 20
const HOURS = ["--start-date", "2025-11-10T21", "--end-date", "2025-11-10T23"]
const S3_KEYS = ["AKTEST", "SKTEST"] as const
const AMPLITUDE_KEYS = ["amplitude-key", "amplitude-secret"] as const

/** The env files of the older pipelines, as their documents show them. */
const ENV_FILES = {
  "AWS_ACCESS_KEY and AWS_BUCKET_NAME": [
    ["AMP_API_KEY", "AMP_SECRET_KEY"],
    ["AWS_ACCESS_KEY", "AWS_SECRET_KEY"],
    "AWS_BUCKET_NAME"
  ],
  "API_TOKEN, Access_key_ID and AWB_BUCKET_NAME": [
    ["API_TOKEN", "SECRET_KEY"],
    ["Access_key_ID", "Secret_access_key"],
    "AWB_BUCKET_NAME"
  ],
  "AWS_ACCESS_KEY and bucket_name": [
    ["AMP_API_KEY", "AMP_SECRET_KEY"],
    ["AWS_ACCESS_KEY", "AWS_SECRET_KEY"],
    "bucket_name"
  ],
  "AWS_ACCESS_KEY and AWS_BUCKET": [
    ["AMP_API_KEY", "AMP_SECRET_KEY"],
    ["AWS_ACCESS_KEY", "AWS_SECRET_KEY"],
    "AWS_BUCKET"
  ],
  "AWS_PYTHON_USER_ACCESS_KEY and AWS_REGION": [
    ["AMP_API_KEY", "AMP_SECRET_KEY"],
    ["AWS_PYTHON_USER_ACCESS_KEY", "AWS_PYTHON_USER_SECRET_KEY"],
    "AWS_BUCKET_NAME",
    "AWS_REGION=eu-west-2"
  ]
} as const

/** One Export API for all tests: its answers are the same whoever asks. */
class Source extends Context.Tag("test/Source")<Source, string>() {}

const source = Layer.scoped(
  Source,
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const [AMP_API_KEY, AMP_SECRET_KEY] = AMPLITUDE_KEYS
    const env = { AMP_API_KEY, AMP_SECRET_KEY }
    const { origin } = yield* startSimulator(["--events-per-hour", String(EVENTS)], { folder, env })
    return origin
  })
)

/** A bucket in eu-west-2, and a folder whose env file names it and the Export API. */
const workplace = Effect.fn(function* (
  [amplitude, aws, bucket, ...more]: (typeof ENV_FILES)[keyof typeof ENV_FILES],
  options: S3Server.S3ServerOptions = {}
) {
  const folder = yield* temporaryFolder
  const s3 = yield* S3Server.make({ buckets: { lake: "eu-west-2" }, ...options })
  const [apiKey, secretKey] = AMPLITUDE_KEYS
  const lines = [
    `${amplitude[0]}=${apiKey}`,
    `${amplitude[1]}=${secretKey}`,
    `${aws[0]}=${S3_KEYS[0]}`,
    `${aws[1]}=${S3_KEYS[1]}`,
    `${bucket}=lake`,
    ...more,
    `AWS_ENDPOINT_URL_S3=${s3.url}`,
    `AMPLITUDE_URL=${yield* Source}`
  ]
  yield* Effect.promise(async () => {
    await writeFile(join(folder, ".env"), lines.join("\n"))
    await chmod(join(folder, ".env"), 0o600)
  })
  const lake = (...args: ReadonlyArray<string>) =>
    run([...args, "--retry-base-ms", "1"], { folder, env: { AWS_EC2_METADATA_DISABLED: "true" } })
  return { folder, s3, lake }
})

/** The lines that Amplitude has of an hour. */
function linesOf(hour: string): string {
  return [...syntheticHour({ eventsPerHour: EVENTS }, Hour.make(hour))]
    .map(({ lines }) => Buffer.from(lines).toString().replace(/\n?$/, "\n"))
    .join("")
}

const standard = ENV_FILES["AWS_PYTHON_USER_ACCESS_KEY and AWS_REGION"]

layer(source)("amplitude-lake with S3", (it) => {
  for (const [name, file] of Object.entries(ENV_FILES)) {
    it.scoped.runIf(isLong || name === Object.keys(ENV_FILES)[0])(
      `accepts an env file with ${name} unchanged`,
      () =>
        Effect.gen(function* () {
          const { folder, s3, lake } = yield* workplace(file)
          const ended = yield* lake("all", ...HOURS)
          assert.equal(ended.code, 0, ended.stderr)
          const objects = s3.buckets.get("lake")?.objects
          for (const clock of ["21", "22", "23"]) {
            const object = objects?.get(`python-import/2025-11-10_${clock}.jsonl`)
            assert.equal(String(object?.bytes), linesOf(`2025-11-10T${clock}`))
          }
          assert.doesNotMatch(ended.stderr, /NodeVersionSupportWarning|non-retryable|SKTEST/)
          assert.deepEqual(
            (yield* pathsBelow(folder)).filter((path) => /\.(jsonl|zip|part)$/.test(path)),
            []
          )
        })
    )
  }

  it.scoped("makes no call beyond the minimum policy", () =>
    Effect.gen(function* () {
      const { s3, lake } = yield* workplace(standard)
      for (const args of [["all", ...HOURS], ["all", ...HOURS], ["status", ...HOURS], ["list"]]) {
        const ended = yield* lake(...args)
        assert.equal(ended.code, 0, ended.stderr)
      }
      const permissions = new Set(
        s3.requests.map(({ operation }) => S3Server.permissionOf(operation))
      )
      const allowed = ["s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload"]
      assert.deepEqual(
        [...permissions].filter((it) => !allowed.includes(String(it))),
        []
      )
      const writes = s3.requests.filter(({ method }) => method === "PUT")
      assert.ok(writes.every(({ headers }) => headers["if-none-match"] === "*"))
      assert.ok(s3.requests.every(({ method }) => method !== "DELETE"))
    })
  )

  it.scoped.runIf(isLong)(
    "continues in a bucket that older pipelines filled, and says what it did not verify",
    () =>
      Effect.gen(function* () {
        const { s3, lake } = yield* workplace(standard)
        const ended = yield* lake("all", ...HOURS)
        assert.equal(ended.code, 0, ended.stderr)
        const bucket = s3.buckets.get("lake")
        const landed = bucket?.objects.get("python-import/2025-11-10_21.jsonl")
        assert.ok(bucket !== undefined && landed !== undefined)
        bucket.objects.set("python-import/2025-11-10_20.jsonl", { ...landed, headers: {} })
        const part = "python-import/123456_2025-11-10_19#0.json"
        bucket.objects.set(part, { ...landed, headers: {} })

        const puts = s3.requests.filter(({ method }) => method === "PUT").length
        const window = ["--start-date", "2025-11-10T19", "--end-date", "2025-11-10T23"]
        const again = yield* lake("all", ...window, "--json")
        assert.equal(again.code, 0, again.stderr)
        assert.deepEqual((JSON.parse(again.stdout) as { landed: unknown }).landed, [])
        assert.equal(s3.requests.filter(({ method }) => method === "PUT").length, puts)

        const asked = s3.requests.length
        const status = yield* lake("status", ...window)
        assert.match(status.stdout, /^2025-11-10 Mon .* {2}\? # # # #  /m)
        assert.deepEqual(
          s3.requests.slice(asked).map(({ operation }) => operation),
          ["ListObjectsV2"]
        )
      })
  )

  for (const [name, user, code, words] of [
    ["refuses the keys", { AKTEST: { secret: "other" } }, 7, /secret key/],
    [
      "may not list",
      { AKTEST: { secret: "SKTEST", denied: ["s3:ListBucket"] } },
      7,
      /s3:ListBucket/
    ],
    ["may not put", { AKTEST: { secret: "SKTEST", denied: ["s3:PutObject"] } }, 7, /s3:PutObject/]
  ] as const) {
    it.scoped(`exits ${code} before any download if S3 ${name}`, () =>
      Effect.gen(function* () {
        const { s3, lake, folder } = yield* workplace(standard, { users: user })
        const ended = yield* lake("all", ...HOURS)
        assert.equal(ended.code, code)
        assert.match(ended.stderr, words)
        assert.doesNotMatch(ended.stderr, /Exporting .* from Amplitude/)
        assert.equal(s3.buckets.get("lake")?.objects.size, 0)
        assert.ok((yield* pathsBelow(folder)).every((path) => !path.endsWith(".zip")))
      })
    )
  }

  it.scoped("exits 2 before any download if the bucket does not exist", () =>
    Effect.gen(function* () {
      const { lake } = yield* workplace(standard)
      const ended = yield* lake("all", ...HOURS, "--bucket", "elsewhere")
      assert.equal(ended.code, 2)
      assert.match(ended.stderr, /NoSuchBucket.*create the bucket/)
      assert.doesNotMatch(ended.stderr, /Exporting .* from Amplitude/)
    })
  )

  it.scoped("loses nothing while the store is unreachable: fetch, sync 5, sync 0", () =>
    Effect.gen(function* () {
      const { s3, lake, folder } = yield* workplace(standard)
      assert.equal((yield* lake("fetch", ...HOURS)).code, 0)
      s3.setPlan(() => ({ do: "answer", status: 503, code: "SlowDown" }))
      assert.equal((yield* lake("sync", "--retries", "1")).code, 5)
      const staged = (yield* pathsBelow(join(folder, "data"))).filter((path) =>
        /^[^.].*\.jsonl$/.test(path.replace(`${folder}/data/`, ""))
      )
      assert.equal(staged.length, 3)
      s3.setPlan(() => undefined)
      assert.equal((yield* lake("sync")).code, 0)
      assert.equal(s3.buckets.get("lake")?.objects.size, 4)
    })
  )
})
