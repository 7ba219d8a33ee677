// Makes hours of synthetic events as Amplitude sends them: parts of gzipped lines in a zip.
import { createHash } from "node:crypto"
import { closeSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { crc32, gzipSync } from "node:zlib"
import { Zip, ZipPassThrough } from "fflate"
import { linesOf } from "../dist/layers/synthetic/lines.js"
import { Hour } from "../dist/services/Hour.js"

const PROJECT = "123456"

// As Amplitude's archives are compressed.
const LEVEL = 4

/**
 * @typedef {object} Digest of lines
 * @property {number} events
 * @property {number} bytes with a newline at the end of each line
 * @property {number} lineset the sum of each line's CRC-32, modulo 2^48
 *
 * @typedef {object} Part
 * @property {Buffer} lines each ending in a newline
 * @property {Buffer} sent the lines as Amplitude sends them
 * @property {Buffer} gzip what is sent, compressed
 * @property {Digest} digest
 *
 * @typedef {{ readonly hour: string, readonly parts: ReadonlyArray<Pick<Part, "gzip" | "digest">> }} HourParts
 *
 * @typedef {object} World what an Export API may return
 * @property {string} first hour, as 2025-11-10T00
 * @property {string} last hour
 * @property {string} archive the file's name
 * @property {number} archiveBytes
 * @property {Record<string, Digest>} hours by hour, as they are to land
 */

/** The name that Amplitude gives a part, but for its suffix `.gz`. @param {string} hour @param {number} number */
export function partName(hour, number) {
  return `${PROJECT}_${hour.slice(0, 10)}_${Number(hour.slice(11))}#${number}.json`
}

/** @param {Buffer} lines @returns {Digest} */
function digestOf(lines) {
  let [events, lineset] = [0, 0]
  for (let at = 0; at < lines.length; events++) {
    const end = lines.indexOf(10, at)
    lineset += crc32(lines.subarray(at, end))
    at = end + 1
  }
  return { events, bytes: lines.length, lineset: lineset % 2 ** 48 }
}

/** @param {ReadonlyArray<Digest>} digests @returns {Digest} */
function sum(digests) {
  const total = { events: 0, bytes: 0, lineset: 0 }
  for (const { events, bytes, lineset } of digests) {
    total.events += events
    total.bytes += bytes
    total.lineset = (total.lineset + lineset) % 2 ** 48
  }
  return total
}

/** @param {Buffer} bytes */
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex")

/**
 * Parts of an hour, the same for the same arguments.
 *
 * @param {string} hour
 * @param {number} parts how many
 * @param {number} events in each of them
 * @param {boolean} isOpen the last part lacks its final newline, as some of Amplitude's do
 * @returns {Generator<Part>}
 */
export function* makeParts(hour, parts, events, isOpen) {
  // Enough for the quietest hours: an hour of the night has 0.36 times the average.
  const eventsPerHour = 100 + Math.ceil((parts * events) / 0.3)
  const world = { project: PROJECT, eventsPerHour, visitors: 20_000, mostEvents: 1000 }
  const lines = (/** @type {string} */ name) =>
    linesOf({ ...world, name, hasBrokenLines: false }, Hour.make(hour))
  // An hour without events in one world has some in another.
  let name = "bench"
  while (lines(name).next().done) name += "-"
  const all = lines(name)
  for (let number = 0; number < parts; number++) {
    const texts = []
    while (texts.length < events) texts.push(all.next().value)
    const lines = Buffer.from(texts.join(""))
    const sent = isOpen && number === parts - 1 ? lines.subarray(0, -1) : lines
    yield { lines, sent, gzip: gzipSync(sent, { level: LEVEL }), digest: digestOf(lines) }
  }
}

/**
 * Writes an archive of consecutive hours, named by their window: a zip of stored entries with data descriptors.
 *
 * @param {string} folder
 * @param {ReadonlyArray<HourParts>} hours
 * @returns {World}
 */
export function writeArchive(folder, hours) {
  const [first = "", last = ""] = [hours[0]?.hour, hours.at(-1)?.hour]
  const archive = `${first}-${last}.zip`.replaceAll(/(\d{4})-(\d\d)-(\d\d)/g, "$1$2$3")
  const file = openSync(join(folder, archive), "wx")
  let archiveBytes = 0
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    archiveBytes += chunk.length
    writeFileSync(file, chunk)
  })
  const add = (/** @type {string} */ name, /** @type {Uint8Array} */ bytes) => {
    const entry = new ZipPassThrough(`${PROJECT}/${name}`)
    entry.mtime = new Date(2025, 0, 1)
    zip.add(entry)
    entry.push(bytes, true)
  }
  add("", new Uint8Array())
  for (const { hour, parts } of hours) {
    for (const [number, { gzip }] of parts.entries()) add(`${partName(hour, number)}.gz`, gzip)
  }
  zip.end()
  closeSync(file)
  const digests = hours.map(({ hour, parts }) => [hour, sum(parts.map(({ digest }) => digest))])
  return { first, last, archive, archiveBytes, hours: Object.fromEntries(digests) }
}
