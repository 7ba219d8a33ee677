import { join } from "node:path"
import { AIRBYTE_PYTHON, PEERS_PYTHON } from "../machine.mjs"
import { atMost } from "./_group.mjs"
import { AIRBYTE_MANIFEST, assert, inFolder, PEERS, runPeerIn, runProgramIn } from "./_runs.mjs"
import { ask } from "./_warehouse.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Group} Group
 */

const FILE = "lake.duckdb"

/** @param {Bench} bench @returns {Group} */
export function peers(bench) {
  const { data, store } = bench
  const hours = Object.keys(data.day.hours).sort().slice(0, 6)
  const window = { first: hours[0] ?? "", last: hours.at(-1) ?? "" }
  const expected = hours.reduce((sum, hour) => sum + (data.day.hours[hour]?.events ?? 0), 0)

  /** @type {(cwd: string, table: string) => Promise<void>} */
  const check = async (cwd, table) => {
    const [row] = await ask(join(cwd, FILE), `select count(*)::double as events from ${table}`)
    assert(row?.events === expected, `${row?.events} of ${expected} events are in the table`)
  }
  /** @type {(name: string, format: string) => Case} */
  const ours = (name, format) => ({
    name,
    label: `\`all --load --format ${format}\`, verified`,
    run: () =>
      inFolder(bench, async (cwd) => {
        const args = ["--store", "local", "--local-dir", "lake", "--load", "--format", format]
        const ended = await runProgramIn(bench, cwd, store.env, "all", window, args)
        await check(cwd, "amplitude.events_raw")
        return ended
      })
  })
  /** @type {(python: string, script: string) => Case["run"]} */
  const theirs = (python, script) => () =>
    inFolder(bench, async (cwd) => {
      const ended = await runPeerIn(bench, cwd, python, [join(PEERS, script), FILE], window)
      await check(cwd, "peer.events")
      return ended
    })
  return {
    name: "peers",
    title: "Six hours of the day from the Export API into a DuckDB file",
    isSlow: true,
    cases: [
      ours("ours", "jsonl"),
      ours("ours-gz", "jsonl.gz"),
      {
        name: "dlt",
        label: "dlt, appended by its Parquet loader into columns, nothing verified",
        isPeer: true,
        needs: ["dlt"],
        run: theirs(PEERS_PYTHON, "dlt_events.py")
      },
      {
        name: "airbyte",
        label: "PyAirbyte with Airbyte's manifest, appended into columns",
        isPeer: true,
        needs: ["PyAirbyte"],
        lacks: AIRBYTE_MANIFEST
          ? undefined
          : "AIRBYTE_MANIFEST is not set to a folder with Airbyte's manifest.yaml and components.py",
        run: theirs(AIRBYTE_PYTHON, "airbyte_events.py")
      }
    ],
    claims: [atMost(10, "six hours into a DuckDB file: time relative to dlt", "ours", "dlt", 0.5)]
  }
}
