import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream } from "effect"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { statusOfHours, type StatusOptions } from "../../../src/programs/inspect/statusOfHours.ts"
import { verifyHours, type VerifyOptions } from "../../../src/programs/inspect/verifyHours.ts"
import { loadHours } from "../../../src/programs/load/loadHours.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { Warehouse } from "../../../src/services/Warehouse.ts"
import { event, hour, makeWorld, passTime, runOptions } from "../../fixtures/world.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const HOURS = { [H20]: [event("a")], [H21]: [event("b") + event("c")], [H22]: [] }
const DATES = { start: hour(H20), end: hour(H22) }
const keyOf = (text: string) => `${text.replace("T", "_")}.jsonl`

/** A lake with three landed hours, a warehouse in memory, and what looks at both. */
const landed = Effect.gen(function* () {
  const world = yield* makeWorld({ amplitude: { hours: HOURS } })
  const depot = yield* WarehouseMemory.makeTest
  const layer = Layer.merge(world.layer, Layer.succeed(Warehouse, depot.service))
  yield* passTime(Effect.provide(allHours(runOptions(H20, H22)), layer))
  world.calls.length = 0
  const run = <A, E>(effect: Effect.Effect<A, E, Layer.Layer.Success<typeof layer>>) =>
    Effect.provide(passTime(effect), layer)
  return {
    ...world,
    ...depot,
    load: run(loadHours({ prefix: "events/" })),
    status: (options: StatusOptions = DATES) =>
      run(statusOfHours({ prefix: "events/", ...options })),
    verify: (options: VerifyOptions = DATES) => run(verifyHours({ prefix: "events/", ...options }))
  }
})
type Lake = Effect.Effect.Success<typeof landed>

/** Puts a line in the place of an object's, with metadata that say so or do not. */
const rewrite = Effect.fn(function* (
  { store }: Lake,
  text: string,
  metadata: Readonly<Record<string, string>>
) {
  const key = keyOf(H21)
  const head = Option.getOrThrow(yield* store.head(key))
  yield* store.remove(key)
  const bytes = Buffer.from(text)
  const sha256 = createHash("sha256").update(bytes).digest("hex")
  yield* store.put({
    key,
    size: bytes.length,
    sha256,
    metadata: { ...head.metadata, ...metadata },
    body: Stream.make(bytes)
  })
})

const only = (text: string) => ({ hours: 1, first: hour(text), last: hour(text) })

describe("statusOfHours() with a warehouse", () => {
  it.effect("tells which hours are loaded, by the listing alone", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      const before = yield* lake.status()
      assert.deepEqual(
        [before.warehouse?.loaded, before.warehouse?.notLoaded, before.exitCode],
        [0, { hours: 3, first: H20, last: H22 }, 3]
      )
      yield* lake.load
      lake.calls.length = 0
      const after = yield* lake.status()
      assert.deepEqual(
        [after.warehouse?.loaded, after.warehouse?.notLoaded, after.exitCode],
        [3, null, 0]
      )
      assert.deepEqual(
        after.hours.map(({ warehouse }) => warehouse),
        ["loaded", "loaded", "loaded"]
      )
      assert.deepEqual([...new Set(lake.calls.map(({ method }) => method))], ["list"])
    })
  )

  it.effect("counts an hour that a load would replace, and one that has gone from the store", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      yield* lake.load
      const old = Option.getOrThrow(yield* lake.store.head(keyOf(H21))).metadata["lineset"] ?? ""
      yield* rewrite(lake, event("z"), {
        lineset: "00000000000f",
        events: "1",
        sha256: "f".repeat(64),
        replaces: old
      })
      yield* lake.store.remove(keyOf(H20))
      const { exitCode, hours, warehouse } = yield* lake.status({})
      assert.deepEqual(
        [warehouse?.outdated, warehouse?.gone, warehouse?.loaded, exitCode],
        [only(H21), only(H20), 1, 3]
      )
      assert.equal(hours.find((it) => it.hour === H21)?.warehouse, "outdated")
    })
  )

  it.effect("names an hour of which store and ledger have different lines", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      yield* lake.load
      yield* rewrite(lake, event("z"), {
        lineset: "00000000000f",
        events: "1",
        sha256: "f".repeat(64)
      })
      const { exitCode, hours, warehouse } = yield* lake.status()
      assert.equal(exitCode, 8)
      assert.deepEqual(
        warehouse?.differing.map(({ hour: at, keys, store }) => [at, keys, store]),
        [[H21, [`events/${keyOf(H21)}`], { events: 1, lineset: "00000000000f" }]]
      )
      assert.equal(hours.find((it) => it.hour === H21)?.warehouse, "conflict")
    })
  )
})

describe("verifyHours() with a warehouse", () => {
  it.effect("reads every stored line, and finds nothing where all is well", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      yield* lake.load
      const { exitCode, warehouse } = yield* lake.verify()
      assert.deepEqual(
        [warehouse?.verified, warehouse?.events, warehouse?.altered, exitCode],
        [3, 3, [], 0]
      )
    })
  )

  const changes: ReadonlyArray<
    readonly [
      what: string,
      at: string,
      (lines: ReadonlyArray<string>) => ReadonlyArray<string>,
      RegExp
    ]
  > = [
    [
      "an altered line",
      H21,
      ([, two = ""]) => [event("x").trim(), two],
      /^lines were altered: lineset \w{12}, and the ledger has \w{12}$/
    ],
    ["a missing line", H21, ([one = ""]) => [one], /^missing lines: 1 of 2$/],
    ["an hour without its lines", H21, () => [], /^missing lines: 2 of 2$/],
    ["a line too many", H20, (lines) => [...lines, "{}"], /^lines beyond the 1 of the ledger: 1$/],
    ["a line of an empty hour", H22, () => ["{}"], /^lines beyond the 0 of the ledger: 1$/]
  ]
  for (const [what, at, change, problem] of changes) {
    it.effect(`names the hour of ${what}`, () =>
      Effect.gen(function* () {
        const lake = yield* landed
        yield* lake.load
        lake.lines.set(hour(at), change(lake.lines.get(hour(at)) ?? []))
        const { differing, exitCode, warehouse } = yield* lake.verify()
        assert.deepEqual([exitCode, differing], [8, []])
        assert.deepEqual(
          warehouse?.altered.map(({ hour: it, isLanded }) => [it, isLanded]),
          [[at, true]]
        )
        assert.match(warehouse?.altered[0]?.problems.join() ?? "", problem)
        assert.equal(warehouse?.verified, 2)
      })
    )
  }

  it.effect("names lines without a ledger row, also of an hour that the store does not have", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      yield* lake.load
      lake.lines.set(hour("2025-11-11T05"), ["{}", "[]"])
      const { exitCode, warehouse } = yield* lake.verify({})
      assert.deepEqual(warehouse?.altered, [
        { hour: "2025-11-11T05", problems: ["lines without a ledger row: 2"], isLanded: false }
      ])
      assert.equal(exitCode, 8)
      assert.deepEqual((yield* lake.verify()).warehouse?.altered, [])
    })
  )

  it.effect("compares the ledger with the lines that it reads from the store", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      yield* lake.load
      // Lines and ledger row were changed together, so that they agree.
      const open = lake.service.open("load")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const warehouse = yield* open
          const [, row] = yield* warehouse.loads
          assert.ok(row !== undefined)
          const text = event("x")
          lake.lines.set(hour("2000-01-01T00"), [text.trim()])
          const digest = yield* warehouse.digestOf(hour("2000-01-01T00"))
          lake.lines.delete(hour("2000-01-01T00"))
          yield* warehouse.load({
            row: { ...row, events: 1, lineset: digest.lineset },
            replaces: row.loadId,
            read: (append) => Effect.orDie(append(Buffer.from(text)))
          })
        })
      )
      const { exitCode, warehouse } = yield* lake.verify()
      assert.equal(exitCode, 8)
      assert.deepEqual(
        warehouse?.altered.map(({ hour: at }) => at),
        [H21]
      )
      assert.match(
        warehouse?.altered[0]?.problems[0] ?? "",
        /^the ledger has 1 lines .* the store 2/
      )
    })
  )

  it.effect("exits with 3 over hours that are not loaded", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      yield* Effect.scoped(lake.service.open("load"))
      const { exitCode, warehouse } = yield* lake.verify()
      assert.deepEqual(
        [warehouse?.notLoaded, warehouse?.altered, exitCode],
        [{ hours: 3, first: H20, last: H22 }, [], 3]
      )
    })
  )

  it.effect("fails where there is no warehouse", () =>
    Effect.gen(function* () {
      const lake = yield* landed
      const error = yield* Effect.flip(lake.verify())
      assert.deepEqual([error._tag, error.reason], ["WarehouseError", "NotFound"])
      assert.equal(error.message, 'There is no warehouse at "memory"')
    })
  )
})
