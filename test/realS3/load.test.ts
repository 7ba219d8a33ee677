import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assert } from "vitest"
import type { LoadSummary } from "../../src/programs/load/LoadSummary.ts"
import { temporaryFolder } from "../fixtures/disk.ts"
import { type Ended, run } from "../fixtures/process/program.ts"
import { layer, S3Target } from "../fixtures/s3/s3Target.ts"
import { hour } from "../fixtures/world.ts"

const [H20, H21, H22] = [hour("2025-11-10T20"), hour("2025-11-10T21"), hour("2025-11-10T22")]
const DATES = ["--start-date", H20, "--end-date", H22]
const SOURCE = ["--source", "synthetic", "--events-per-hour", "50"]
const NOW = ["--now", "2025-11-12T12:00:00Z"]
const KEY = "events/2025-11-10_21.jsonl"

/** The program with a store in the target's bucket, and its hands on an object of that. */
const lake = Effect.gen(function* () {
  const { accessKeyId, bucket: Bucket, client, endpoint, secretAccessKey } = yield* S3Target
  const folder = yield* temporaryFolder
  const env = {
    AWS_BUCKET_NAME: Bucket,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: "us-east-1"
  }
  const program = (...args: ReadonlyArray<string>) =>
    run([...args, "--prefix", "events/", ...NOW], { folder, env })
  const expect = (code: number, ...args: ReadonlyArray<string>) =>
    Effect.map(program(...args), (ended) => {
      assert.strictEqual(ended.code, code, `${args.join(" ")}: ${ended.stdout}${ended.stderr}`)
      return ended
    })
  const object = Effect.promise(async () => {
    const { Body, Metadata = {} } = await client.send(new GetObjectCommand({ Bucket, Key: KEY }))
    return { Body: (await Body?.transformToString()) ?? "", Metadata }
  })
  const put = (input: { readonly Body: string; readonly Metadata?: Record<string, string> }) =>
    Effect.promise(() => client.send(new PutObjectCommand({ Bucket, Key: KEY, ...input })))
  const remove = Effect.promise(() => client.send(new DeleteObjectCommand({ Bucket, Key: KEY })))
  /** What a query finds, as it does not ask for the store. */
  const rows = Effect.map(
    run(["sql", "select hour, line, event from amplitude.events_raw order by all"], {
      folder,
      env
    }),
    ({ stdout }) => stdout
  )
  return { expect, object, put, remove, rows }
})

const summaryOf = ({ stdout }: Ended): LoadSummary => JSON.parse(stdout)

describe("load from an S3 server", () => {
  it.layer(layer)((it) => {
    it.scoped(
      "loads once, and changes nothing over an object that was overwritten by hand",
      () =>
        Effect.gen(function* () {
          const { expect, object, put, remove, rows } = yield* lake
          yield* expect(0, "all", ...SOURCE, ...DATES)
          const load = (code: number) => Effect.map(expect(code, "load", "--json"), summaryOf)
          assert.deepStrictEqual((yield* load(0)).loaded, [H20, H21, H22])
          assert.deepStrictEqual((yield* load(0)).skipped, [H20, H21, H22])
          const whole = yield* rows
          const landed = yield* object
          const edited = landed.Body.replace(/"uuid":"./, '"uuid":"x')
          assert.notStrictEqual(edited, landed.Body)

          // As a console does, and as a tool that keeps metadata.
          yield* put({ Body: edited })
          assert.strictEqual((yield* load(8)).differing[0]?.hour, H21)
          yield* put({ ...landed, Body: edited })
          const [conflict] = (yield* load(8)).differing
          assert.match(conflict?.problems?.join() ?? "", /lineset .*, metadata says/)
          assert.strictEqual(yield* rows, whole)
          yield* expect(8, "verify", "--warehouse", "duckdb")

          yield* remove
          yield* expect(0, "all", ...SOURCE, "--start-date", H21, "--end-date", H21)
          assert.deepStrictEqual((yield* load(0)).differing, [])
          assert.strictEqual(yield* rows, whole)
          yield* expect(0, "verify", "--warehouse", "duckdb")
        }),
      120_000
    )
  })
})
