import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { Effect, type Scope } from "effect"
import { temporaryFolder } from "../fixtures/disk.ts"
import { type Program, run, start, startSimulator } from "../fixtures/process/program.ts"
import { database, query } from "./_database.ts"
import { openGate } from "./_gate.ts"
import { folderLake, type Lake, linesIn } from "./_lakes.ts"

export const KEYS = { AMP_API_KEY: "canary-api-key", AMP_SECRET_KEY: "canary-secret-key" }

/** A lake, by default in a folder; a source behind a gate, a database, and the commands for them. */
export const makeFleet = Effect.fn("makeFleet")(function* (
  first: string,
  last: string,
  given?: Lake
) {
  const folder = yield* temporaryFolder
  const it = given ?? folderLake(join(folder, "lake"))
  const url = yield* database
  const simulator = yield* startSimulator(["--events-per-hour", "6"], { folder, env: KEYS })
  const gate = yield* openGate(simulator.origin)
  const env = { ...KEYS, ...it.env, AMPLITUDE_LAKE_DATABASE_URL: url }
  const lake = [...it.args, "--amplitude-url", gate.origin]
  const dates = ["--start-date", first, "--end-date", last]
  let machines = 0

  /** Starts a program in a folder of its own, as on a machine of its own. */
  const onMachine = (
    args: ReadonlyArray<string>,
    more: Readonly<Record<string, string>> = {}
  ): Effect.Effect<Program, never, Scope.Scope> =>
    Effect.gen(function* () {
      const own = join(folder, `machine${(machines += 1)}`)
      yield* Effect.promise(() => mkdir(own))
      return yield* start(args, { folder: own, env: { ...env, ...more } })
    })
  return {
    url,
    gate,
    folder,
    dates,
    onMachine,
    worker: (...args: ReadonlyArray<string>) => onMachine(["worker", ...lake, ...args]),
    /** A worker with more in its environment. */
    workerBy: (more: Readonly<Record<string, string>>) => onMachine(["worker", ...lake], more),
    backfill: (...args: ReadonlyArray<string>) =>
      onMachine(["backfill", ...lake, ...dates, ...args]),
    query: (sql: string) => Effect.promise(() => query(url, sql)),
    /** The objects of the lake that have lines, and those that the same events have written to a folder. */
    compared: Effect.gen(function* () {
      const dump = join(folder, "dump")
      yield* run(["simulate", "--events-per-hour", "6", "--dump", dump, ...dates], { folder })
      return [yield* it.lines, yield* linesIn(dump)]
    })
  }
})

/** Waits, looking every tenth of a second, for up to two minutes. */
export const until = <A, E, R>(look: Effect.Effect<A, E, R>, isTrue: (found: A) => boolean) =>
  look.pipe(
    Effect.delay("100 millis"),
    Effect.repeat({ until: isTrue }),
    Effect.timeout("2 minutes"),
    Effect.orDie
  )

/** How a program ended. */
export const ended = (program: Program) => Effect.promise(() => program.ended)
