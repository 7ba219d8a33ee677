// Presents a run's results: tables for a terminal, and a page with a plot.
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { peaksOf, secondsOf } from "./groups/_group.mjs"
import { plot } from "./plot.mjs"
import { median, spread } from "./statistics.mjs"

/**
 * @typedef {object} Result
 * @property {import("./groups/_group.mjs").Group} group
 * @property {Record<string, ReadonlyArray<import("./groups/_group.mjs").Sample>>} samples
 * @property {Record<string, string | undefined>} absent why a case has no samples
 *
 * @typedef {Omit<import("./groups/_group.mjs").Claim, "value"> & {
 *   readonly value?: Measured,
 *   readonly holds?: boolean,
 *   readonly why?: string | undefined
 * }} Judged
 *
 * @typedef {ReturnType<import("./groups/_group.mjs").Claim["value"]>} Measured
 */

/**
 * Each claim with its measured value, or why it was not measured.
 *
 * @param {Result} result
 * @returns {ReadonlyArray<Judged>}
 */
export function claimsOf({ group, samples, absent }) {
  return group.claims.map(({ value: valueOf, ...claim }) => {
    const why = claim.of.map((name) => absent[name]).find((reason) => reason !== undefined)
    if (why !== undefined) return { ...claim, why }
    const value = valueOf(samples)
    return { ...claim, value, holds: value.median <= claim.limit }
  })
}

/** @param {number} value @param {import("./groups/_group.mjs").Claim["unit"]} unit */
function shown(value, unit) {
  if (unit === "bytes") return `${Math.round(value / 1e6)} MB`
  if (unit === "seconds") return `${value.toFixed(2)} s`
  if (unit === "share") return `${Math.round(value * 100)} %`
  return unit === "ratio" ? value.toFixed(2) : String(value)
}

/** @param {Measured} value @param {import("./groups/_group.mjs").Claim["unit"]} unit */
function withSpread({ median, least, most }, unit) {
  if (least === undefined || most === undefined || least === most) return shown(median, unit)
  return `${shown(median, unit)} (${shown(least, unit)} to ${shown(most, unit)})`
}

/** @param {Judged} claim */
const verdict = ({ holds }) => (holds === undefined ? "not measured" : holds ? "yes" : "**no**")

/** @param {Judged} claim */
const measured = ({ value, unit, why = "" }) =>
  value === undefined ? why : withSpread(value, unit)

/** @param {ReadonlyArray<string>} cells */
const row = (cells) => `| ${cells.join(" | ")} |`

/** @param {ReadonlyArray<string>} head @param {ReadonlyArray<ReadonlyArray<string>>} rows */
const table = (head, rows) =>
  [row(head), row(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(row)].join(
    "\n"
  )

/** @param {ReadonlyArray<Judged>} claims */
function claimsTable(claims) {
  const rows = claims.map((claim) => {
    const { line, text, limit, unit } = claim
    return [`${line}. ${text}`, measured(claim), shown(limit, unit), verdict(claim)]
  })
  return table(["requirement", "measured", "limit", "met"], rows)
}

/** @param {Result} result */
function groupTable({ group, samples, absent }) {
  const rows = group.cases.map(({ name, label }) => {
    const own = samples[name]
    const why = absent[name]
    if (own === undefined || why !== undefined) return [label, `not measured: ${why}`, "", "", ""]
    const seconds = spread(secondsOf(own))
    const peaks = peaksOf(own)
    const cpus = own.map(({ cpu = NaN }) => cpu)
    return [
      label,
      seconds.median.toFixed(2),
      `${seconds.least.toFixed(2)} to ${seconds.most.toFixed(2)}`,
      cpus.some(Number.isNaN) ? "" : median(cpus).toFixed(2),
      peaks.some(Number.isNaN) ? "" : `${Math.round(Math.max(...peaks) / 1e6)} MB`
    ]
  })
  return table([group.title, "seconds", "range", "CPU seconds", "peak memory"], rows)
}

/** For a terminal. @param {ReadonlyArray<Result>} results @param {ReadonlyArray<Judged>} claims */
export function printed(results, claims) {
  const tables = results.map(groupTable)
  return [...tables, ...(claims.length === 0 ? [] : [claimsTable(claims)])].join("\n\n")
}

/**
 * @typedef {ReturnType<typeof import("./machine.mjs").machine> & {
 *   readonly tools: ReadonlyArray<string>,
 *   readonly store: string,
 *   readonly runs: number,
 *   readonly quick: boolean,
 *   readonly only: ReadonlyArray<string> | undefined,
 *   readonly data: import("./groups/_group.mjs").Bench["data"]
 * }} Made
 */

/** @param {ReadonlyArray<Result>} results @param {ReadonlyArray<Judged>} claims @param {Made} made */
function page(results, claims, made) {
  const { cpu, memory, system, node, tools, store, commit, date, runs, quick, only, data } = made
  const command = `npm run bench${only === undefined ? "" : ` -- --only ${only.join(",")}`}`
  const { day, size } = data
  const digests = Object.values(day.hours)
  const total = (/** @type {"events" | "bytes"} */ name) =>
    digests.reduce((sum, digest) => sum + digest[name], 0)
  return `Measured on ${date} by \`${command}\` at ${commit}: medians of ${runs} ${runs === 1 ? "round" : "rounds"}${quick ? " with small data" : " after a warm-up"}.
Every case ran once per round, interleaved with its peers. A ratio compares medians; its lowest and highest value in any round
are in brackets.

${claimsTable(claims)}

![How long each case took, and how much memory it used](benchmarks.svg)

- **The day**: ${Object.keys(day.hours).length} hours, ${total("events").toLocaleString("en")} events, ${(total("bytes") / 1e9).toFixed(2)} GB of lines in an archive of ${Math.round(day.archiveBytes / 1e6)} MB with
  data descriptors. Small hours have ${size.smallEvents} events each. All data is synthetic, and identical wherever it is made.
- **The machine**: ${cpu}, ${memory}, ${system}. The Export API and the store run on the same cores, over loopback.
- **Versions**: ${[node, ...tools].join(", ")}; the store is ${store}.
- Times are those of whole processes, except for unpacking: there the clock runs from opening a downloaded archive until all
  of it is verified. Peak memory is the highest resident set of the whole process in any round. What landed is compared with
  what was sent: every line in the warm-up, every size afterwards.

${results.map(groupTable).join("\n\n")}`
}

const [START, END] = ["<!-- measured: written by npm run bench -->", "<!-- /measured -->"]
const EMPTY_PAGE = `# Benchmarks\n\n${START}\n${END}\n`

/**
 * Writes `benchmarks.svg`, and `benchmarks.md` between its marks. Text outside the marks stays as it is.
 *
 * @param {string} folder
 * @param {ReadonlyArray<Result>} results
 * @param {ReadonlyArray<Judged>} claims
 * @param {Made} made
 */
export async function writePages(folder, results, claims, made) {
  const file = join(folder, "benchmarks.md")
  const known = await readFile(file, "utf8").catch(() => EMPTY_PAGE)
  const [before, rest = END] = known.split(START)
  const after = rest.slice(rest.indexOf(END) + END.length)
  await writeFile(file, `${before}${START}\n${page(results, claims, made)}\n${END}${after}`)
  await writeFile(join(folder, "benchmarks.svg"), plot(results, claims))
}
