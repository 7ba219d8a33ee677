import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { describe, it } from "@effect/vitest"
import type { Effect } from "effect"
import { expectTypeOf } from "vitest"
import type {
  allHours,
  Amplitude,
  Clock,
  fetchHours,
  ObjectStorage,
  planHours,
  recheckWindow,
  RunError,
  Spool,
  Staging,
  statusOfHours,
  syncHours,
  Unpacker
} from "../src/mod.ts"

type Needs<Program extends (...args: never) => Effect.Effect<unknown, unknown, unknown>> =
  Effect.Effect.Context<ReturnType<Program>>
type Fails<Program extends (...args: never) => Effect.Effect<unknown, unknown, unknown>> =
  Effect.Effect.Error<ReturnType<Program>>

type Pipeline = Amplitude | Clock | ObjectStorage | Spool | Staging | Unpacker

describe("mod", () => {
  it("names what each program needs, and how it may fail", () => {
    expectTypeOf<Needs<typeof allHours>>().toEqualTypeOf<Pipeline>()
    expectTypeOf<Needs<typeof fetchHours>>().toEqualTypeOf<Pipeline>()
    expectTypeOf<Needs<typeof recheckWindow>>().toEqualTypeOf<Pipeline>()
    expectTypeOf<Needs<typeof syncHours>>().toEqualTypeOf<ObjectStorage | Staging | Unpacker>()
    expectTypeOf<Needs<typeof planHours>>().toEqualTypeOf<Clock | ObjectStorage | Staging>()
    expectTypeOf<Needs<typeof statusOfHours>>().toEqualTypeOf<Clock | ObjectStorage | Staging>()
    expectTypeOf<Fails<typeof allHours>>().toExtend<RunError>()
  })

  it("loads no SDK and no layer", () => {
    const report = `
      const { register } = await import("node:module")
      const hooks = 'export async function resolve(specifier, context, next) {' +
        'const found = await next(specifier, context); console.log(found.url); return found }'
      register("data:text/javascript," + encodeURIComponent(hooks))
      await import("./dist/mod.js")
    `
    const urls = execFileSync(process.execPath, ["--input-type=module", "-e", report], {
      encoding: "utf8"
    }).split("\n")
    assert.ok(urls.some((url) => url.endsWith("/dist/programs/landMissing.js")))
    const unwanted =
      /\/layers\/|\/cli\/|undici|yauzl|fflate|commander|platform-node|@aws-sdk|@azure/
    assert.deepEqual(
      urls.filter((url) => unwanted.test(url)),
      []
    )
  })
})
