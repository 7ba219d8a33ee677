import { cp, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { gunzipSync } from "node:zlib"
import { runNode } from "../processes.mjs"
import { atMost, peaksOf } from "./_group.mjs"
import { assert, assertEnded, inFolder, MAIN, runProgram } from "./_runs.mjs"
import { once } from "./_warehouse.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Claim} Claim
 * @typedef {import("./_group.mjs").Group} Group
 */

/** With more ids, every line is parsed. */
const MOST_IDS = 16
const FORMATS = ["jsonl.gz", "jsonl"]

/** The users of each object that can be named in ASCII. @param {string} folder */
async function usersOf(folder) {
  const names = (await readdir(folder)).filter((name) => /\.jsonl(?:\.gz)?$/.test(name))
  return Promise.all(
    names.map(async (name) => {
      const bytes = await readFile(join(folder, name))
      const lines = String(name.endsWith(".gz") ? gunzipSync(bytes) : bytes)
      const users = [...lines.matchAll(/"user_id":"([!-~]+?)"/g)].map(([, user = ""]) => user)
      return new Set(users)
    })
  )
}

/** Few people who are in as many of the objects as can be. @param {string} folder */
async function peopleOf(folder) {
  let left = (await usersOf(folder)).filter(({ size }) => size > 0)
  /** @type {Array<string>} */
  const people = []
  while (left.length > 0 && people.length < MOST_IDS) {
    /** @type {Map<string, number>} */
    const counts = new Map()
    for (const user of left.flatMap((users) => [...users])) {
      counts.set(user, (counts.get(user) ?? 0) + 1)
    }
    const [[next] = [""]] = [...counts].sort(([, one], [, other]) => other - one)
    people.push(next)
    left = left.filter((users) => !users.has(next))
  }
  return people
}

/** @type {(format: string, name: string, text: string, limit: number) => Claim} */
const relative = (format, name, text, limit) =>
  atMost(
    9,
    `\`${format}\`: ${text}: time relative to \`verify --parse\``,
    `${name} ${format}`,
    `verify ${format}`,
    limit
  )

/** @type {(lake: string) => ReadonlyArray<string>} */
const inLake = (lake) => ["--store", "local", "--local-dir", lake]

/** @param {Bench} bench @returns {Group} */
export function redact(bench) {
  const { data, folder } = bench
  const lakeOf = (/** @type {string} */ format) => join(folder, `redact-${format}`)

  const landed = Object.fromEntries(
    FORMATS.map((format) => [
      format,
      once(async () => {
        const args = ["--format", format, ...inLake(lakeOf(format))]
        await runProgram(bench, {}, "all", data.day, args)
        return peopleOf(join(lakeOf(format), "python-import"))
      })
    ])
  )

  /** @type {(format: string, name: string, label: string, work: (cwd: string, people: ReadonlyArray<string>) => Promise<import("../processes.mjs").Ended>) => Case} */
  const of = (format, name, label, work) => ({
    name: `${name} ${format}`,
    label: `\`${format}\`: ${label}`,
    run: async () => {
      const people = /** @type {ReadonlyArray<string>} */ (await landed[format]?.())
      return inFolder(bench, (cwd) => work(cwd, people))
    }
  })
  const cases = FORMATS.flatMap((format) => [
    of(format, "verify", "`verify --parse`", async (cwd) => {
      const ended = await runNode(
        [MAIN, "verify", "--parse", "--json", ...inLake(lakeOf(format))],
        { cwd }
      )
      assertEnded("verify", ended)
      return ended
    }),
    of(format, "nobody", "`redact --yes` of somebody who is nowhere", async (cwd) => {
      const whom = ["--user-id", "nobody@example.com", "--yes"]
      const args = [MAIN, "redact", "--json", ...whom, ...inLake(lakeOf(format))]
      const ended = await runNode(args, { cwd })
      assertEnded("redact", ended)
      assert(JSON.parse(ended.stdout).found.length === 0, "somebody who is nowhere was found")
      return ended
    }),
    of(format, "everywhere", "`redact --yes` that rewrites every object", async (cwd, people) => {
      await cp(lakeOf(format), join(cwd, "lake"), { recursive: true })
      const whom = [...people.flatMap((id) => ["--user-id", id]), "--yes"]
      const ended = await runNode([MAIN, "redact", "--json", ...whom, ...inLake("lake")], { cwd })
      assertEnded("redact", ended)
      const { found, searched } = JSON.parse(ended.stdout)
      const isMost = found.length >= searched.objects * 0.8
      assert(isMost, `only ${found.length} of ${searched.objects} objects were rewritten`)
      const again = await runNode([MAIN, "verify", "--json", ...inLake("lake")], { cwd })
      assertEnded("verify", again)
      return ended
    })
  ])
  const all = cases.map(({ name }) => name)
  return {
    name: "redact",
    title: "Removing people from the day, in a folder",
    cases,
    claims: [
      ...FORMATS.flatMap((format) => [
        relative(format, "nobody", "`redact` of nobody", 1),
        relative(format, "everywhere", "`redact` of every object", 1.5)
      ]),
      /** @type {Claim} */ ({
        line: 9,
        text: "`redact`: highest peak",
        unit: "bytes",
        limit: 250e6,
        of: all,
        value: (samples) => ({ median: Math.max(...all.flatMap((name) => peaksOf(samples[name]))) })
      })
    ]
  }
}
