// The archives that everything is measured with: the same on every machine, made once, in a folder out of git.
import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { setImmediate } from "node:timers/promises"
import { fileURLToPath } from "node:url"
import { makeParts, partName, sha256, writeArchive } from "./archives.mjs"
import { interrupted } from "./processes.mjs"

/** How much: the whole makes a day of 1.08 million events, about 2.9 GB of lines. */
export const SIZES = {
  whole: { partEvents: 15_000, days: 10, smallEvents: 100, smallDays: 30, landedDays: 1095 },
  fifth: { partEvents: 2_800, days: 2, smallEvents: 10, smallDays: 2, landedDays: 90 },
  quick: { partEvents: 60, days: 2, smallEvents: 10, smallDays: 2, landedDays: 90 }
}

/** @param {string} name @returns {name is keyof typeof SIZES} */
export const isSize = (name) => Object.hasOwn(SIZES, name)

const PARTS = 3
const DAY = "2025-11-10"
const FIRST_OF_DAYS = "2025-10-01"
const BIG_HOUR = "2025-09-15T00"
const FIRST_OF_SMALL = "2025-08-01"

const FOLDER = fileURLToPath(new URL("data", import.meta.url))
const SYNTHETIC = "../dist/layers/synthetic/"
const SOURCES = [
  "archives.mjs",
  "data.mjs",
  ...readdirSync(new URL(SYNTHETIC, import.meta.url))
    .filter((name) => name.endsWith(".js"))
    .map((name) => SYNTHETIC + name)
]

/**
 * @typedef {import("./archives.mjs").World} World
 *
 * @typedef {object} Data
 * @property {World} day 24 hours in one archive; there are four of six hours, too
 * @property {World} days such days in one archive
 * @property {World} hour one hour that has the parts of the day
 * @property {World} small hours of few events, an archive a day; `archive` is the first of these
 * @property {Record<string, { readonly bytes: number, readonly sha256: string }>} objects the lines of each hour and each part
 *   of the day, by the names that they may land under: `2025-11-10_21.jsonl`, `123456_2025-11-10_21#0.json`
 */

/** The days from one on. @param {string} first @param {number} count */
export function daysFrom(first, count) {
  const start = Date.parse(first)
  return Array.from({ length: count }, (_, index) =>
    new Date(start + index * 86_400_000).toISOString().slice(0, 10)
  )
}

/** @param {string} day */
export function hoursOf(day) {
  return Array.from({ length: 24 }, (_, hour) => `${day}T${String(hour).padStart(2, "0")}`)
}

/** Lets a signal be heard. */
async function breathe() {
  await setImmediate()
  interrupted.throwIfAborted()
}

/** @param {string} folder @param {(typeof SIZES)["whole"]} size @returns {Promise<Data>} */
async function make(folder, { partEvents, days, smallEvents, smallDays }) {
  /** @type {Data["objects"]} */
  const objects = {}
  /** @type {import("./archives.mjs").HourParts[]} */
  const hours = []
  for (const hour of hoursOf(DAY)) {
    const parts = []
    const lines = []
    for (const part of makeParts(hour, PARTS, partEvents, true)) {
      objects[partName(hour, parts.length)] = { bytes: part.sent.length, sha256: sha256(part.sent) }
      lines.push(part.lines)
      parts.push({ gzip: part.gzip, digest: part.digest })
      await breathe()
    }
    const all = Buffer.concat(lines)
    objects[`${hour.replace("T", "_")}.jsonl`] = { bytes: all.length, sha256: sha256(all) }
    hours.push({ hour, parts })
  }
  for (let first = 0; first < 24; first += 6) writeArchive(folder, hours.slice(first, first + 6))

  const repeated = daysFrom(FIRST_OF_DAYS, days).flatMap((day) =>
    hours.map(({ hour, parts }) => ({ hour: hour.replace(DAY, day), parts }))
  )
  const big = { hour: BIG_HOUR, parts: hours.flatMap(({ parts }) => parts) }

  const smalls = []
  for (const day of daysFrom(FIRST_OF_SMALL, smallDays)) {
    const made = hoursOf(day).map((hour) => ({
      hour,
      parts: [...makeParts(hour, 1, smallEvents, false)]
    }))
    smalls.push(writeArchive(folder, made))
    await breathe()
  }
  const small = {
    first: smalls[0]?.first ?? "",
    last: smalls.at(-1)?.last ?? "",
    archive: smalls[0]?.archive ?? "",
    archiveBytes: smalls.reduce((bytes, { archiveBytes }) => bytes + archiveBytes, 0),
    hours: Object.assign({}, ...smalls.map(({ hours }) => hours))
  }
  return {
    day: writeArchive(folder, hours),
    days: writeArchive(folder, repeated),
    hour: writeArchive(folder, [big]),
    small,
    objects
  }
}

/** Changes with whatever the data is made by. @param {object} size */
function keyOf(size) {
  const hash = createHash("sha256").update(JSON.stringify(size))
  for (const file of SOURCES) hash.update(readFileSync(new URL(file, import.meta.url)))
  return hash.digest("hex")
}

/**
 * The data of a size, made unless it is there; whole or not there at all.
 *
 * @param {keyof typeof SIZES} name
 * @param {(text: string) => void} say
 * @returns {Promise<Data & { readonly folder: string, readonly size: (typeof SIZES)["whole"] }>}
 */
export async function prepare(name, say) {
  const size = SIZES[name]
  const key = keyOf(size)
  const folder = join(FOLDER, name)
  const known = await readFile(join(folder, "data.json"), "utf8").then(JSON.parse, () => undefined)
  if (known?.key === key) return { ...known.data, folder, size }
  say(`making the data in ${folder}${name === "whole" ? ", which takes a minute" : ""}`)
  const making = `${folder}.making`
  for (const old of [making, folder]) await rm(old, { recursive: true, force: true })
  await mkdir(making, { recursive: true })
  try {
    const data = await make(making, size)
    await writeFile(join(making, "data.json"), JSON.stringify({ key, data }))
    await rename(making, folder)
    return { ...data, folder, size }
  } finally {
    await rm(making, { recursive: true, force: true })
  }
}
