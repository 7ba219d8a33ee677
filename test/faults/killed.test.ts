import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout } from "node:timers/promises"
import { layer } from "@effect/vitest"
import { Cause, Effect } from "effect"
import { describe } from "vitest"
import { pathsBelow } from "../fixtures/disk.ts"
import type { Moment } from "../fixtures/gate.ts"
import {
  assertCode,
  assertLanded,
  assertTidy,
  assertTrue,
  type FileStep,
  type Lake,
  HOURS,
  LONG_MILLIS,
  type Machine,
  makeLake,
  ofThisLength,
  oracle,
  randomNumbers,
  untilDone,
  windowOf
} from "../fixtures/process/killable.ts"
import { isLong } from "../fixtures/long.ts"
import { startSimulator } from "../fixtures/process/program.ts"

/** A moment at which a run is killed: one of its own file operations, or a request on its way. */
type Step = { readonly long?: boolean } & (
  | ({ readonly files: string } & Omit<FileStep, "at">)
  | { readonly amplitude: RegExp; readonly moment: Moment }
  | { readonly store: RegExp; readonly moment: Moment }
)

/** Runs a command, and kills it at a step, which it has to reach. */
const kill = (lake: Lake, machine: Machine, step: Step, args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    if ("files" in step) {
      const { files, ...rest } = step
      const ended = yield* machine.killAt({ at: files, ...rest }, ...args)
      assert.equal(ended.code, null, `It never came to ${files}: ${ended.stderr}`)
    } else {
      const { gate, fits } =
        "store" in step
          ? { gate: lake.store, fits: step.store }
          : { gate: lake.amplitude, fits: step.amplitude }
      const held = gate.hold(fits, step.moment)
      const program = yield* machine.start(...args)
      const ended = yield* Effect.promise(() =>
        Promise.race([held.then(() => undefined), program.ended])
      )
      assert.equal(ended, undefined, `It never came to ${fits}: ${ended?.stderr}`)
      program.kill("SIGKILL")
      yield* Effect.promise(() => program.ended)
      gate.open()
    }
    assertTrue(lake)
  }).pipe(Effect.scoped)

const ONE = ["--concurrency", "1", "--retry-base-ms", "1"]
const EXPORT = /^GET \/api\/2\/export/

const WAY_OF_AN_HOUR: ReadonlyArray<Step> = [
  { store: /^GET .*list-type/, moment: "asked", long: true },
  { store: /^PUT .*probe/, moment: "done", long: true },
  { amplitude: EXPORT, moment: "asked", long: true },
  { amplitude: EXPORT, moment: "answering", long: true },
  { files: "^open .*[.]zip[.]part$", moment: "after", long: true },
  { files: "^write .*[.]zip[.]part$", moment: "half", long: true },
  { files: "^sync .*[.]zip[.]part$", moment: "before", long: true },
  { files: "^rename .*[.]zip[.]part$", moment: "before", long: true },
  { files: "^rename .*[.]zip[.]part$", moment: "after" },
  { files: "^rename .*/runs/RUN$", moment: "before", long: true },
  { files: "^rename .*/runs/RUN$", moment: "after", long: true },
  { files: "^rename .*/runs/RUN/.*[.]zip$", moment: "before", long: true },
  { files: "^rename .*/runs/RUN/.*[.]zip$", moment: "after", long: true },
  { files: "^rename .*/spool/[^/]*[.]zip$", moment: "after", long: true },
  { files: "^read .*[.]zip$", moment: "before", long: true },
  { files: "^read .*[.]zip$", moment: "after", count: 3, long: true },
  { store: /^PUT .*_00.jsonl/, moment: "asked", long: true },
  { store: /^PUT .*_01.jsonl/, moment: "asking", long: true },
  { store: /^PUT .*_02.jsonl/, moment: "done" },
  { store: /^HEAD .*_03.jsonl/, moment: "asked", long: true },
  { store: /^HEAD .*_04.jsonl/, moment: "done", long: true },
  { files: "^rm .*[.]zip$", moment: "before" },
  { files: "^rm .*[.]zip$", moment: "after", long: true }
]

const WAY_INTO_STAGING: ReadonlyArray<Step> = [
  { files: "^link data", moment: "before", long: true },
  { files: "^rm data/.amplitude-lake-trial", moment: "before" },
  { files: "^open data/.amplitude-lake/runs/RUN/.", moment: "after", long: true },
  { files: "^write data", moment: "half" },
  { files: "^sync data/.amplitude-lake/runs/RUN/.", moment: "before", long: true },
  { files: "^writeFile data/.amplitude-lake/runs/RUN/[1-9]", moment: "half", long: true },
  { files: "^rename data/.amplitude-lake/runs/RUN/.", moment: "before", long: true },
  { files: "^rename data/.amplitude-lake/runs/RUN/.", moment: "after", long: true },
  { files: "^link data/.amplitude-lake/runs/RUN/[1-9]", moment: "before", long: true },
  { files: "^link data/.amplitude-lake/runs/RUN/[1-9]", moment: "after" },
  { files: "^rm data/.amplitude-lake/runs/RUN/[1-9]", moment: "after", long: true },
  { files: "^rm .*[.]zip$", moment: "before" }
]

const WAY_OUT_OF_STAGING: ReadonlyArray<Step> = [
  { files: "^read data/.*[.]jsonl$", moment: "before", long: true },
  { store: /^PUT .*.jsonl/, moment: "asked", long: true },
  { store: /^PUT .*.jsonl/, moment: "done" },
  { store: /^HEAD .*.jsonl/, moment: "asked", long: true },
  { store: /^HEAD .*.jsonl/, moment: "done", long: true },
  { files: "^rename data/[^/]*[.]jsonl$", moment: "before", long: true },
  { files: "^rename data/[^/]*[.]jsonl$", moment: "after" },
  { files: "^rm data/.*[.]json$", moment: "before", long: true },
  { files: "^rm data/.*[.]json$", moment: "after", long: true },
  { files: "^rmdir data", moment: "after", long: true },
  { files: "^rm data/.amplitude-lake/runs/RUN/.", moment: "after", long: true }
]

const DRAFT = "s3_dev/.amplitude-lake/runs/RUN/[0-9]+$"
const WAY_OF_A_DRAFT: ReadonlyArray<Step> = [
  { files: `^open ${DRAFT}`, moment: "after", count: 2 },
  { files: `^sync ${DRAFT}`, moment: "before" },
  { files: `^sync ${DRAFT}`, moment: "after", count: 2 },
  { files: `^link ${DRAFT}`, moment: "before" },
  { files: `^link ${DRAFT}`, moment: "after", count: 2 },
  { files: `^rm ${DRAFT}`, moment: "after" }
]

/** The hours that landed in a machine's own folder, and their lines. */
const hoursIn = (folder: string) =>
  Effect.flatMap(pathsBelow(folder), (paths) =>
    Effect.promise(async () => {
      const hours = paths.filter((path) => /^s3_dev\/python-import\/[^/]+[.]jsonl$/.test(path))
      const texts = await Promise.all(hours.map((path) => readFile(join(folder, path), "utf8")))
      return new Map(hours.map((path, index) => [path, texts[index]]))
    })
  )

/** Kills runs of all kinds at random, then lets them end; `kills` times, or fewer where time is over. */
const killAtRandom = Effect.fnUntraced(function* (
  lake: Lake,
  machine: Machine,
  random: () => number,
  kills: number
) {
  const choose = <A>(of: readonly [A, ...ReadonlyArray<A>]) =>
    of[Math.floor(random() * of.length)] ?? of[0]
  let hours = 1
  const argumentsOf = (command: string) => [
    command,
    ...(command === "sync"
      ? []
      : [...windowOf(0, hours), "--format", choose(["jsonl", "jsonl.gz"])]),
    "--retry-base-ms",
    "1"
  ]
  for (let kill = 0; kill < kills && hours < HOURS.length - 5; kill++) {
    hours += Math.floor(random() * 3)
    const args = argumentsOf(choose(["all", "all", "fetch", "sync"]))
    const program = yield* random() < 0.7
      ? machine.startAt(
          {
            at: ".",
            count: 1 + Math.floor(random() * 70),
            moment: choose(["before", "half", "after"])
          },
          ...args
        )
      : Effect.gen(function* () {
          const program = yield* machine.start(...args)
          const wait = 200 + Math.floor(random() * 1000)
          yield* Effect.promise(() => Promise.race([setTimeout(wait), program.ended]))
          program.kill("SIGKILL")
          return program
        })
    const ended = yield* Effect.promise(() => program.ended)
    assert.ok(ended.code === null || ended.code === 0, `${args.join(" ")}: ${ended.stderr}`)
    assertTrue(lake)
  }
  yield* untilDone(machine, ...argumentsOf("sync"))
  yield* untilDone(machine, ...argumentsOf("all"))
  assertLanded(lake, 0, hours)
  hours += 1
  yield* untilDone(machine, ...argumentsOf("fetch"))
  yield* untilDone(machine, ...argumentsOf("sync"))
  assertLanded(lake, 0, hours)
  yield* assertTidy(machine.folder)
}, Effect.scoped)

/** The archives that wait for the next run. */
const spooled = (folder: string) =>
  Effect.map(pathsBelow(folder), (paths) => paths.filter((path) => /[.]zip$/.test(path)))

describe("a run that is killed", { concurrent: true, timeout: 600_000 }, () => {
  layer(oracle, { timeout: "60 seconds", excludeTestServices: true })("D5", (it) => {
    it.scoped.runIf(isLong)("loses and doubles nothing at any step of an hour's way", () =>
      Effect.gen(function* () {
        const lake = yield* makeLake
        const machine = yield* lake.machine
        const args = ["all", ...windowOf(0, 6), ...ONE]
        for (const step of ofThisLength(WAY_OF_AN_HOUR)) yield* kill(lake, machine, step, args)
        assertCode(yield* machine.run(...args), 0)
        assertLanded(lake, 0, 6)
        // The last run that has something to write takes away what the dead ones left.
        assertCode(yield* machine.run("all", ...windowOf(0, 7), ...ONE), 0)
        assertLanded(lake, 0, 7)
        yield* assertTidy(machine.folder)
      })
    )

    it.scoped.runIf(isLong)("loses and doubles nothing at any step into staging", () =>
      Effect.gen(function* () {
        const lake = yield* makeLake
        const machine = yield* lake.machine
        let hours = 0
        for (const step of ofThisLength(WAY_INTO_STAGING)) {
          hours += 1
          yield* kill(lake, machine, step, ["fetch", ...windowOf(0, hours), ...ONE])
        }
        assertCode(yield* machine.run("fetch", ...windowOf(0, hours + 1), ...ONE), 0)
        assertCode(yield* machine.run("sync", ...ONE), 0)
        assertLanded(lake, 0, hours + 1)
        yield* assertTidy(machine.folder)
      })
    )

    it.scoped.runIf(isLong)("loses and doubles nothing at any step from staging to the store", () =>
      Effect.gen(function* () {
        const lake = yield* makeLake
        const machine = yield* lake.machine
        assertCode(yield* machine.run("fetch", ...windowOf(0, 12), ...ONE), 0)
        for (const step of ofThisLength(WAY_OUT_OF_STAGING))
          yield* kill(lake, machine, step, ["sync", ...ONE])
        assertCode(yield* machine.run("sync", ...ONE), 0)
        assertLanded(lake, 0, 12)
        assertCode(yield* machine.run("fetch", ...windowOf(0, 13), ...ONE), 0)
        assertCode(yield* machine.run("sync", ...ONE), 0)
        assertLanded(lake, 0, 13)
        yield* assertTidy(machine.folder)
      })
    )

    it.scoped.runIf(isLong)(
      "loses and doubles nothing while hours are written ahead of their landing",
      () =>
        Effect.gen(function* () {
          const lake = yield* makeLake
          const [machine, other] = [yield* lake.machine, yield* lake.machine]
          // More than the 4 MiB from which threads unpack an archive.
          const events = ["--events-per-hour", "15000", "--seed", "1"]
          const env = { AMP_API_KEY: "api", AMP_SECRET_KEY: "secret" }
          const { origin } = yield* startSimulator(events, { folder: machine.folder, env })
          const args = ["all", "--dev", ...windowOf(12, 3), ...ONE, "--amplitude-url", origin]
          assertCode(yield* other.run(...args), 0)
          const expected = yield* hoursIn(other.folder)
          assert.equal(expected.size, 3)
          for (const step of ofThisLength(WAY_OF_A_DRAFT)) {
            yield* kill(lake, machine, step, args)
            for (const [name, lines] of yield* hoursIn(machine.folder)) {
              assert.ok(lines === expected.get(name), `${name} is not whole`)
            }
          }
          assertCode(yield* machine.run(...args), 0)
          assert.deepEqual(yield* hoursIn(machine.folder), expected)
          const runs = (yield* pathsBelow(machine.folder)).filter((it) => /runs\/./.test(it))
          assert.deepEqual(runs, [])
        })
    )

    const first = Number(process.env["FAULTS_SEED"] ?? Date.now() % 1_000_000)
    const [seeds, kills] = isLong ? [2, 12] : [0, 0]
    for (let lane = 0; lane < seeds; lane++) {
      it.scoped(
        `loses and doubles nothing at random moments (${lane + 1})`,
        () =>
          Effect.gen(function* () {
            const begun = performance.now()
            let seed = first + lane * 1_000_000
            do {
              const lake = yield* makeLake
              const machine = yield* lake.machine
              const said = `This repeats it: FAULTS_SEED=${seed}`
              yield* killAtRandom(lake, machine, randomNumbers(seed), kills).pipe(
                Effect.catchAllCause((cause) =>
                  Effect.die(new Error(`${said}\n${Cause.pretty(cause)}`))
                )
              )
              seed += 1
            } while (performance.now() - begun < LONG_MILLIS)
          }),
        { timeout: 240_000 + LONG_MILLIS }
      )
    }
  })

  layer(oracle, { timeout: "60 seconds", excludeTestServices: true })("D9", (it) => {
    for (const [signal, code, store] of [
      ["SIGTERM", 143, /^PUT .*_01.jsonl/],
      ["SIGINT", 130, /^HEAD .*_01.jsonl/]
    ] as const) {
      it.scoped.runIf(isLong)(
        `ends by ${signal} with ${code}, and keeps the archive for the next run`,
        () =>
          Effect.gen(function* () {
            const lake = yield* makeLake
            const machine = yield* lake.machine
            const args = ["all", ...windowOf(0, 3), ...ONE]
            const program = yield* machine.start(...args)
            const held = lake.store.hold(store, "asked")
            yield* Effect.promise(() => Promise.race([held, program.ended]))
            const sent = performance.now()
            program.kill(signal)
            assertCode(yield* Effect.promise(() => program.ended), code)
            assert.ok(performance.now() - sent < 10_000)
            assertTrue(lake)
            const [archive, ...more] = yield* spooled(machine.folder)
            assert.deepEqual(more, [])
            assert.match(archive ?? "", /^[.]amplitude-lake\/spool\/[^/]+$/)
            assertCode(yield* machine.run(...args), 0)
            assertLanded(lake, 0, 3)
            assert.equal(lake.amplitude.requests.length, 1)
            yield* assertTidy(machine.folder)
          })
      )
    }

    for (const [signal, code] of [
      ["SIGTERM", 143],
      ["SIGINT", 130]
    ] as const) {
      it.scoped.runIf(isLong)(`ends by ${signal} amid the parts of an upload`, () =>
        Effect.gen(function* () {
          const lake = yield* makeLake
          const machine = yield* lake.machine
          const { folder } = machine
          // An hour of more than the 64 MiB that are put at once.
          const events = ["--events-per-hour", "120000", "--seed", "1"]
          const env = { AMP_API_KEY: "api", AMP_SECRET_KEY: "secret" }
          const { origin } = yield* startSimulator(events, { folder, env })
          const args = ["all", ...windowOf(12, 1), ...ONE, "--amplitude-url", origin]
          const held = lake.store.hold(/^PUT .*partNumber=2/, "asked")
          const program = yield* machine.start(...args)
          const missed = yield* Effect.promise(() =>
            Promise.race([held.then(() => undefined), program.ended])
          )
          assert.equal(missed, undefined, missed?.stderr)
          const uploads = lake.s3.buckets.get("lake")?.uploads
          assert.equal(uploads?.size, 1)
          const sent = performance.now()
          program.kill(signal)
          assertCode(yield* Effect.promise(() => program.ended), code)
          assert.ok(performance.now() - sent < 10_000)
          assert.equal(uploads.size, 0)
          assert.deepEqual(
            (yield* spooled(folder)).map((path) => path.split("/").length),
            [3]
          )
          assertCode(yield* machine.run(...args), 0)
          const { bytes } = lake.s3.buckets
            .get("lake")
            ?.objects.get("python-import/2025-11-10_12.jsonl") ?? { bytes: Buffer.alloc(0) }
          assert.ok(bytes.length > 64 * 1024 * 1024)
          assert.equal(uploads.size, 0)
        })
      )
    }

    it.scoped.runIf(isLong)(
      "puts nothing twice when a dead run's request arrives after the next run",
      () =>
        Effect.gen(function* () {
          const lake = yield* makeLake
          const machine = yield* lake.machine
          const args = ["all", ...windowOf(0, 2), ...ONE]
          const held = lake.store.hold(/^PUT .*_01.jsonl/, "asked")
          const program = yield* machine.start(...args)
          yield* Effect.promise(() => Promise.race([held, program.ended]))
          program.kill("SIGKILL")
          yield* Effect.promise(() => program.ended)
          assertCode(yield* machine.run(...args), 0)
          const before = lake.s3.buckets
            .get("lake")
            ?.objects.get("python-import/2025-11-10_01.jsonl")
          const status = yield* Effect.promise(async () => (await held).letGo())
          assert.equal(status, 412)
          const after = lake.s3.buckets
            .get("lake")
            ?.objects.get("python-import/2025-11-10_01.jsonl")
          assert.ok(before !== undefined && before === after)
          assertLanded(lake, 0, 2)
        })
    )
  })
})
