import assert from "node:assert/strict"
import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { describe } from "vitest"
import type { Moment } from "../fixtures/gate.ts"
import {
  assertCode,
  assertLanded,
  assertTidy,
  makeLake,
  ofThisLength,
  oracle,
  windowOf
} from "../fixtures/process/killable.ts"

const ONE = ["--concurrency", "1", "--retry-base-ms", "1"]
const WINDOW = windowOf(0, 4)
const COMMANDS = {
  all: ["all", ...WINDOW, ...ONE],
  fetch: ["fetch", ...WINDOW, ...ONE],
  sync: ["sync", ...ONE]
} as const
type Command = keyof typeof COMMANDS

interface Meeting {
  /** How the first run comes to wait, which then meets the work of the second. */
  readonly title: string
  readonly first: Command
  readonly waits:
    | { readonly files: string; readonly moment: "before" | "after"; readonly count?: number }
    | { readonly store: RegExp; readonly moment: Moment }
  readonly second: ReadonlyArray<Command>
  /** Whether something is staged before. */
  readonly staged?: boolean
  /** Whether the second run has folders of its own. */
  readonly apart?: boolean
  readonly long?: boolean
}

const MEETINGS: ReadonlyArray<Meeting> = [
  {
    title: "all, about to put, meets all on another machine",
    long: true,
    first: "all",
    waits: { store: /^PUT .*_01.jsonl/, moment: "asked" },
    second: ["all"],
    apart: true
  },
  {
    title: "all, about to drop its archive, meets all",
    long: true,
    first: "all",
    waits: { files: "^rm .*[.]zip$", moment: "before" },
    second: ["all"]
  },
  {
    title: "sync, about to read, meets sync",
    long: true,
    first: "sync",
    waits: { files: "^open data/.*[.]jsonl$", moment: "before" },
    second: ["sync"],
    staged: true
  },
  {
    title: "sync, about to send, meets sync",
    long: true,
    first: "sync",
    waits: { files: "^open data/.*[.]jsonl$", moment: "before", count: 2 },
    second: ["sync"],
    staged: true
  },
  {
    title: "sync, about to put, meets sync",
    long: true,
    first: "sync",
    waits: { store: /^PUT .*_01.jsonl/, moment: "asked" },
    second: ["sync"],
    staged: true
  },
  {
    title: "sync, about to remove, meets sync",
    first: "sync",
    waits: { files: "^rename data/[^/]*[.]jsonl$", moment: "before" },
    second: ["sync"],
    staged: true
  },
  {
    title: "all, about to move what is staged, meets sync",
    long: true,
    first: "all",
    waits: { store: /^PUT .*_00.jsonl/, moment: "asked" },
    second: ["sync"],
    staged: true
  },
  {
    title: "fetch, about to stage, meets fetch and sync",
    long: true,
    first: "fetch",
    waits: { files: "^link data/.*/RUN/[1-9]", moment: "before", count: 2 },
    second: ["fetch", "sync"]
  },
  {
    title: "fetch, about to look at what it staged, meets sync",
    long: true,
    first: "fetch",
    waits: { files: "^link data/.*/RUN/[1-9]", moment: "after", count: 2 },
    second: ["sync"]
  },
  {
    title: "fetch, about to stage, meets fetch on another machine, and sync",
    long: true,
    first: "fetch",
    waits: { files: "^link data/.*/RUN/[1-9]", moment: "before" },
    second: ["fetch", "sync"],
    apart: true
  }
]

interface Race {
  readonly one: Command
  readonly other: Command
  readonly where: "one machine" | "two machines"
  readonly long?: boolean
}

const RACES: ReadonlyArray<Race> = [
  { one: "all", other: "all", where: "one machine", long: true },
  { one: "all", other: "all", where: "two machines", long: true },
  { one: "fetch", other: "sync", where: "one machine", long: true },
  { one: "sync", other: "sync", where: "one machine", long: true },
  { one: "sync", other: "sync", where: "two machines", long: true },
  { one: "all", other: "sync", where: "one machine", long: true }
]

describe("two runs at once", { concurrent: true, timeout: 120_000 }, () => {
  layer(oracle, { timeout: "60 seconds", excludeTestServices: true })("X1", (it) => {
    for (const { apart, first, second, staged, title, waits } of ofThisLength(MEETINGS)) {
      it.scoped(title, () =>
        Effect.gen(function* () {
          const lake = yield* makeLake
          const here = yield* lake.machine
          const there = apart === true ? yield* lake.machine : here
          if (staged === true) assertCode(yield* here.run(...COMMANDS.fetch), 0)

          const own = "files" in waits
          const held = own ? undefined : lake.store.hold(waits.store, waits.moment)
          const waiting = own
            ? yield* here.stopAt({ ...waits, at: waits.files }, ...COMMANDS[first])
            : yield* here.start(...COMMANDS[first])
          const reached = "stopped" in waiting ? waiting.stopped : held
          const missed = yield* Effect.promise(() =>
            Promise.race([Promise.resolve(reached).then(() => undefined), waiting.ended])
          )
          assert.equal(missed, undefined, missed?.stderr)

          for (const command of second) {
            assertCode(yield* there.run(...COMMANDS[command]), 0)
          }
          if (own) waiting.kill("SIGCONT")
          else yield* Effect.promise(async () => void (await held)?.letGo())
          assertCode(yield* Effect.promise(() => waiting.ended), 0)

          // What is still staged is moved, and a later run with something to write finds nothing to take away.
          for (const machine of new Set([here, there])) {
            assertCode(yield* machine.run(...COMMANDS.sync), 0)
          }
          assertLanded(lake, 0, 4)
          for (const { folder } of new Set([here, there])) yield* assertTidy(folder)
        })
      )
    }

    for (const { one, other, where } of ofThisLength(RACES)) {
      it.scoped(`${one} and ${other} on ${where}, started together`, () =>
        Effect.gen(function* () {
          const lake = yield* makeLake
          const here = yield* lake.machine
          const there = where === "one machine" ? here : yield* lake.machine
          const machines = new Set([here, there])
          if (other === "sync") {
            for (const machine of machines) {
              assertCode(yield* machine.run("fetch", ...windowOf(0, 3), ...ONE), 0)
            }
          }
          const ended = yield* Effect.all(
            [here.run(...COMMANDS[one]), there.run(...COMMANDS[other])],
            { concurrency: 2 }
          )
          for (const it of ended) assertCode(it, 0)
          for (const machine of machines) assertCode(yield* machine.run(...COMMANDS.all), 0)
          assertLanded(lake, 0, 4)
          for (const { folder } of machines) yield* assertTidy(folder)
        })
      )
    }
  })
})
