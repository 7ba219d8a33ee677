import { once } from "node:events"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { Readable } from "node:stream"
import { setImmediate as turn } from "node:timers/promises"
import { describe, it } from "@effect/vitest"
import { Chunk, Effect, Stream } from "effect"
import { assert } from "vitest"
import { sendBody, verified } from "../../../src/layers/cloud/body.ts"
import { bufferAgainAndAgain, objectOf } from "../../contracts/objectStorage.ts"

/** A server that reads nothing of a request until it is told to, and then answers with all of it. */
const server = Effect.acquireRelease(
  Effect.promise(async () => {
    const requests: Array<http.IncomingMessage> = []
    const listening = http.createServer((request, response) => {
      requests.push(request)
      request.on("end", () => response.end())
    })
    listening.listen(0, "127.0.0.1")
    await once(listening, "listening")
    const { port } = listening.address() as AddressInfo
    return { listening, port, requests }
  }),
  ({ listening }) =>
    Effect.promise(async () => {
      listening.closeAllConnections()
      listening.close()
      await once(listening, "close")
    })
)

/** Sends a body as an SDK does, which pipes it into its request. */
const piped = (port: number, size: number) => (body: Readable) =>
  Effect.async<number | undefined>((resume) => {
    const headers = { "content-length": size }
    const request = http.request({ port, method: "PUT", headers, agent: false }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode))
    })
    body.pipe(request)
    return Effect.sync(() => request.destroy())
  })

describe("sendBody()", () => {
  it.scopedLive("pulls a piece only when the request is done with the one before", () =>
    Effect.gen(function* () {
      const { port, requests } = yield* server
      // More than the sockets of both sides hold.
      const { body, bytes } = bufferAgainAndAgain(8 * 1024 ** 2)
      let pulled = 0
      const counted = Stream.tap(body, () => Effect.sync(() => (pulled += 1)))
      const sending = yield* Effect.fork(sendBody(counted, piped(port, bytes.length)))
      let waits = 0
      // It has come to rest, as nobody reads.
      for (let before = -1; waits < 2000 || before !== pulled; waits += 1) {
        before = pulled
        yield* Effect.promise(() => turn())
      }
      assert.isAbove(pulled, 0)
      assert.isBelow(pulled, 5, "it does not wait")
      const [request] = requests
      assert(request !== undefined)
      const arrived: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => arrived.push(chunk))
      assert.strictEqual(yield* sending, 200)
      assert.strictEqual(Buffer.compare(Buffer.concat(arrived), bytes), 0)
    })
  )

  it.live("gives copies to those who read it themselves", () =>
    Effect.gen(function* () {
      const { body, bytes } = bufferAgainAndAgain()
      const read = yield* sendBody(body, (readable) =>
        Effect.promise(async () => {
          const pieces: Array<Uint8Array> = []
          for await (const piece of readable) pieces.push(piece as Uint8Array)
          return Buffer.concat(pieces)
        })
      )
      assert.strictEqual(Buffer.compare(read, bytes), 0)
    })
  )

  it.live("fails with the body, and ends no request then", () =>
    Effect.gen(function* () {
      const ended: Array<string> = []
      const request = { write: () => true, end: () => ended.push("end") }
      const error = yield* Effect.flip(
        sendBody(Stream.fail("cut"), (readable) => {
          readable.pipe(request as never)
          return Effect.never
        })
      )
      assert.strictEqual(error, "cut")
      assert.deepStrictEqual(ended, [])
    })
  )
})

/** How many bytes come of a body, and whether it ends with them. */
const bytesOf = (object: Parameters<typeof verified>[1]) =>
  Stream.runFold(Stream.either(verified("path", object)), { size: 0, last: "" }, (seen, it) =>
    it._tag === "Left"
      ? { ...seen, last: (it.left as { reason: string }).reason }
      : { size: seen.size + it.right.length, last: "bytes" }
  )

const pieces = (...texts: ReadonlyArray<string>) =>
  Stream.fromIterable(texts.map((text) => Buffer.from(text)))

describe("verified()", () => {
  it.effect("holds the last byte back until size and hash are right", () =>
    Effect.gen(function* () {
      const object = objectOf("key", "abcdef")
      for (const [body, size, last] of [
        [pieces("abc", "", "def"), 6, "bytes"],
        [pieces("a", "b", "c", "d", "e", "f", ""), 6, "bytes"],
        [pieces("abc", "deF"), 5, "Corrupt"],
        [pieces("abc", "def", "g"), 5, "Corrupt"],
        [pieces("abc", "defg"), 3, "Corrupt"],
        [pieces("abc", "de"), 5, "Corrupt"]
      ] as const) {
        assert.deepStrictEqual(yield* bytesOf({ ...object, body }), { size, last })
      }
    })
  )

  it.effect("prefers pieces that are lent, and reads them before they change", () =>
    Effect.gen(function* () {
      const { body, bytes } = bufferAgainAndAgain(1000)
      const object = { ...objectOf("key", bytes), body: Stream.die("read"), lent: body }
      const copied = Stream.map(verified("path", object), (piece) => Buffer.from(piece))
      const read = Chunk.toReadonlyArray(yield* Stream.runCollect(copied))
      assert.strictEqual(Buffer.compare(Buffer.concat(read), bytes), 0)
    })
  )
})
