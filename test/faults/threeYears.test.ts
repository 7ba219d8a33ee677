import assert from "node:assert/strict"
import { crc32 } from "node:zlib"
import { afterAll, beforeAll, describe, it } from "vitest"
import { Effect, Layer, Logger, LogLevel, Option, Stream, TestContext } from "effect"
import * as AmplitudeMemory from "../../src/layers/memory/AmplitudeMemory.ts"
import { readCommandLine } from "../../src/cli/settings/commandLine.ts"
import { advised } from "../../src/cli/text/advice.ts"
import { calendarText } from "../../src/cli/text/calendar.ts"
import { statusOfHours } from "../../src/programs/inspect/statusOfHours.ts"
import { acceptGaps } from "../../src/programs/resolve/acceptGaps.ts"
import { resolveConflict } from "../../src/programs/resolve/resolveConflict.ts"
import { allHours, fetchHours, type RunOptions } from "../../src/programs/runPipeline.ts"
import { Amplitude, AmplitudeError } from "../../src/services/Amplitude.ts"
import { type Hour, hourAt, hoursBetween, parseHour } from "../../src/services/Hour.ts"
import { hourKey } from "../../src/services/HourKey.ts"
import { HourMetadata, metadataToText } from "../../src/services/HourMetadata.ts"
import { Window } from "../../src/services/Window.ts"
import { type ObjectInfo, ObjectStorage } from "../../src/services/ObjectStorage.ts"
import { objectOf } from "../contracts/objectStorage.ts"
import { isLong } from "../fixtures/long.ts"
import { sha256Of } from "../fixtures/newObject.ts"
import { event, hour, keysOf, makeWorld, passTime, runOptions } from "../fixtures/world.ts"

const DAY = 24 * 3_600_000
const BEGIN = Date.parse("2022-11-02T07:17:00Z")
const FIRST = hour("2022-10-30T00")
const END = Date.parse("2025-11-02T07:17:00Z")
/** Above Amplitude's limit, even alone. */
const TOO_LARGE = hour("2024-06-12T18")

/** Rows and columns of a terminal that is not large. */
const [ROWS, COLUMNS] = [50, 120]

/** One hour in eleven never has events. */
const linesOf = (at: Hour) => (hoursBetween(FIRST, at) % 11 === 7 ? [] : [event(at)])

/** An hour as an earlier run landed it, without its lines. */
function landedInfo(at: Hour): ObjectInfo & { readonly metadata: Record<string, string> } {
  const text = linesOf(at).join("")
  const sha256 = sha256Of(Buffer.from(text))
  const metadata = new HourMetadata({
    hour: at,
    events: linesOf(at).length,
    bytes: text.length,
    lineset: crc32(text.trim()).toString(16).padStart(12, "0"),
    malformed: 0,
    sha256,
    parts: linesOf(at).length,
    project: "123456",
    version: "0.0.0-test",
    replaces: []
  })
  const key = hourKey(at, "hourly", "jsonl")
  const info = { key, size: text.length, etag: sha256, hasMetadata: true }
  return { ...info, metadata: metadataToText(metadata) }
}

/** The commands that a text names, without what explains them. */
const commandsIn = (text: string) =>
  [
    ...text.matchAll(
      /amplitude-lake ((?:all|gaps accept|resolve)(?: (?:"[^"]*"|(?!or\b)[^\s",]+))+)/g
    )
  ].map(([, command = ""]) => command)

const at = (text: string | boolean | undefined) => Option.getOrThrow(parseHour(String(text)))

const options = (more: Partial<RunOptions> = {}) => runOptions(undefined, undefined, more)

const wordsOf = (command: string) =>
  [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "")

/** A lake, its clock, and what a person does every morning. */
const makeLake = Effect.gen(function* () {
  const world = yield* makeWorld({ amplitude: { hours: {} } })
  const amplitude = Layer.succeed(Amplitude, {
    identity: "memory-123456",
    export: Effect.fnUntraced(function* (window) {
      if (window.includes(TOO_LARGE)) {
        return yield* new AmplitudeError({ reason: "TooLarge", window, detail: "over 4 GB" })
      }
      const hours = Object.fromEntries(window.hours.map((at: Hour) => [at, linesOf(at)]))
      const memory = yield* AmplitudeMemory.make({ hours })
      return yield* memory.export(window)
    })
  })
  // Of the hours of quiet weeks only the listing and the metadata are ever read.
  const quiet = new Map<string, ReturnType<typeof landedInfo>>()
  const store = Layer.succeed(ObjectStorage, {
    ...world.store,
    list: Stream.concat(
      world.store.list,
      Stream.suspend(() => Stream.fromIterable(quiet.values()))
    ),
    head: (key) => (quiet.has(key) ? Effect.succeedSome(quiet.get(key)) : world.store.head(key))
  } as ObjectStorage["Type"])
  let now = BEGIN
  const run = <A, E>(program: Effect.Effect<A, E, Layer.Layer.Success<typeof world.layer>>) =>
    world
      .of({ hours: {} }, new Date(now).toISOString())
      .pipe(
        Effect.flatMap(({ layer }) =>
          passTime(Effect.provide(program, Layer.mergeAll(layer, amplitude, store)))
        )
      )

  /** What the scheduled run and then `status` say. */
  const morning = Effect.gen(function* () {
    const all = yield* run(allHours(options()))
    const status = yield* run(statusOfHours({ settleHours: 24 }))
    const text = calendarText(status, {
      place: "memory",
      store: { _tag: "Memory", prefix: "" } as const,
      canvas: { colors: 0, columns: COLUMNS },
      isShaded: false
    })
    const rows = text.split("\n").reduce((sum, row) => sum + Math.ceil(row.length / COLUMNS), 0)
    assert.ok(rows <= ROWS, `status is higher than a screen:\n${text}`)
    return { all, exits: [all.exitCode, status.exitCode], text }
  })

  /** Types a command. */
  const type = Effect.fnUntraced(function* (command: string) {
    const line = readCommandLine(wordsOf(command), { writeErr: () => {} })
    assert.ok(typeof line === "object", `it cannot be typed: ${command}`)
    const { flags } = line
    const window = () => ({ start: at(flags.startDate), end: at(flags.endDate) })
    switch (line.command) {
      case "all":
        return (yield* run(allHours(options(window())))).exitCode
      case "gaps accept": {
        const why = { reason: String(flags.reason), user: "operator" }
        return (yield* run(acceptGaps({ ...window(), ...why }))).exitCode
      }
      case "resolve": {
        const keep = flags.keep === "ours" ? "ours" : "store"
        const decision = { ...options(), keep, user: "operator" } as const
        return (yield* run(resolveConflict(at(flags.conflict), decision))).exitCode
      }
      default:
        return assert.fail(`an unexpected command: ${command}`)
    }
  })

  return {
    world,
    run,
    morning,
    type,
    sleep: (days: number) => {
      now += days * DAY
    },
    /** Quiet weeks, as if every run had landed its hours, and then a green morning. */
    until: Effect.fnUntraced(function* (end: number) {
      const landed = yield* keysOf(world.store)
      for (const at of new Window({ first: hourAt(now - 3 * DAY), last: hourAt(end - 3 * DAY) })
        .hours) {
        const info = landedInfo(at)
        if (!landed.includes(info.key)) quiet.set(info.key, info)
      }
      now = end
      assert.deepEqual((yield* morning).exits, [0, 0])
    })
  }
})

const live = Effect.gen(function* () {
  const lake = yield* makeLake
  const { morning, type } = lake
  assert.deepEqual((yield* morning).exits, [0, 0])

  yield* lake.until(Date.parse("2023-07-03T07:17:00Z"))
  lake.sleep(10)
  const healed = yield* morning
  assert.deepEqual(healed.exits, [0, 0])
  assert.deepEqual(commandsIn(healed.text), [])

  yield* lake.until(Date.parse("2023-12-01T07:17:00Z"))
  lake.sleep(45)
  const outage = yield* morning
  assert.deepEqual(outage.exits, [3, 3])
  lake.sleep(1)
  const again = yield* morning
  assert.deepEqual(again.exits, [3, 3])
  assert.match(again.text, /^X +\d+ gap, the oldest 2023-11-30T/m)
  const [land = ""] = commandsIn(again.text)
  assert.match(land, /^all /)
  assert.equal(yield* type(land), 0)
  lake.sleep(1)
  assert.deepEqual((yield* morning).exits, [0, 0])

  yield* lake.until(Date.parse("2024-06-12T07:17:00Z"))
  for (const days of [2, 1, 20, 20]) {
    lake.sleep(days)
    const { all, exits, text } = yield* morning
    assert.deepEqual(exits, [3, 3], `${days} days later`)
    assert.match(text, /^X +1 gap, the oldest 2024-06-12T18/m)
    // While runs still request it, they say why it cannot land.
    const [failed] = all.failed
    const isOlder = failed === undefined
    if (!isOlder) assert.match(advised(failed).message, /gaps accept .*4 GB/)
    // To land it fails, and says what helps instead.
    const [landIt = "", accept = ""] = commandsIn(text)
    assert.equal(yield* type(landIt), 3)
    assert.match(accept, /^gaps accept /)
    if (isOlder) assert.equal(yield* type(accept), 0)
  }
  lake.sleep(1)
  const accepted = yield* morning
  assert.deepEqual(accepted.exits, [0, 0])
  assert.match(accepted.text, /^a +1 accepted/m)

  yield* lake.until(Date.parse("2024-10-05T07:17:00Z"))
  for (const keep of ["store", "ours"]) {
    lake.sleep(1)
    yield* lake.run(fetchHours(options()))
    const staged = yield* keysOf(lake.world.staging)
    const key = staged.find((it) => it.endsWith("_03.jsonl")) ?? ""
    yield* lake.world.store.put(objectOf(key, event("of another writer")))
    for (const days of [0, 1, 25]) {
      lake.sleep(days)
      const { exits, text } = yield* morning
      assert.deepEqual(exits, [8, 8])
      assert.ok(text.includes(key.slice(0, 13).replace("_", "T")), text)
    }
    const commands = commandsIn((yield* morning).text)
    assert.equal(commands.length, 2)
    const chosen = commands.find((it) => it.endsWith(keep)) ?? ""
    assert.equal(yield* type(chosen), 0)
    lake.sleep(1)
    assert.deepEqual((yield* morning).exits, [0, 0])
  }

  yield* lake.until(END)
  const { text } = yield* morning
  assert.deepEqual(commandsIn(text), [])
})

const { stackTraceLimit } = Error

describe("Three years of mornings", () => {
  // Most of the time would go into stacks that nobody reads.
  beforeAll(() => {
    Error.stackTraceLimit = 0
  })
  afterAll(() => {
    Error.stackTraceLimit = stackTraceLimit
  })

  it.runIf(isLong)(
    "are green where nothing is missing, and end what is wrong by the commands that status names",
    { timeout: 900_000 },
    () =>
      Effect.runPromise(
        live.pipe(
          Logger.withMinimumLogLevel(LogLevel.None),
          Effect.provide(TestContext.TestContext)
        )
      )
  )
})
