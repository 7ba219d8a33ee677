import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream, TestClock } from "effect"
import type { Step } from "../../../src/layers/memory/AmplitudeMemory.ts"
import * as FoldersMemory from "../../../src/layers/memory/FoldersMemory.ts"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { checkSetup } from "../../../src/programs/inspect/checkSetup.ts"
import { clockSkew, skewText } from "../../../src/programs/fetch/clockSkew.ts"
import { AmplitudeError } from "../../../src/services/Amplitude.ts"
import { FolderError } from "../../../src/services/Folders.ts"
import { ObjectStorage, ObjectStorageError } from "../../../src/services/ObjectStorage.ts"
import { Warehouse, WarehouseError } from "../../../src/services/Warehouse.ts"
import { event, keysOf, makeWorld } from "../../fixtures/world.ts"

const NOW = "2025-11-12T12:00:00Z"
const HOUR = "2025-11-11T23"
const PLENTY = { work: 5e10, data: 5e10 }

interface Trouble {
  readonly plan?: ReadonlyArray<Step>
  /** Minutes by which Amplitude's clock is ahead. */
  readonly ahead?: number
  readonly store?: {
    readonly reason: ObjectStorageError["reason"]
    readonly method: "check" | "get" | "list"
    /** Fails from this call on. Defaults to 1. */
    readonly from?: number
  }
  readonly folders?: Readonly<Record<string, number | FolderError>>
  /** More objects in the store. */
  readonly keys?: ReadonlyArray<string>
  /** Objects in the store, with the bytes that the listing shows. */
  readonly sizes?: Readonly<Record<string, number>>
}

/** What is found of a set-up with one hour in the store. */
const found = Effect.fnUntraced(function* (trouble: Trouble = {}) {
  yield* TestClock.setTime(Date.parse(NOW))
  const world = yield* makeWorld({
    amplitude: {
      hours: { [HOUR]: [event("a")] },
      date: Date.parse(NOW) + (trouble.ahead ?? 0) * 60_000,
      ...(trouble.plan === undefined ? {} : { plan: trouble.plan })
    },
    store: {
      objects: {
        "2025-11-11_11.jsonl": Buffer.from("{}\n"),
        ...Object.fromEntries(
          [...(trouble.keys ?? []), ...Object.keys(trouble.sizes ?? {})].map((key) => [
            key,
            Buffer.from("")
          ])
        )
      },
      failures: ({ count, method }) => {
        if (trouble.store?.method !== method || count < (trouble.store.from ?? 1)) {
          return Option.none()
        }
        const { reason } = trouble.store
        return Option.some(
          new ObjectStorageError({ reason, method, path: "memory", detail: "do this" })
        )
      }
    },
    now: NOW
  })
  const store = ObjectStorage.of({
    ...world.store,
    list: Stream.map(world.store.list, (info) => ({
      ...info,
      size: trouble.sizes?.[info.key] ?? info.size
    }))
  })
  const layer = Layer.mergeAll(
    world.layer,
    FoldersMemory.layer(trouble.folders ?? PLENTY),
    Layer.succeed(ObjectStorage, store)
  )
  const { checks, exitCode } = yield* Effect.provide(checkSetup({ lagHours: 12 }), layer)
  return {
    ...world,
    exitCode,
    states: Object.fromEntries(checks.map(({ name, state }) => [name, state])),
    messages: Object.fromEntries(checks.map(({ name, message }) => [name, message]))
  }
})

const allOk = {
  keys: "ok",
  clock: "ok",
  store: "ok",
  gaps: "ok",
  conflicts: "ok",
  work: "ok",
  data: "ok",
  inflating: "ok"
}

const refusing =
  (reason: AmplitudeError["reason"]): Step =>
  (window) =>
    new AmplitudeError({ reason, window, detail: "check the keys" })

describe("checkSetup()", () => {
  it.effect("asks for one closed hour, drops it, and lands nothing", () =>
    Effect.gen(function* () {
      const { calls, exitCode, messages, requests, spool, states, store } = yield* found()
      assert.deepEqual([states, exitCode], [allOk, 0])
      assert.deepEqual(yield* requests, [HOUR])
      assert.match(
        messages["keys"] ?? "",
        /2025-11-11T23 was exported as a test, and its archive discarded/
      )
      assert.match(messages["store"] ?? "", /"2025-11-11_11\.jsonl" can be read/)
      assert.match(messages["work"] ?? "", /50\.0 GB free/)
      assert.match(messages["inflating"] ?? "", /not available in this runtime/)
      assert.deepEqual(
        calls.map(({ method }) => method),
        ["check", "list", "get", "list"]
      )
      assert.deepEqual(yield* keysOf(store), ["2025-11-11_11.jsonl"])
      assert.deepEqual(yield* spool.list("memory-123456"), [])
    })
  )

  it.effect("needs room for two archives of the lake's largest hours", () =>
    Effect.gen(function* () {
      // 24 hours of 30 MB zipped are 720 MB.
      const largest = { "2025-11-11_10.jsonl": 300e6, "2025-11-11_09.jsonl.gz": 20e6 }
      const at = (gigabytes: number, sizes: Readonly<Record<string, number>> = largest) =>
        found({ sizes, folders: { ...PLENTY, work: gigabytes * 1e9 } })
      const little = yield* at(1.4)
      assert.deepEqual([little.states["work"], little.exitCode], ["fail", 5])
      assert.match(little.messages["work"] ?? "", /1\.4 GB free.*up to 1\.4 GB/)
      assert.equal((yield* at(1.45)).states["work"], "ok")
      // No archive is larger than Amplitude's limit.
      const vast = { "2025-11-11_10.jsonl": 300e9 }
      assert.equal((yield* at(7.9, vast)).states["work"], "fail")
      assert.equal((yield* at(8, vast)).states["work"], "ok")
    })
  )

  it.effect("fails if the listing of the whole lake breaks off", () =>
    Effect.gen(function* () {
      const broken = yield* found({ store: { reason: "Unavailable", method: "list", from: 2 } })
      assert.equal(broken.states["gaps"], "unknown")
      assert.equal(broken.exitCode, 5)
    })
  )

  it.effect("finds the gaps of the whole lake and its open conflicts", () =>
    Effect.gen(function* () {
      const gaps = yield* found({ keys: ["2025-11-10_00.jsonl"] })
      assert.deepEqual([gaps.states, gaps.exitCode], [{ ...allOk, gaps: "fail" }, 3])
      assert.match(
        gaps.messages["gaps"] ?? "",
        /34 settled hours .* 2025-11-10T01 to 2025-11-11T10/
      )

      const name = "2025-11-11T11--000050c2fa4b--9f86d081884c"
      const mark = `.amplitude-lake-conflicts/${name}`
      const conflict = yield* found({ keys: [mark, "2025-11-10_00.jsonl"] })
      assert.equal(conflict.exitCode, 8)
      assert.match(conflict.messages["conflicts"] ?? "", /two versions exist of 2025-11-11T11/)
      const resolved = yield* found({ keys: [mark, `.amplitude-lake-resolved/${name}`] })
      assert.deepEqual([resolved.states, resolved.exitCode], [allOk, 0])
    })
  )

  it.effect("counts keys as accepted if the hour has no events", () =>
    Effect.gen(function* () {
      const { messages, states } = yield* found({ plan: ["none"] })
      assert.deepEqual(states, allOk)
      assert.match(messages["keys"] ?? "", /no events/)
    })
  )

  it.effect("tries all of it, whatever fails, and exits by the gravest", () =>
    Effect.gen(function* () {
      const locked = new FolderError({ reason: "AccessDenied", path: "data", detail: "let it" })
      const { exitCode, messages, requests, states } = yield* found({
        plan: [refusing("Forbidden")],
        store: { reason: "NotFound", method: "check" },
        folders: { work: 1e8, data: locked }
      })
      assert.deepEqual(states, {
        keys: "fail",
        clock: "unknown",
        store: "fail",
        gaps: "unknown",
        conflicts: "unknown",
        work: "fail",
        data: "fail",
        inflating: "ok"
      })
      assert.equal(exitCode, 7)
      assert.equal((yield* requests).length, 1)
      assert.match(messages["keys"] ?? "", /check the keys/)
      assert.match(messages["store"] ?? "", /do this/)
      assert.match(messages["work"] ?? "", /0\.1 GB free.*free some space/)
    })
  )

  it.effect("has the exit code of each failure by itself", () =>
    Effect.gen(function* () {
      const codes = [
        yield* found({ plan: [refusing("Unauthorized")] }),
        yield* found({ plan: [refusing("Unavailable")] }),
        yield* found({ plan: [refusing("Untrusted")] }),
        yield* found({ store: { reason: "Misconfigured", method: "check" } }),
        yield* found({ store: { reason: "AccessDenied", method: "get" } }),
        yield* found({ folders: { work: 1e6 } }),
        yield* found({ ahead: 20 })
      ].map(({ exitCode }) => exitCode)
      assert.deepEqual(codes, [7, 5, 2, 2, 7, 5, 2])
    })
  )

  it.effect("says by how much the clock here is wrong, from five minutes on", () =>
    Effect.gen(function* () {
      const ahead = yield* found({ ahead: -20 })
      assert.match(
        ahead.messages["clock"] ?? "",
        /20 minutes ahead of Amplitude's clock; synchronize it/
      )
      const behind = yield* found({ ahead: 6 })
      assert.match(behind.messages["clock"] ?? "", /6 minutes behind/)
      const fine = yield* found({ ahead: 4 })
      assert.deepEqual([fine.states["clock"], fine.exitCode], ["ok", 0])
      assert.match(fine.messages["clock"] ?? "", /240 s from/)
    })
  )
})

/** The skew of an answer that took a minute. */
const at = (date: number) =>
  clockSkew({ date: Option.some(date), sent: 100_000, answered: 160_000 })

describe("clockSkew()", () => {
  it("counts neither the time that an answer takes, nor the second that its date leaves out", () => {
    assert.deepEqual([at(99_500), at(130_000), at(160_000)], Array(3).fill(Option.some(0)))
    assert.deepEqual([at(90_000), at(170_000)], [Option.some(9000), Option.some(-10_000)])
    assert.deepEqual(clockSkew({ date: Option.none(), sent: 0, answered: 0 }), Option.none())
    assert.deepEqual(skewText(300_000), Option.none())
    assert.match(Option.getOrThrow(skewText(-301_000)), /5 minutes behind/)
  })
})

const health = { isThere: true, free: 5e10, exposure: "" }
const checked = (
  changed: Partial<Warehouse["Type"]>,
  expectsWarehouse?: boolean,
  isLoaded = true
) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(Date.parse(NOW))
    const world = yield* makeWorld({ amplitude: { hours: { [HOUR]: [event("a")] } }, now: NOW })
    const { service } = yield* WarehouseMemory.makeTest
    if (isLoaded) yield* Effect.scoped(service.open("load"))
    const layer = Layer.mergeAll(
      world.layer,
      FoldersMemory.layer(PLENTY),
      Layer.succeed(Warehouse, Warehouse.of({ ...service, ...changed }))
    )
    const { checks, exitCode } = yield* Effect.provide(checkSetup({ expectsWarehouse }), layer)
    const [check] = checks.filter(({ name }) => name === "warehouse")
    return { check, exitCode }
  })

describe("checkSetup() of a warehouse", () => {
  it.effect("says how many hours are loaded, and how much space there is", () =>
    Effect.gen(function* () {
      const { check } = yield* checked({ health: Effect.succeed(health) })
      assert.deepEqual(
        [check?.state, check?.message],
        ["ok", '"memory": 0 hours loaded, 50.0 GB free']
      )
    })
  )

  it.effect("names one that does not exist only where it is expected, as no failure", () =>
    Effect.gen(function* () {
      assert.equal((yield* checked({}, false, false)).check, undefined)
      const { check } = yield* checked({}, true, false)
      assert.deepEqual(
        [check?.state, check?.message],
        ["ok", '"memory" does not exist yet: load makes it']
      )
    })
  )

  it.effect("fails over what others can read, over a busy one, and over a full disk", () =>
    Effect.gen(function* () {
      const exposed = { ...health, exposure: "every user can read it" }
      const [open, full] = [
        yield* checked({ health: Effect.succeed(exposed) }),
        yield* checked({ health: Effect.succeed({ ...health, free: 1e8 }) })
      ]
      assert.deepEqual(
        [open.check?.state, open.check?.error],
        ["fail", "WarehouseError.Misconfigured"]
      )
      assert.match(open.check?.message ?? "", /every user can read it/)
      assert.deepEqual([full.check?.state, full.check?.error], ["fail", "WarehouseError.NoSpace"])
      const busy = new WarehouseError({
        reason: "Busy",
        method: "open",
        path: "memory",
        detail: "held"
      })
      const held = yield* checked({ open: () => Effect.fail(busy) })
      assert.deepEqual([held.check?.state, held.check?.error], ["fail", "WarehouseError.Busy"])
    })
  )
})
