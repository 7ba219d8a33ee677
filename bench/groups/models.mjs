import { copyFile, readFile } from "node:fs/promises"
import { join } from "node:path"
import { DBT_PYTHON } from "../machine.mjs"
import { ROOT, run, runNode } from "../processes.mjs"
import { ratio } from "../statistics.mjs"
import { atMost, peaksOf } from "./_group.mjs"
import { assert, assertEnded, inFolder, MAIN, PEERS, runProgram } from "./_runs.mjs"
import { ask, once } from "./_warehouse.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Claim} Claim
 * @typedef {import("./_group.mjs").Group} Group
 * @typedef {import("./_group.mjs").Sample} Sample
 */

const FILE = "lake.duckdb"
const PROJECT = join(ROOT, "dbt")

/** Runs dbt on the file in a folder. @param {string} cwd @param {string} command */
async function dbt(cwd, command) {
  const usage = join(cwd, "usage.json")
  const folders = ["--project-dir", PROJECT, "--profiles-dir", PROJECT, "--target", "duckdb"]
  const own = ["--target-path", join(cwd, "target"), "--log-path", join(cwd, "logs")]
  const args = [join(PEERS, "run_dbt.py"), command, ...folders, ...own]
  const env = { BENCH_USAGE: usage, AMPLITUDE_LAKE_WAREHOUSE_FILE: join(cwd, FILE) }
  const ended = await run(DBT_PYTHON, args, { cwd, env })
  assertEnded(`dbt ${command}`, ended)
  const { cpu, peak } = JSON.parse(await readFile(usage, "utf8"))
  const { results } = JSON.parse(await readFile(join(cwd, "target", "run_results.json"), "utf8"))
  const times = results.map((/** @type {{ execution_time: number }} */ it) => it.execution_time)
  return {
    seconds: ended.seconds,
    peak,
    cpu,
    own: times.reduce((/** @type {number} */ sum, /** @type {number} */ time) => sum + time, 0)
  }
}

/** @param {string} cwd @param {number} events */
async function checkEvents(cwd, events) {
  const [row] = await ask(
    join(cwd, FILE),
    "select count(*)::double as events from analytics.fct_events"
  )
  assert(row?.events === events, `${row?.events} of ${events} events are in the models`)
}

/** @param {Bench} bench @returns {Group} */
export function models(bench) {
  const { data, folder, store } = bench
  const lake = join(folder, "models-lake")
  const loaded = join(folder, "models-loaded.duckdb")
  const built = join(folder, "models-built.duckdb")
  const hours = Object.keys(data.day.hours).sort()
  const [first = "", last = "", beforeLast = ""] = [hours[0], hours.at(-1), hours.at(-2)]
  const eventsOf = (/** @type {ReadonlyArray<string>} */ some) =>
    some.reduce((sum, hour) => sum + (data.day.hours[hour]?.events ?? 0), 0)

  const inLake = ["--store", "local", "--local-dir", lake]
  const load = async (
    /** @type {string} */ cwd,
    /** @type {string} */ from,
    /** @type {string} */ to
  ) => {
    const window = ["--start-date", from, "--end-date", to]
    assertEnded("load", await runNode([MAIN, "load", ...inLake, ...window], { cwd }))
  }
  const prepare = once(async () => {
    await runProgram(bench, store.env, "all", data.day, ["--format", "jsonl.gz", ...inLake])
    await inFolder(bench, async (cwd) => {
      await load(cwd, first, beforeLast)
      await copyFile(join(cwd, FILE), loaded)
    })
  })
  /** @type {(work: (cwd: string) => Promise<Sample>) => () => Promise<Sample>} */
  const onCopy = (work) => async () => {
    await prepare()
    return inFolder(bench, async (cwd) => {
      await copyFile(loaded, join(cwd, FILE))
      return work(cwd)
    })
  }
  const most = eventsOf(hours.slice(0, -1))
  const all = ["model", "dbt", "hour"]
  return {
    name: "models",
    isSlow: true,
    title: "Models of the day but for its last hour, in a DuckDB file",
    cases: [
      {
        name: "model",
        label: "`model`: the compiled SQL",
        run: onCopy(async (cwd) => {
          const ended = await runNode([MAIN, "model"], { cwd })
          assertEnded("model", ended)
          await checkEvents(cwd, most)
          return ended
        })
      },
      {
        name: "dbt",
        label: "`dbt run`, everything",
        needs: ["dbt"],
        run: onCopy(async (cwd) => {
          await dbt(cwd, "seed")
          const sample = await dbt(cwd, "run")
          await checkEvents(cwd, most)
          await copyFile(join(cwd, FILE), built)
          return sample
        })
      },
      {
        name: "hour",
        label: "`dbt run` after one more hour",
        needs: ["dbt"],
        run: () =>
          inFolder(bench, async (cwd) => {
            await copyFile(built, join(cwd, FILE))
            await load(cwd, last, last)
            const sample = await dbt(cwd, "run")
            await checkEvents(cwd, eventsOf(hours))
            return sample
          })
      }
    ],
    claims: [
      atMost(9, "`dbt run`: time relative to the compiled SQL", "dbt", "model", 1.5),
      /** @type {Claim} */ ({
        line: 9,
        text: "one more hour: the models' own time relative to that of everything",
        unit: "ratio",
        limit: 0.25,
        of: ["dbt", "hour"],
        value: (samples) => {
          const [one = [], other = []] = [samples.hour, samples.dbt].map((some = []) =>
            some.map(({ own = NaN }) => own)
          )
          return ratio(one, other)
        }
      }),
      /** @type {Claim} */ ({
        line: 9,
        text: "models: highest peak",
        unit: "bytes",
        limit: 1.5e9,
        of: all,
        value: (samples) => ({ median: Math.max(...all.flatMap((name) => peaksOf(samples[name]))) })
      })
    ]
  }
}
