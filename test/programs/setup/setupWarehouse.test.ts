import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import * as WarehouseSetupMemory from "../../../src/layers/memory/WarehouseSetupMemory.ts"
import {
  describeWarehouse,
  setupWarehouse,
  warehouseScript
} from "../../../src/programs/setup/setupWarehouse.ts"
import { WarehouseError } from "../../../src/services/Warehouse.ts"

const setUp = (apply = false) =>
  Effect.gen(function* () {
    const retrying = { retries: 2, retryBase: Duration.seconds(1) }
    const running = yield* Effect.fork(setupWarehouse({ ...retrying, apply }))
    yield* TestClock.adjust("1 minute")
    const { exitCode, items } = yield* Fiber.join(running)
    return { exitCode, items, states: items.map(({ name, state }) => `${name}: ${state}`) }
  })

const failing = (reason: WarehouseError["reason"]) =>
  new WarehouseError({ reason, method: "set up", path: "memory:warehouse", detail: "because" })

const schema = { name: "schema" }
const stage = { name: "stage", needs: ["schema"], wanted: { url: "s3://lake/" } }
const grants = {
  name: "grants",
  needs: ["schema"],
  wanted: { "SELECT on A": "granted", "SELECT on B": "granted" },
  additions: ["SELECT on A", "SELECT on B"]
}

describe("setupWarehouse()", () => {
  it.effect("shows what is missing and makes nothing, then makes it, then has nothing to do", () =>
    Effect.gen(function* () {
      for (let time = 0; time < 2; time++) {
        const { exitCode, items } = yield* setUp()
        assert.equal(exitCode, 3)
        assert.deepEqual(items, [
          { name: "schema", state: "would change", message: "there", from: "missing" },
          { name: "stage", state: "would change", message: "url s3://lake/", from: "missing" }
        ])
      }
      const applied = yield* setUp(true)
      assert.deepEqual(
        [applied.states, applied.exitCode],
        [["schema: changed", "stage: changed"], 0]
      )
      for (const apply of [false, true]) {
        const { exitCode, states } = yield* setUp(apply)
        assert.deepEqual([states, exitCode], [["schema: same", "stage: same"], 0])
      }
      assert.deepEqual(yield* warehouseScript, ["make schema", "make stage"])
    }).pipe(Effect.provide(WarehouseSetupMemory.layer({ parts: [schema, stage] })))
  )

  it.effect("adds what can be added, and names only that", () =>
    Effect.gen(function* () {
      const { exitCode, items } = yield* setUp(true)
      assert.equal(exitCode, 0)
      assert.deepEqual(items.at(-1), {
        name: "grants",
        state: "changed",
        message: "SELECT on B granted",
        from: "SELECT on B missing"
      })
    }).pipe(
      Effect.provide(
        WarehouseSetupMemory.layer({
          parts: [
            { ...schema, found: {} },
            { ...grants, found: { "SELECT on A": "granted", "SELECT on C": "granted" } }
          ]
        })
      )
    )
  )

  it.effect("leaves what somebody else chose, says so, and goes on", () =>
    Effect.gen(function* () {
      for (const apply of [false, true]) {
        const { exitCode, items, states } = yield* setUp(apply)
        assert.equal(exitCode, 3)
        assert.equal(states[1], "stage: cannot")
        assert.match(
          items[1]?.message ?? "",
          /^url s3:\/\/theirs\/, not url s3:\/\/lake\/: somebody/
        )
        assert.equal(states[2], apply ? "grants: changed" : "grants: would change")
      }
    }).pipe(
      Effect.provide(
        WarehouseSetupMemory.layer({
          parts: [
            { ...schema, found: {} },
            { ...stage, found: { url: "s3://theirs/" } },
            { ...grants, found: {} }
          ]
        })
      )
    )
  )

  const failures: ReadonlyArray<readonly [WarehouseError["reason"], number, exitCode: number]> = [
    ["AccessDenied", 2, 7],
    ["Unavailable", 0, 5],
    ["Misconfigured", 0, 2]
  ]
  for (const [reason, position, expected] of failures) {
    it.effect(`exits with ${expected} if a part is ${reason}, and leaves what needs it`, () =>
      Effect.gen(function* () {
        const { exitCode, items, states } = yield* setUp(true)
        assert.equal(exitCode, expected)
        assert.equal(items[position]?.error, `WarehouseError.${reason}`)
        if (position === 0) assert.equal(items[1]?.message, "needs schema")
        else assert.deepEqual(states.slice(0, 2), ["schema: changed", "stage: changed"])
      }).pipe(
        Effect.provide(
          WarehouseSetupMemory.layer({
            parts: [schema, stage, ...(position === 2 ? [grants] : [])],
            failing:
              position === 0
                ? { "read schema": failing(reason) }
                : { "make grants": failing(reason) }
          })
        )
      )
    )
  }

  it.effect("believes no change that it cannot see", () =>
    Effect.gen(function* () {
      const { exitCode, items } = yield* setUp(true)
      assert.equal(exitCode, 7)
      assert.equal(items[0]?.state, "cannot")
      assert.match(items[0]?.message ?? "", /hidden from the role/)
    }).pipe(Effect.provide(WarehouseSetupMemory.layer({ parts: [schema], forgets: ["schema"] })))
  )
})

describe("describeWarehouse()", () => {
  const access = {
    integration: "LAKE",
    trustedArn: "arn:aws:iam::123456789012:user/a",
    externalId: "X=1",
    consentUrl: null,
    application: null,
    queue: null
  }

  it.effect("tells as whom the warehouse reads the store", () =>
    Effect.gen(function* () {
      assert.deepEqual(yield* describeWarehouse({}), access)
    }).pipe(Effect.provide(WarehouseSetupMemory.layer({ parts: [], access })))
  )

  it.effect("says if that is not known yet", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(describeWarehouse({}))
      assert.equal(reason, "NotFound")
    }).pipe(Effect.provide(WarehouseSetupMemory.layer({ parts: [] })))
  )
})
