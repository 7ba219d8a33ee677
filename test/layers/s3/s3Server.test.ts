import { connect } from "node:net"
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { assert } from "vitest"
import { assemble, createUpload, md5, uploadOf } from "../../fixtures/s3/_s3Buckets.ts"
import * as S3Server from "../../fixtures/s3/s3Server.ts"
import { makeClient } from "../../fixtures/s3/s3Target.ts"

const setUp = Effect.gen(function* () {
  const server = yield* S3Server.make({ buckets: { lake: "us-east-1" } })
  const keys = { accessKeyId: "AKTEST", secretAccessKey: "SKTEST" }
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => makeClient({ endpoint: server.url, ...keys })),
    (client) => Effect.sync(() => client.destroy())
  )
  const objects = server.buckets.get("lake")?.objects
  assert.isDefined(objects)
  return { server, client, objects }
})

interface Changed {
  readonly headers: Record<string, string>
  body: unknown
}

/**
 * Puts "bytes" by a request that is changed after it was signed, and gives the code of the refusal.
 */
const refusalOf = (client: S3Client, change: (request: Changed) => void) =>
  Effect.promise(async () => {
    const command = new PutObjectCommand({ Bucket: "lake", Key: "key", Body: "bytes" })
    command.middlewareStack.add(
      (next) => (args) => {
        change(args.request as Changed)
        return next(args)
      },
      { step: "finalizeRequest", priority: "low", name: "tamper" }
    )
    return await client.send(command).then(
      () => "taken",
      (cause: Error) => cause.name
    )
  })

/** Says something on a raw socket, hangs up, and gives what was answered. */
const say = (url: string, text: string) =>
  Effect.async<string>((resume) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1")
    let heard = ""
    socket.on("data", (data) => (heard += data.toString()))
    socket.on("close", () => resume(Effect.succeed(heard)))
    socket.end(text)
  })

describe("the S3 server of the tests", () => {
  for (const [title, code, change] of [
    [
      "another body than was signed",
      "XAmzContentSHA256Mismatch",
      (request: Changed) => {
        request.body = "other"
      }
    ],
    [
      "a header changed after signing",
      "SignatureDoesNotMatch",
      ({ headers }: Changed) => {
        headers["x-amz-content-sha256"] = "0".repeat(64)
      }
    ],
    [
      "an amz header that was not signed",
      "AccessDenied",
      ({ headers }: Changed) => {
        headers["x-amz-meta-late"] = "late"
      }
    ],
    [
      "no signature at all",
      "AccessDenied",
      ({ headers }: Changed) => {
        delete headers["authorization"]
      }
    ],
    [
      "a signature of another form",
      "AuthorizationHeaderMalformed",
      ({ headers }: Changed) => {
        headers["authorization"] = "Basic QUs6U0s="
      }
    ],
    [
      "a date of long ago",
      "RequestTimeTooSkewed",
      ({ headers }: Changed) => {
        headers["x-amz-date"] = "20200101T000000Z"
      }
    ]
  ] as const) {
    it.scoped(`refuses ${title}`, () =>
      Effect.gen(function* () {
        const { client, objects } = yield* setUp
        assert.strictEqual(yield* refusalOf(client, change), code)
        assert.strictEqual(objects.size, 0)
        assert.strictEqual(yield* refusalOf(client, () => {}), "taken")
      })
    )
  }

  it.scoped("keeps no object if its body ends early", () =>
    Effect.gen(function* () {
      const { client, objects, server } = yield* setUp
      server.setPlan(() => void setImmediate(() => client.destroy()))
      const code = yield* refusalOf(client, (request) => {
        request.headers["content-length"] = "6"
      })
      assert.notStrictEqual(code, "taken")
      assert.strictEqual(objects.size, 0)
      assert.strictEqual(server.requests.length, 1)
    })
  )

  it.scoped("answers 501 to an unknown operation", () =>
    Effect.gen(function* () {
      const { server } = yield* setUp
      const heard = yield* say(
        server.url,
        "PATCH /lake/key HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
      )
      assert.match(heard, /^HTTP\/1\.1 501 /)
    })
  )

  it.scoped("keeps no signature on its record", () =>
    Effect.gen(function* () {
      const { client, server } = yield* setUp
      yield* refusalOf(client, () => {})
      const [request] = server.requests
      assert.strictEqual(request?.operation, "PutObject")
      assert.notInclude(JSON.stringify(request), "Signature=")
    })
  )

  it.scoped("does as the plan of the test says, and counts", () =>
    Effect.gen(function* () {
      const { client, objects, server } = yield* setUp
      server.setPlan(({ count }) =>
        count === 1
          ? { do: "answer", status: 503, code: "SlowDown" }
          : { do: "storeThenAnswer", status: 500, code: "InternalError" }
      )
      assert.strictEqual(yield* refusalOf(client, () => {}), "SlowDown")
      assert.strictEqual(objects.size, 0)
      assert.strictEqual(yield* refusalOf(client, () => {}), "InternalError")
      assert.strictEqual(objects.size, 1)
    })
  )

  it("takes parts in their order only, and the size that was announced", () => {
    const lake = {
      region: "",
      objects: new Map(),
      uploads: new Map(),
      configurations: new Map()
    }
    const id = createUpload(lake, "key", {}, { algorithm: undefined, type: undefined })
    const upload = uploadOf(lake, "key", id)
    const parts = [1, 2].map((number) => {
      const bytes = Buffer.from(`part ${number}`)
      upload.parts.set(number, {
        bytes,
        etag: md5(bytes),
        modified: new Date(),
        checksum: undefined
      })
      return { number, etag: md5(bytes), checksum: undefined }
    })
    const announced = { checksum: undefined, size: undefined }
    assert.throws(() => assemble(upload, parts.toReversed(), announced, 1), "InvalidPartOrder")
    assert.throws(() => assemble(upload, parts, { ...announced, size: 7 }, 1), "mp-object-size")
    assert.strictEqual(assemble(upload, parts, announced, 1).bytes.toString(), "part 1part 2")
  })
})
