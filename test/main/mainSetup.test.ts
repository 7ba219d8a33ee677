import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { run } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"

const KEY = "arn:aws:kms:eu-west-2:111122223333:key/1234abcd"

const workplace = (options: S3Server.S3ServerOptions) =>
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    const s3 = yield* S3Server.make(options)
    const env = {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ACCESS_KEY_ID: "AKTEST",
      AWS_SECRET_ACCESS_KEY: "SKTEST",
      AWS_BUCKET_NAME: "lake"
    }
    const setup = (...args: ReadonlyArray<string>) =>
      run(["setup", "bucket", ...args, "--retry-base-ms", "1"], { folder, env })
    return { s3, setup }
  })

const queue = (id: string, prefix: string) =>
  `<QueueConfiguration><Id>${id}</Id><Queue>arn:aws:sqs:eu-west-2:111122223333:${id}</Queue><Event>s3:ObjectCreated:*</Event><Filter><S3Key><FilterRule><Name>prefix</Name><Value>${prefix}</Value></FilterRule></S3Key></Filter></QueueConfiguration>`

const statesOf = (stdout: string) =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(0, 14).trim())

describe("amplitude-lake setup bucket", () => {
  it.scopedLive("shows what differs, changes it with --apply, and then has nothing to do", () =>
    Effect.gen(function* () {
      const { s3, setup } = yield* workplace({ buckets: { lake: "eu-west-2" } })
      const asked = ["--kms-key", KEY, "--require-if-none-match", "--abort-days", "3"]
      const set = s3.buckets.get("lake")?.configurations

      const shown = yield* setup(...asked)
      assert.equal(shown.code, 3, shown.stderr)
      assert.deepEqual(statesOf(shown.stdout), [
        "same",
        ...Array(5).fill("would change"),
        "5 settings wou"
      ])
      assert.match(
        shown.stdout,
        /^would change {2}uploads {8}never aborted -> aborted after 3 days$/m
      )
      assert.equal(set?.size, 0)

      const applied = yield* setup(...asked, "--apply")
      assert.equal(applied.code, 0, applied.stdout)
      assert.deepEqual(statesOf(applied.stdout), ["same", ...Array(5).fill("changed")])
      assert.match(set?.get("encryption")?.body ?? "", new RegExp(`${KEY}.*<BucketKeyEnabled>true`))

      const writes = s3.requests.filter(({ method }) => method === "PUT").length
      const again = yield* setup(...asked, "--apply", "--json")
      assert.equal(again.code, 0, again.stdout)
      const { exitCode, items, place } = JSON.parse(again.stdout)
      assert.deepEqual([place, exitCode], ["s3://lake", 0])
      assert.ok(items.every(({ state }: { readonly state: string }) => state === "same"))
      assert.equal(s3.requests.filter(({ method }) => method === "PUT").length, writes)
      assert.equal(again.stderr, "")
    })
  )

  it.scopedLive("has a queue told of new hours, and leaves those of others", () =>
    Effect.gen(function* () {
      const { s3, setup } = yield* workplace({ buckets: { lake: "eu-west-2" } })
      const set = s3.buckets.get("lake")?.configurations
      const setQueues = (...queues: ReadonlyArray<string>) =>
        set?.set("notification", {
          body: `<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EventBridgeConfiguration/>${queues.join("")}</NotificationConfiguration>`,
          headers: {}
        })
      const QUEUE = "arn:aws:sqs:eu-west-2:123456789012:sf-snowpipe-AIDA"
      const told = ["--notify-queue", QUEUE]

      setQueues(queue("theirs", "logs/"))
      const shown = yield* setup(...told)
      assert.match(
        shown.stdout,
        /^would change {2}notification +that queue is not told -> new obj/m
      )
      const applied = yield* setup(...told, "--apply")
      assert.equal(applied.code, 0, applied.stdout)
      const { body = "" } = set?.get("notification") ?? {}
      assert.match(body, /<EventBridgeConfiguration/)
      assert.match(body, /:theirs<\/Queue>.*<Value>logs\/<\/Value>/s)
      assert.match(
        body,
        /sf-snowpipe-AIDA<\/Queue>.*ObjectCreated:\*.*<Value>python-import\/<\/Value>/s
      )
      const again = yield* setup(...told)
      assert.equal(again.code, 0, again.stdout)

      setQueues(queue("theirs", ""))
      const refused = yield* setup(...told, "--apply")
      assert.equal(refused.code, 3, refused.stdout)
      assert.match(refused.stdout, /^cannot +notification .*:theirs already .* SNS topic/m)
    })
  )

  it.scopedLive("names each missing permission, and does everything else", () =>
    Effect.gen(function* () {
      const denied = ["s3:PutLifecycleConfiguration", "s3:GetBucketPolicy"]
      const { setup } = yield* workplace({
        buckets: { lake: "eu-west-2" },
        users: { AKTEST: { secret: "SKTEST", denied } }
      })
      const { code, stdout } = yield* setup("--require-if-none-match", "--apply")
      assert.equal(code, 7)
      assert.deepEqual(statesOf(stdout), ["same", "changed", "changed", "same", "cannot", "cannot"])
      for (const action of denied) {
        assert.match(stdout, new RegExp(`Allow ${action} on arn:aws:s3:::lake \\(`))
      }
    })
  )

  it.scopedLive("creates no bucket if no region is set", () =>
    Effect.gen(function* () {
      const { s3, setup } = yield* workplace({})
      const { code, stdout } = yield* setup("--apply")
      assert.equal(code, 2)
      assert.match(stdout, /^cannot +bucket +s3:\/\/lake does not exist.*set AWS_REGION/m)
      assert.equal(s3.buckets.size, 0)
    })
  )
})

const iam = (...args: ReadonlyArray<string>) =>
  Effect.flatMap(temporaryFolder, (folder) =>
    run(["setup", "iam", "--bucket", "lake", ...args], { folder })
  )

describe("amplitude-lake setup iam", () => {
  it.scopedLive("prints each policy in the form that aws iam accepts, without a network call", () =>
    Effect.gen(function* () {
      const who = ["--trusted-arn", "arn:aws:iam::111122223333:user/snow", "--external-id", "X_1="]
      const all = yield* iam(...who, "--kms-key", KEY, "--json")
      assert.equal(all.code, 0, all.stderr)
      const { policies } = JSON.parse(all.stdout)
      assert.deepEqual(Object.keys(policies), ["writer", "maintainer", "reader", "trust"])
      const trust = yield* iam(...who, "--only", "trust")
      assert.deepEqual(JSON.parse(trust.stdout), policies.trust)
      assert.deepEqual(Object.keys(policies.trust), ["Version", "Statement"])
      const none = yield* iam()
      assert.deepEqual(Object.keys(JSON.parse(none.stdout)), ["writer", "maintainer", "reader"])
    })
  )
})
