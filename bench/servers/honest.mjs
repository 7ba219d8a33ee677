// The tests' own S3, which checks every request: the store if Ceph is not installed.
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Effect, Exit, Scope } from "effect"
import { build } from "rolldown"

const [folder = ".", bucket = ""] = process.argv.slice(2)
const file = join(folder, "honest.js")
await build({
  input: "test/fixtures/s3/s3Server.ts",
  platform: "node",
  external: /^effect/,
  logLevel: "silent",
  output: { file }
})
const { make } = await import(pathToFileURL(file).href)
const scope = Effect.runSync(Scope.make())
const server = await Effect.runPromise(
  Scope.extend(make({ buckets: { [bucket]: "us-east-1" } }), scope)
)

process.once("disconnect", () => {
  void Effect.runPromise(Scope.close(scope, Exit.void)).then(() => process.exit())
})
process.send?.({ url: server.url })
