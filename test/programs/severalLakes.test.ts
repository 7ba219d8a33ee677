import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Option, Stream } from "effect"
import * as fc from "fast-check"
import * as ArchiveFolderMemory from "../../src/layers/memory/ArchiveFolderMemory.ts"
import { cleanLeftovers } from "../../src/programs/clean/cleanLeftovers.ts"
import { allHours, fetchHours, planSync, syncHours } from "../../src/programs/runPipeline.ts"
import { ArchiveFolder } from "../../src/services/ArchiveFolder.ts"
import { type ObjectStorage, ObjectStorageError } from "../../src/services/ObjectStorage.ts"
import { Staging } from "../../src/services/Staging.ts"
import { isLong } from "../fixtures/long.ts"
import { event, keysOf, makeWorld, passTime, runOptions, textOf } from "../fixtures/world.ts"

const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
const KEYS = ["2025-11-10_20.jsonl", "2025-11-10_21.jsonl", "2025-11-10_22.jsonl"] as const

/** Each project has an hour that the other lacks, so that an hour without events is among them. */
const PROJECTS = {
  a: { project: "111", hours: { [H20]: [event("a20")], [H21]: [event("a21")] } },
  b: { project: "222", hours: { [H21]: [event("b21")], [H22]: [event("b22")] } }
} as const
type Name = keyof typeof PROJECTS

const TEXTS: Readonly<Record<Name, ReadonlyArray<string>>> = {
  a: [event("a20"), event("a21"), ""],
  b: ["", event("b21"), event("b22")]
}

const COMMANDS = {
  fetch: fetchHours(runOptions(H20, H22)),
  sync: syncHours(runOptions(H20, H22)),
  all: allHours(runOptions(H20, H22))
}
type Command = keyof typeof COMMANDS
/** One command of one project; with `isCut` the store fails at the second put, as if the run was killed. */
interface Step {
  readonly of: Name
  readonly command: Command
  readonly isCut: boolean
}

const STEPS: ReadonlyArray<Step> = (["a", "b"] as const).flatMap((of) =>
  (["fetch", "sync", "all"] as const).map((command) => ({ of, command, isCut: false }))
)

const down = new ObjectStorageError({
  reason: "AccessDenied",
  method: "put",
  path: "memory",
  detail: "as told"
})

/** Two lakes, each with its own store and project, over one staging and one spool. */
const twoLakes = Effect.fn("twoLakes")(function* () {
  const cut = { a: false, b: false }
  const failuresOf = (name: Name) => ({
    failures: ({ key, method }: { readonly key: string; readonly method: string }) =>
      cut[name] && method === "put" && key.includes("_21") ? Option.some(down) : Option.none()
  })
  const a = yield* makeWorld({
    amplitude: PROJECTS.a,
    store: { prefix: "a/", ...failuresOf("a") }
  })
  const b = yield* makeWorld({
    amplitude: PROJECTS.b,
    store: { prefix: "b/", ...failuresOf("b") },
    beside: a
  })
  const worlds = { a, b }
  const run = (name: Name, command: Command) =>
    Effect.provide(COMMANDS[command], worlds[name].layer)
  return { ...worlds, cut, run }
})

const textsIn = Effect.fn(function* (store: ObjectStorage["Type"]) {
  const keys = (yield* keysOf(store)).filter((key) => !key.startsWith("."))
  return yield* Effect.forEach(keys, (key) => textOf(store, key))
})

/** Puts a project's hours into staging as version 0.1.0 did, without their lake. */
const stageAsBefore = Effect.fn(function* (name: Name, into: ObjectStorage["Type"]) {
  const world = yield* makeWorld({ amplitude: PROJECTS[name] })
  yield* Effect.provide(COMMANDS.fetch, world.layer)
  for (const key of yield* keysOf(world.staging)) {
    const { metadata, size } = Option.getOrThrow(yield* world.staging.head(key))
    const { lake: _, project: __, ...rest } = metadata
    const { project } = PROJECTS[name]
    yield* into.put({
      key,
      size,
      sha256: metadata["sha256"] ?? "",
      metadata: size === 0 ? rest : { ...rest, project },
      body: Stream.fromEffect(textOf(world.staging, key)).pipe(Stream.encodeText)
    })
  }
})

/** Nothing of a project is in the other's store, and no line leaves staging before it has landed. */
const assertApart = Effect.fn(function* (
  { a, b }: Effect.Effect.Success<ReturnType<typeof twoLakes>>,
  before: ReadonlyArray<string>,
  what: string
) {
  const landed = { a: yield* textsIn(a.store), b: yield* textsIn(b.store) }
  for (const name of ["a", "b"] as const) {
    assert.deepEqual(
      landed[name].filter((text) => !TEXTS[name].includes(text)),
      [],
      what
    )
  }
  const now = yield* textsIn(a.staging)
  const all = [...now, ...landed.a, ...landed.b]
  assert.deepEqual(
    before.filter((text) => !all.includes(text)),
    [],
    what
  )
  return now
})

const follow = Effect.fn(function* (steps: ReadonlyArray<Step>, isOld = false) {
  const lakes = yield* twoLakes()
  if (isOld) yield* stageAsBefore("a", lakes.a.staging)
  const what = JSON.stringify(steps)
  let staged = yield* assertApart(lakes, [], what)
  for (const { command, isCut, of } of steps) {
    lakes.cut[of] = isCut
    yield* lakes.run(of, command)
    lakes.cut[of] = false
    staged = yield* assertApart(lakes, staged, what)
  }
  // In the end every hour is in its own lake, and nothing that was staged for one is left.
  for (const name of ["a", "b", "a"] as const) {
    const { exitCode } = yield* lakes.run(name, "all")
    assert.equal(exitCode, 0, what)
  }
  yield* lakes.run("b", "sync")
  for (const name of ["a", "b"] as const) {
    const texts = yield* Effect.forEach(KEYS, (key) => textOf(lakes[name].store, key))
    assert.deepEqual(texts, TEXTS[name], what)
  }
  // An hour without events that version 0.1.0 staged tells nobody whose it is.
  const nobodys: ReadonlyArray<string> = isOld ? [KEYS[2]] : []
  const left = yield* keysOf(lakes.a.staging)
  assert.deepEqual(
    left.filter((key) => !nobodys.includes(key)),
    [],
    what
  )
}, Logger.withMinimumLogLevel(LogLevel.None))

function sequences(length: number): ReadonlyArray<ReadonlyArray<Step>> {
  if (length === 0) return [[]]
  return sequences(length - 1).flatMap((steps) => STEPS.map((step) => [...steps, step]))
}

describe("Two lakes with one staging folder", () => {
  for (const length of [1, 2]) {
    it.effect.runIf(isLong || length === 1)(`stay apart in every order of ${length} commands`, () =>
      Effect.forEach(sequences(length), (steps) => follow(steps), { discard: true })
    )
  }

  it.effect.runIf(isLong)("stay apart in longer orders, some of them cut off", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.record({
              of: fc.constantFrom("a" as const, "b" as const),
              command: fc.constantFrom("fetch" as const, "sync" as const, "all" as const),
              isCut: fc.boolean()
            }),
            { minLength: 3, maxLength: 7 }
          ),
          (steps) => Effect.runPromise(follow(steps))
        ),
        { numRuns: isLong ? 15 : 5 }
      )
    )
  )

  it.effect.runIf(isLong)("stay apart where version 0.1.0 staged the first one's hours", () =>
    Effect.forEach(
      // Only a lake whose project is known takes hours that do not name their lake.
      sequences(1),
      (steps) => follow([{ of: "a", command: "all", isCut: true }, ...steps], true),
      { discard: true }
    )
  )
})

describe("fetchHours() into staging that another lake uses", () => {
  it.effect("refuses the hours that are staged for the other lake, and stages the rest", () =>
    Effect.gen(function* () {
      const lakes = yield* twoLakes()
      yield* Effect.provide(fetchHours(runOptions(H21)), lakes.a.layer)
      const summary = yield* passTime(lakes.run("b", "fetch"))
      assert.deepEqual([summary.landed, summary.empty, summary.exitCode], [[H22], [H20], 3])
      assert.deepEqual(
        summary.failed.map(({ error, hour }) => [hour, error]),
        [[H21, "LandingError.StagedForAnotherLake"]]
      )
      assert.match(summary.failed[0]?.message ?? "", /project 111 and was staged for memory:a\//)
      assert.deepEqual([...new Set(yield* lakes.b.requests)].sort(), [H20, H22])
      assert.equal(yield* textOf(lakes.a.staging, KEYS[1]), event("a21"))
    })
  )

  it.effect("refuses an hour that the other lake stages while it downloads", () =>
    Effect.gen(function* () {
      const { a, b, run } = yield* twoLakes()
      let isFirst = true
      const staging = Staging.of({
        ...a.staging,
        head: (key) =>
          Effect.suspend(() => {
            const meanwhile = isFirst ? Effect.orDie(run("a", "fetch")) : Effect.void
            isFirst = false
            return Effect.zipRight(meanwhile, a.staging.head(key))
          })
      })
      const layer = Layer.merge(b.layer, Layer.succeed(Staging, staging))
      const summary = yield* passTime(Effect.provide(fetchHours(runOptions(H20)), layer))
      assert.equal(summary.failed[0]?.error, "LandingError.StagedForAnotherLake")
      assert.equal(yield* textOf(a.staging, KEYS[0]), event("a20"))
    })
  )

  it.effect("replaces an hour without events that nothing ties to a lake", () =>
    Effect.gen(function* () {
      const lakes = yield* twoLakes()
      yield* stageAsBefore("a", lakes.a.staging)
      for (const key of KEYS.slice(0, 2)) yield* lakes.a.staging.remove(key)
      const summary = yield* lakes.run("b", "fetch")
      assert.deepEqual([summary.landed, summary.exitCode], [[H21, H22], 0])
      assert.equal(yield* textOf(lakes.a.staging, KEYS[2]), event("b22"))
    })
  )

  it.effect(
    "writes the project that the lake is known to hold beside an hour without archive",
    () =>
      Effect.gen(function* () {
        const { a } = yield* twoLakes()
        yield* Effect.provide(allHours(runOptions(H20)), a.layer)
        const silent = yield* a.of({ project: "111", hours: {}, plan: ["none", "none"] })
        const options = runOptions(H22, H22, { retryBase: 0 })
        yield* Effect.provide(fetchHours(options), silent.layer)
        const { metadata } = Option.getOrThrow(yield* a.staging.head(KEYS[2]))
        assert.deepEqual([metadata["project"], metadata["lake"]], ["111", "memory:a/"])
        yield* Effect.provide(COMMANDS.sync, a.layer)
        const landed = Option.getOrThrow(yield* a.store.head(KEYS[2]))
        assert.ok(!("lake" in landed.metadata))
      })
  )
})

describe("syncHours() into another place of the same project", () => {
  const elsewhere = { project: "111", first: H20, last: H22, hours: 3, isAdoptable: true }

  it.effect("names the hours, and uploads them where a person says so", () =>
    Effect.gen(function* () {
      const { a } = yield* twoLakes()
      yield* Effect.provide(COMMANDS.fetch, a.layer)
      const moved = yield* makeWorld({
        amplitude: PROJECTS.a,
        store: { prefix: "new/" },
        beside: a
      })
      const left = yield* Effect.provide(COMMANDS.sync, moved.layer)
      assert.deepEqual([left.landed, left.exitCode], [[], 0])
      assert.deepEqual(left.stagedElsewhere, [{ lake: "memory:a/", ...elsewhere }])

      const adopting = { ...runOptions(H20, H22), adoptProject: "111" }
      const planned = yield* Effect.provide(planSync(adopting), moved.layer)
      assert.deepEqual([...planned.staged.keys()].sort(), [H20, H21, H22])
      const adopted = yield* Effect.provide(syncHours(adopting), moved.layer)
      assert.deepEqual([adopted.landed, adopted.empty], [[H20, H21], [H22]])
      assert.deepEqual(yield* keysOf(moved.staging), [])
    })
  )

  it.effect("refuses to take hours of a project that the lake does not hold", () =>
    Effect.gen(function* () {
      const { b, run } = yield* twoLakes()
      yield* run("a", "fetch")
      yield* run("b", "all")
      const adopting = syncHours({ ...runOptions(H20, H22), adoptProject: "111" })
      const error = yield* Effect.flip(Effect.provide(adopting, b.layer))
      assert.equal(error._tag === "LandingError" && error.reason, "OtherProject")
      assert.equal((yield* keysOf(b.staging)).length, 3)
    })
  )
})

describe("cleanLeftovers() of one lake", () => {
  it.effect("leaves staged hours and spooled archives of the other", () =>
    Effect.gen(function* () {
      const lakes = yield* twoLakes()
      yield* lakes.run("b", "all")
      yield* lakes.run("a", "fetch")
      lakes.cut.a = true
      yield* Effect.provide(allHours(runOptions(H20, H22)), lakes.a.layer)
      lakes.cut.a = false
      const another = yield* makeWorld({
        amplitude: PROJECTS.a,
        store: {
          prefix: "c/",
          failures: ({ method }) => (method === "put" ? Option.some(down) : Option.none())
        },
        beside: lakes.a
      })
      yield* Effect.provide(COMMANDS.all, another.layer)
      const { length } = (yield* lakes.a.spool.survey).archives
      assert.ok(length > 0)
      const staged = yield* keysOf(lakes.a.staging)
      assert.ok(staged.length > 0)

      const cleaned = yield* Effect.provide(cleanLeftovers(), lakes.b.layer)
      assert.deepEqual(
        cleaned.leftovers.filter(({ fate }) => fate !== "kept"),
        []
      )
      assert.equal(cleaned.exitCode, 0)
      assert.deepEqual(yield* keysOf(lakes.a.staging), staged)
      assert.equal((yield* lakes.a.spool.survey).archives.length, length)
    })
  )
})

describe("Two lakes with one folder of archives", () => {
  it.effect("keep both archives of the same window", () =>
    Effect.gen(function* () {
      const { a, b } = yield* twoLakes()
      const { kept, service } = yield* ArchiveFolderMemory.makeTest
      for (const { layer } of [a, b]) {
        const layers = Layer.merge(layer, Layer.succeed(ArchiveFolder, service))
        yield* Effect.provide(COMMANDS.all, layers)
      }
      assert.equal(kept.size, 2)
    })
  )
})
