import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { crc32 } from "node:zlib"
import {
  Deferred,
  Effect,
  Either,
  Layer,
  Logger,
  LogLevel,
  Option,
  Stream,
  TestContext
} from "effect"
import * as fc from "fast-check"
import * as ObjectStorageMemory from "../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../src/layers/memory/SpoolMemory.ts"
import { listGaps } from "../../src/programs/inspect/listGaps.ts"
import { statusOfHours } from "../../src/programs/inspect/statusOfHours.ts"
import { acceptGaps } from "../../src/programs/resolve/acceptGaps.ts"
import { resolveConflict } from "../../src/programs/resolve/resolveConflict.ts"
import { withdrawGaps } from "../../src/programs/resolve/withdrawGaps.ts"
import { allHours, fetchHours, type RunOptions, syncHours } from "../../src/programs/runPipeline.ts"
import { addHours, type Hour, hourAt, hourEnd } from "../../src/services/Hour.ts"
import { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import { Spool } from "../../src/services/Spool.ts"
import { Staging } from "../../src/services/Staging.ts"
import { objectOf } from "../contracts/objectStorage.ts"
import { isLong, SECONDS } from "../fixtures/long.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions, textOf } from "../fixtures/world.ts"

/** What happens to a lake over the months, one after the other. */
type Action =
  | { readonly do: "wait"; readonly hours: number }
  | { readonly do: "all" | "fetch" | "sync"; readonly machine: 0 | 1 }
  /** A run that is killed at a call to the store: before it is made, or when it is done. */
  | {
      readonly do: "kill"
      readonly program: "all" | "fetch" | "sync"
      readonly machine: 0 | 1
      readonly call: number
      readonly when: "before" | "after"
    }
  | { readonly do: "byDate"; readonly daysAgo: number; readonly days: number }
  | { readonly do: "accept"; readonly daysAgo: number; readonly days: number }
  | { readonly do: "withdraw"; readonly which: number }
  /** Another writer lands another version of an hour between `fetch` and `sync`. */
  | { readonly do: "overtake"; readonly machine: 0 | 1; readonly which: number }
  /** A run of another project, with a lake of its own, that shares the machine's staging and spool. */
  | {
      readonly do: "neighbour"
      readonly program: "all" | "fetch" | "sync"
      readonly machine: 0 | 1
    }
  /** An hour lands and is replaced in the store, while another machine still has the old version staged. */
  | { readonly do: "replace"; readonly machine: 0 | 1; readonly which: number }
  /** A person ends an open conflict, on a machine that may lack our copy. */
  | { readonly do: "resolve"; readonly machine: 0 | 1; readonly keep: "store" | "ours" }

const machine = fc.constantFrom(0 as const, 1 as const)
const dates = { daysAgo: fc.integer({ min: 0, max: 12 }), days: fc.integer({ min: 1, max: 6 }) }
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("wait"), hours: fc.integer({ min: 1, max: 130 }) })
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("all"), machine }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom("fetch", "sync"), machine }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("kill"),
      program: fc.constantFrom("all", "all", "fetch", "sync"),
      machine,
      call: fc.nat(40),
      when: fc.constantFrom("before", "after")
    })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("byDate"), ...dates }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("accept"), ...dates }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("withdraw"), which: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("overtake"), machine, which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("replace"), machine, which: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("neighbour"),
      program: fc.constantFrom("all", "fetch", "sync"),
      machine
    })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("resolve"),
      machine,
      keep: fc.constantFrom("store", "ours")
    })
  }
) as fc.Arbitrary<Action>

const BEGIN = Date.parse("2025-11-01T12:30:00Z")
const HOUR = 3_600_000
const SETTLE_HOURS = 24

const hours = Object.fromEntries(
  Array.from({ length: 90 * 24 }, (_, index) => addHours(hour("2025-10-15T00"), index))
    // One hour in five never has events.
    .filter((_, index) => index % 5 !== 3)
    .map((at) => [at, [event(at)]])
)

/** The hours of another project. */
const neighbours = Object.fromEntries(
  Object.keys(hours).map((at) => [at, [event(`${at} of the neighbour`)]])
)

const options = (more: Partial<RunOptions> = {}): RunOptions => ({
  ...runOptions(),
  healDays: 2,
  settleHours: SETTLE_HOURS,
  ...more
})

/** What the keys alone say: written apart from the program that is tested. */
function readKeys(keys: ReadonlyArray<string>) {
  const namesBelow = (folder: string) =>
    keys.filter((key) => key.startsWith(folder)).map((key) => key.slice(folder.length))
  const open = (folder: string, counterpart: string) =>
    namesBelow(folder).filter((name) => !namesBelow(counterpart).includes(name))
  return {
    landed: new Set(
      keys.flatMap((key) => {
        const [, date, clock] = /^(\d{4}-\d\d-\d\d)_(\d\d)\.jsonl$/.exec(key) ?? []
        return date === undefined ? [] : [`${date}T${clock}`]
      })
    ),
    accepted: open(".amplitude-lake-accepted/", ".amplitude-lake-withdrawn/").map(
      (name) => name.split("--") as [string, string, string]
    ),
    conflicts: open(".amplitude-lake-conflicts/", ".amplitude-lake-resolved/")
  }
}

/** The settled hours from the first landed one to `last` that are neither landed nor accepted. */
function missing(keys: ReadonlyArray<string>, now: number, last: Hour): ReadonlyArray<Hour> {
  const { accepted, landed } = readKeys(keys)
  const [first] = [...landed].sort()
  if (first === undefined) return []
  const found: Array<Hour> = []
  for (let at = hour(first); at <= last && hourEnd(at) + SETTLE_HOURS * HOUR <= now;) {
    if (!landed.has(at) && !accepted.some(([from, to]) => from <= at && at <= to)) found.push(at)
    at = addHours(at, 1)
  }
  return found
}

/** The hour of a key. */
const dated = (key: string) => key.replace("_", "T").replace(".jsonl", "")

const programs = { all: allHours, fetch: fetchHours, sync: syncHours }

/** What really occurred in the lakes. */
const seen = {
  kill: 0,
  accept: 0,
  withdraw: 0,
  conflict: 0,
  resolve: 0,
  neighbour: 0,
  replace: 0
}
/** A lake that sees all of it. Whether a random one does depends on its seed. */
const EVERYTHING: ReadonlyArray<Action> = [
  { do: "all", machine: 0 },
  { do: "wait", hours: 30 },
  { do: "overtake", machine: 0, which: 0 },
  { do: "resolve", machine: 1, keep: "store" },
  { do: "wait", hours: 30 },
  { do: "replace", machine: 0, which: 0 },
  { do: "wait", hours: 30 },
  { do: "kill", program: "all", machine: 1, call: 5, when: "after" },
  { do: "neighbour", program: "all", machine: 0 },
  { do: "accept", daysAgo: 2, days: 1 },
  { do: "withdraw", which: 0 },
  { do: "all", machine: 0 }
]

/** A store that answers nothing any more from one of its calls on, which `died` announces. */
const mortal = Effect.fnUntraced(function* (
  inner: ObjectStorage["Type"],
  last: number,
  when: "before" | "after"
) {
  const died = yield* Deferred.make<void>()
  let calls = 0
  const dead = Effect.interruptible(Effect.never)
  const die = Effect.zipRight(Deferred.succeed(died, undefined), dead)
  const call = <A, E>(self: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.suspend(() => {
      const number = calls++
      if (number < last) return self
      if (number > last) return dead
      return when === "before" ? die : Effect.zipRight(self, die)
    })
  const store = ObjectStorage.of({
    ...inner,
    list: Stream.unwrap(call(Effect.succeed(inner.list))),
    head: (key) => call(inner.head(key)),
    get: (key) => Stream.unwrap(call(Effect.succeed(inner.get(key)))),
    put: (object, options) => call(inner.put(object, options))
  })
  return { died: Deferred.await(died), store }
})

const live = Effect.fn("live")(function* (actions: ReadonlyArray<Action>) {
  const world = yield* makeWorld({ amplitude: { hours }, store: { prefix: "lake/" } })
  const beside = yield* ObjectStorageMemory.make({ prefix: "neighbour/" })
  const machines = yield* Effect.forEach([0, 1], () =>
    Effect.gen(function* () {
      const staging = yield* ObjectStorageMemory.make()
      const spool = yield* SpoolMemory.make()
      return {
        staging,
        own: Layer.merge(Layer.succeed(Staging, staging), Layer.succeed(Spool, spool))
      }
    })
  )
  let now = BEGIN
  const on = (which: number) =>
    Effect.map(world.of({ hours }, new Date(now).toISOString()), ({ layer }) =>
      Layer.merge(layer, machines[which]?.own ?? Layer.empty)
    )
  const run = <A, E>(
    which: number,
    program: Effect.Effect<A, E, Layer.Layer.Success<typeof world.layer>>
  ) => Effect.flatMap(on(which), (layer) => passTime(Effect.provide(program, layer)))
  /** A run of the neighbour, green only over its own lake without a hole. */
  const runNeighbour = Effect.fnUntraced(function* (which: number, program: keyof typeof programs) {
    const { layer } = yield* world.of(
      { hours: neighbours, project: "222" },
      new Date(now).toISOString()
    )
    const own = machines[which]?.own ?? Layer.empty
    const services = Layer.mergeAll(layer, own, Layer.succeed(ObjectStorage, beside))
    const { exitCode } = yield* passTime(Effect.provide(programs[program](options()), services))
    if (program !== "all" || exitCode !== 0) return
    seen.neighbour += 1
    assert.deepEqual(missing(yield* keysOf(beside), now, hourAt(now)), [])
  })

  /** Puts a newer version in the place of an object, as a person's decision does. */
  const replaceByNewer = Effect.fnUntraced(function* (key: string) {
    const old = Option.getOrThrow(yield* world.store.head(key))
    const line = event(`${key} again`)
    const lineset = crc32(line.trimEnd()).toString(16).padStart(12, "0")
    const newer = objectOf(key, line)
    const metadata = {
      ...old.metadata,
      bytes: String(newer.size),
      sha256: newer.sha256,
      lineset,
      replaces: old.metadata["lineset"] ?? ""
    }
    assert.ok(yield* world.store.put({ ...newer, metadata }, { replacing: old.etag }))
    return line
  })
  const daysAgo = (days: number) => hourAt(now - days * 24 * HOUR)
  const isGreen = Effect.fnUntraced(function* (exitCode: number, last: Hour) {
    if (exitCode !== 0) return
    const keys = yield* keysOf(world.store)
    assert.deepEqual(missing(keys, now, last), [])
    assert.deepEqual(readKeys(keys).conflicts, [])
  })

  const resolve = (which: number, name: string, keep: "store" | "ours") =>
    run(
      which,
      Effect.either(resolveConflict(hour(name.slice(0, 13)), { ...options(), keep, user: "model" }))
    )

  const act = Effect.fnUntraced(function* (it: Action) {
    switch (it.do) {
      case "wait":
        now += it.hours * HOUR
        return
      case "all": {
        const { exitCode } = yield* run(it.machine, allHours(options()))
        yield* isGreen(exitCode, hourAt(now))
        const status = yield* run(it.machine, statusOfHours({ settleHours: SETTLE_HOURS }))
        return yield* isGreen(status.exitCode, hourAt(now))
      }
      case "fetch":
        return yield* run(it.machine, fetchHours(options()))
      case "sync":
        return yield* run(it.machine, syncHours(options()))
      case "kill": {
        const { died, store } = yield* mortal(world.store, it.call, it.when)
        const program = Effect.provideService(programs[it.program](options()), ObjectStorage, store)
        const end = yield* run(
          it.machine,
          Effect.raceFirst(Effect.disconnect(program), Effect.as(died, "killed" as const))
        )
        if (end === "killed") seen.kill += 1
        return
      }
      case "byDate": {
        const start = daysAgo(it.daysAgo + it.days)
        const end = daysAgo(it.daysAgo + 1)
        const { exitCode } = yield* run(0, allHours(options({ start, end })))
        return yield* isGreen(exitCode, end)
      }
      case "accept": {
        const start = daysAgo(it.daysAgo + it.days)
        const end = daysAgo(it.daysAgo)
        const accept = acceptGaps({ start, end, reason: "an outage", user: "model" })
        const accepted = yield* run(0, Effect.either(accept))
        if (Either.isRight(accepted)) seen.accept += 1
        return
      }
      case "withdraw": {
        const { acceptances } = yield* run(1, listGaps())
        const name = acceptances[it.which]?.name
        if (name === undefined) return
        seen.withdraw += 1
        return yield* run(1, withdrawGaps(name, { user: "model" }))
      }
      case "overtake": {
        yield* run(it.machine, fetchHours(options()))
        const staged = yield* keysOf(machines[it.machine]?.staging ?? world.staging)
        const key = staged.filter((name) => /^[\d_-]+\.jsonl$/.test(name))[it.which]
        if (key !== undefined) yield* world.store.put(objectOf(key, event("of another writer")))
        yield* run(it.machine, syncHours(options()))
        seen.conflict += readKeys(yield* keysOf(world.store)).conflicts.length
        return
      }
      case "neighbour":
        return yield* runNeighbour(it.machine, it.program)
      case "replace": {
        yield* run(it.machine, fetchHours(options()))
        yield* run(1 - it.machine, allHours(options()))
        const before = readKeys(yield* keysOf(world.store)).conflicts
        const staged = yield* keysOf(machines[it.machine]?.staging ?? world.staging)
        const landed = new Set(yield* keysOf(world.store))
        const both = staged.filter((key) => /^[\d_-]+\.jsonl$/.test(key) && landed.has(key))
        const texts = yield* Effect.forEach(both, (key) => textOf(world.store, key))
        const key = both.filter((name, at) => texts[at] === event(dated(name)))[it.which % 4]
        if (key === undefined) return
        const newer = yield* replaceByNewer(key)
        seen.replace += 1
        yield* run(it.machine, syncHours(options()))
        assert.equal(yield* textOf(world.store, key), newer)
        return assert.deepEqual(readKeys(yield* keysOf(world.store)).conflicts, before)
      }
      case "resolve": {
        const [name] = readKeys(yield* keysOf(world.store)).conflicts
        if (name === undefined) return
        const resolved = yield* resolve(it.machine, name, it.keep)
        if (Either.isRight(resolved)) seen.resolve += 1
        return
      }
    }
  })
  for (const it of actions) yield* act(it)

  const textsIn = Effect.fnUntraced(function* (store: ObjectStorage["Type"]) {
    const keys = (yield* keysOf(store)).filter((key) => !key.startsWith("."))
    return (yield* Effect.forEach(keys, (key) => textOf(store, key))).join("")
  })
  assert.doesNotMatch(yield* textsIn(world.store), /of the neighbour/)
  assert.doesNotMatch(yield* textsIn(beside), /^(?!.*of the neighbour).+$/m)

  // However it went, a person gets it green again.
  for (const name of readKeys(yield* keysOf(world.store)).conflicts) {
    yield* resolve(0, name, "store")
  }
  yield* run(
    0,
    Effect.either(
      acceptGaps({
        start: hour("2025-10-15T00"),
        end: hourAt(now),
        reason: "the end",
        user: "model"
      })
    )
  )
  const keys = yield* keysOf(world.store)
  assert.deepEqual(missing(keys, now, hourAt(now)), [])
  assert.deepEqual(readKeys(keys).conflicts, [])
})

/** The lakes between two looks at the clock. */
const RUNS = 6

const { FAULTS_PATH, FAULTS_SEED } = process.env

describe("A lake over months", () => {
  it.runIf(isLong)(
    "is green only where no hour is missing and no conflict is open",
    { timeout: SECONDS * 1000 + 240_000 },
    async () => {
      const property = fc.asyncProperty(
        fc.array(action, { minLength: 4, maxLength: 14 }),
        (actions) =>
          Effect.runPromise(
            live(actions).pipe(
              Logger.withMinimumLogLevel(LogLevel.None),
              Effect.provide(TestContext.TestContext)
            )
          )
      )
      const path = FAULTS_PATH === undefined ? {} : { path: FAULTS_PATH }
      if (FAULTS_SEED !== undefined) {
        return await fc.assert(property, { seed: Number(FAULTS_SEED), ...path })
      }
      await fc.assert(property, { numRuns: 1, examples: [[EVERYTHING]] })
      for (const [what, count] of Object.entries(seen)) {
        assert.ok(count > 0, `the lake that sees everything did not see this: ${what}`)
      }
      const until = Date.now() + SECONDS * 1000
      let seed = Date.now() % 2 ** 30
      do await fc.assert(property, { seed: seed++, numRuns: RUNS })
      while (Date.now() < until)
    }
  )
})
