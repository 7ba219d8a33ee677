// Measures the program against its peers, case by case in turn, and writes what came of it into docs/benchmarks.md.
//
//   npm run bench                      everything: a warm-up and five rounds, about an hour
//   npm run bench -- --quick           small data, one round: does every case finish, and is it right? Leaves out models and peers
//   npm run bench -- --only NAMES      some groups, with commas between them: day, folder, unpack, load, redact, models, peers,
//                                      memory, plan, start, growth, azure
//   npm run bench -- --size fifth      a day of 201,600 events instead of 1.08 million
//   npm run bench -- --runs N          other than five rounds
//   npm run bench -- --out FOLDER      the pages go there; with --quick, --size, --only or fewer rounds they go nowhere else
//
// AIRBYTE_MANIFEST names the folder with Airbyte's manifest.yaml and components.py; without it `peers` leaves PyAirbyte out.
//
// Exits 1 if a case failed or was wrong; a whole run also if a claim that must hold does not.
import { mkdir, mkdtemp, rm } from "node:fs/promises"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { isSize, prepare, SIZES } from "./data.mjs"
import { GROUP_NAMES, groupsOf } from "./groups.mjs"
import { KEYS } from "./groups/_runs.mjs"
import { machine, notInstalled, toolVersions } from "./machine.mjs"
import { interrupted, ROOT, serve } from "./processes.mjs"
import { claimsOf, printed, writePages } from "./report.mjs"
import { openDiscarding, openStore } from "./stores.mjs"

const ROUNDS = 5

/** @param {string} text */
const say = (text) => console.error(`bench: ${text}`)

function options() {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      runs: { type: "string" },
      size: { type: "string" },
      out: { type: "string" }
    }
  })
  const { quick, out } = values
  const only = values.only?.split(",")
  const runs = Number(values.runs ?? (quick ? 1 : ROUNDS))
  if (only !== undefined && !only.every((name) => GROUP_NAMES.includes(name))) {
    throw new TypeError(`--only names groups, of ${GROUP_NAMES.join(", ")}`)
  }
  if (!Number.isSafeInteger(runs) || runs < 1) throw new TypeError("--runs is a whole number")
  const size = quick ? "quick" : (values.size ?? "whole")
  if (!isSize(size)) throw new TypeError(`--size is one of ${Object.keys(SIZES).join(", ")}`)
  const isWhole = size === "whole" && only === undefined && runs >= ROUNDS
  return {
    quick,
    size,
    only,
    runs,
    isWhole,
    out: out ?? (isWhole ? join(ROOT, "docs") : undefined)
  }
}

/**
 * Runs a group's cases in turn, so that what slows the machine for a while slows them all. The first of all rounds is the
 * warm-up, but in a quick run, which has no other.
 *
 * @param {import("./groups/_group.mjs").Group} group
 * @param {{ runs: number, quick: boolean, missing: (one: import("./groups/_group.mjs").Case) => string | undefined }} how
 */
async function measure({ cases, name }, { runs, quick, missing }) {
  /** @type {Record<string, Array<import("./groups/_group.mjs").Sample>>} */
  const samples = {}
  /** @type {Record<string, string>} */
  const failures = {}
  const rounds = quick ? runs : runs + 1
  for (let round = 0; round < rounds; round++) {
    for (const one of cases) {
      if (missing(one) !== undefined || failures[one.name] !== undefined) continue
      interrupted.throwIfAborted()
      try {
        const { seconds, peak, cpu, share, own, calls } = await one.run(round === 0)
        const isWarmUp = !quick && round === 0
        if (!isWarmUp) (samples[one.name] ??= []).push({ seconds, peak, cpu, share, own, calls })
        say(`${name} ${round + 1}/${rounds}  ${one.name}: ${seconds.toFixed(2)} s`)
      } catch (error) {
        if (interrupted.aborted) throw error
        failures[one.name] = String(error)
        say(`${name} ${round + 1}/${rounds}  ${one.name} FAILED: ${failures[one.name]}`)
      }
    }
  }
  return { samples, failures }
}

/** @param {ReturnType<typeof options>} how @param {Array<() => unknown>} closers to be called last to first, whatever happens */
async function bench({ quick, size, only, runs, isWhole, out }, closers) {
  const data = await prepare(size, say)
  const folder = await mkdtemp(join(data.folder, "..", "work-"))
  closers.push(() => rm(folder, { recursive: true, force: true }))

  const versions = toolVersions()
  const missing = (/** @type {import("./groups/_group.mjs").Case} */ { needs = [], lacks }) => {
    const tool = needs.find((tool) => versions[tool] === undefined)
    return tool === undefined ? lacks : notInstalled(tool)
  }
  const { AMP_API_KEY, AMP_SECRET_KEY } = KEYS
  const exports = await serve("servers/export.mjs", [data.folder, AMP_API_KEY, AMP_SECRET_KEY])
  closers.push(exports.close)
  const discarding = await openDiscarding()
  closers.push(discarding.close)
  const store = await openStore({ folder, isHasty: quick, say })
  closers.push(store.close)

  const results = []
  for (const group of groupsOf({ data, exports, store, discarding, folder })) {
    if (only === undefined ? quick && group.isSlow : !only.includes(group.name)) continue
    for (const one of group.cases) {
      const why = missing(one)
      if (why !== undefined) say(`${group.name}  ${one.name} is not measured: ${why}`)
    }
    const { samples, failures } = await measure(group, { runs, quick, missing })
    await group.finish?.()
    const absent = Object.fromEntries(
      group.cases.map((one) => [
        one.name,
        failures[one.name] === undefined ? missing(one) : "failed"
      ])
    )
    results.push({ group, samples, absent, hasFailed: Object.keys(failures).length > 0 })
  }

  const claims = results.flatMap(claimsOf)
  const hasFailed = results.some((result) => result.hasFailed)
  console.log(printed(results, quick ? [] : claims))
  if (out !== undefined) {
    await mkdir(out, { recursive: true })
    const tools = Object.values(versions).filter((version) => version !== undefined)
    const made = { ...machine(), tools, store: store.name, runs, quick, only, data }
    await writePages(out, results, claims, made)
    say(`written to ${out}`)
  }
  if (quick) say(hasFailed ? "something failed" : "every case finished, and was right")
  return hasFailed || (isWhole && claims.some(({ holds }) => holds === false)) ? 1 : 0
}

async function main() {
  let how
  try {
    how = options()
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return 2
  }
  /** @type {Array<() => unknown>} */
  const closers = []
  try {
    return await bench(how, closers)
  } catch (error) {
    if (interrupted.aborted) return interrupted.reason
    say(error instanceof Error ? `${error.stack}` : String(error))
    return 1
  } finally {
    for (const close of closers.toReversed()) await close()
  }
}

process.exit(await main())
