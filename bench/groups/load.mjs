import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { runNode } from "../processes.mjs"
import { BUCKET } from "../stores.mjs"
import { atMost, peaksOf } from "./_group.mjs"
import { assert, assertEnded, inFolder, MAIN, PEERS, runProgram } from "./_runs.mjs"
import { ask, once } from "./_warehouse.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Claim} Claim
 * @typedef {import("./_group.mjs").Group} Group
 */

const FILE = "lake.duckdb"

const sizeOf = async (/** @type {string} */ file) => (await stat(file)).size

/** Whether each hour has its lines, and the ledger row of them. @param {Bench} bench @param {string} file */
async function checkLoaded({ data }, file) {
  const rows = await ask(
    file,
    `select strftime(hour, '%Y-%m-%dT%H') as hour, events::double as events, lineset, stored::double as stored, last::double as last
     from amplitude.loads full join (select hour, count(*) as stored, max(line) as last from amplitude.events_raw group by 1) using (hour)`
  )
  const hours = Object.entries(data.day.hours)
  assert(rows.length === hours.length, `${rows.length} of ${hours.length} hours are loaded`)
  for (const [hour, { events, lineset }] of hours) {
    const row = rows.find((one) => one.hour === hour)
    const isRight =
      row?.lineset === lineset.toString(16).padStart(12, "0") &&
      [row.events, row.stored, row.last].every((count) => count === events)
    assert(isRight, `${hour} has other lines than landed`)
  }
}

/** @param {Bench} bench @returns {Group} */
export function load(bench) {
  const { data, folder, store } = bench
  const lake = join(folder, "lake")
  const objects = join(lake, "python-import")
  const total = Object.values(data.day.hours).reduce((sum, { events }) => sum + events, 0)

  const inLake = ["--store", "local", "--local-dir", lake]
  const land = (/** @type {ReadonlyArray<string>} */ args) =>
    once(() => runProgram(bench, store.env, "all", data.day, ["--format", "jsonl.gz", ...args]))
  const landInFolder = land(inLake)
  const landInStore = land([])

  const shareOf = async (/** @type {string} */ file) => {
    const names = await readdir(objects)
    const sizes = await Promise.all(names.map((name) => sizeOf(join(objects, name))))
    return (await sizeOf(file)) / sizes.reduce((sum, size) => sum + size, 0)
  }

  /** @type {(name: string, label: string, land: () => Promise<unknown>, args: ReadonlyArray<string>) => Case} */
  const ours = (name, label, land, args) => ({
    name,
    label,
    run: async () => {
      await land()
      return inFolder(bench, async (cwd) => {
        const env = { AWS_BUCKET_NAME: BUCKET, ...store.env }
        const ended = await runNode([MAIN, "load", "--json", ...args], { cwd, env })
        assertEnded("load", ended)
        await checkLoaded(bench, join(cwd, FILE))
        return { ...ended, share: await shareOf(join(cwd, FILE)) }
      })
    }
  })
  /** @type {(name: string, label: string) => Case} */
  const peer = (name, label) => ({
    name,
    label,
    isPeer: true,
    run: async () => {
      await landInFolder()
      return inFolder(bench, async (cwd) => {
        const args = [join(PEERS, "duckdb.mjs"), name, join(objects, "*.jsonl.gz"), FILE]
        const ended = await runNode(args, { cwd })
        assertEnded(name, ended)
        const [row] = await ask(join(cwd, FILE), "select count(*)::double as events from events")
        assert(row?.events === total, `${row?.events} of ${total} events are in the table`)
        return { ...ended, share: await shareOf(join(cwd, FILE)) }
      })
    }
  })
  const own = ["folder", "s3"]
  return {
    name: "load",
    title: "The day from `jsonl.gz` into a DuckDB file",
    cases: [
      ours("folder", "`load` from a folder, verified", landInFolder, inLake),
      ours("s3", "`load` from the store, verified", landInStore, []),
      peer("read_json", "`read_json` into columns, from the folder, nothing verified"),
      peer(
        "read_ndjson_objects",
        "`read_ndjson_objects` into one, from the folder, nothing verified"
      )
    ],
    claims: [
      atMost(8, "`load` from a folder: time relative to `read_json`", "folder", "read_json", 0.9),
      atMost(8, "`load` from the store: time relative to `read_json`", "s3", "read_json", 0.9),
      /** @type {Claim} */ ({
        line: 8,
        text: "`load`: highest peak",
        unit: "bytes",
        limit: 480e6,
        of: own,
        value: (samples) => ({ median: Math.max(...own.flatMap((name) => peaksOf(samples[name]))) })
      }),
      /** @type {Claim} */ ({
        line: 8,
        text: "`load`: the file relative to the `jsonl.gz`",
        unit: "share",
        limit: 0.85,
        of: own,
        value: (samples) => {
          const shares = own.flatMap((name) => samples[name] ?? []).map(({ share = NaN }) => share)
          return { median: Math.max(...shares) }
        }
      })
    ],
    finish: () => store.empty()
  }
}
