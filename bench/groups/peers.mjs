import { join } from "node:path"
import { PEERS_PYTHON } from "../machine.mjs"
import { atMost } from "./_group.mjs"
import { assert, inFolder, PEERS, runPeerIn, runProgramIn } from "./_runs.mjs"
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
        run: () =>
          inFolder(bench, async (cwd) => {
            const args = [join(PEERS, "dlt_events.py"), FILE]
            const ended = await runPeerIn(bench, cwd, PEERS_PYTHON, args, window)
            await check(cwd, "peer.events")
            return ended
          })
      }
    ],
    claims: [atMost(10, "six hours into a DuckDB file: time relative to dlt", "ours", "dlt", 0.5)]
  }
}
