// Opens an archive as a run does once it is downloaded, and prints how long that took and what is in it.
import { createReadStream } from "node:fs"
import { Effect, Layer, Option, Stream } from "effect"
import * as SpoolFileSystem from "../dist/layers/disk/SpoolFileSystem.js"
import * as UnpackerWorkers from "../dist/layers/unpack/UnpackerWorkers.js"
import { Hour } from "../dist/services/Hour.js"
import { Spool } from "../dist/services/Spool.js"
import { Unpacker } from "../dist/services/Unpacker.js"
import { Window } from "../dist/services/Window.js"

const [file = "", first = "", last = ""] = process.argv.slice(2)

const opening = Effect.gen(function* () {
  const spool = yield* Spool
  const unpacker = yield* Unpacker
  const window = new Window({ first: Hour.make(first), last: Hour.make(last) })
  const bytes = Stream.fromAsyncIterable(createReadStream(file, { highWaterMark: 1 << 20 }), String)
  const name = { identity: "bench", window, askedAt: 0 }
  const archive = yield* spool.save(name, bytes, Option.none())
  const start = performance.now()
  const { hours } = yield* unpacker.open(archive, "jsonl.gz")
  const seconds = (performance.now() - start) / 1000
  return { seconds, hours: Object.fromEntries(hours) }
})

const layers = Layer.merge(SpoolFileSystem.layer({ root: "spool" }), UnpackerWorkers.layer())
const opened = await Effect.runPromise(Effect.provide(Effect.scoped(opening), layers))
process.stdout.write(JSON.stringify(opened))
