// Whether what landed is right.
import { interrupted } from "../processes.mjs"
import { hoursOf } from "../data.mjs"
import { PREFIX } from "../stores.mjs"
import { assert } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 */

/**
 * Whether all of the day landed in a store or folder, and nothing else. The first time every line counts, later every size.
 *
 * @param {Bench} bench
 * @param {Pick<import("../stores.mjs").Store, "list" | "digest">} store
 * @param {(name: string) => boolean} isExpected of the objects that may be: those of hours, or those of parts
 * @param {boolean} isFirst
 */
export async function checkDay({ data }, store, isExpected, isFirst) {
  const expected = Object.entries(data.objects).filter(([name]) => isExpected(name))
  const landed = (await store.list()).filter(({ key }) => !key.endsWith("-probe"))
  assert(landed.length === expected.length, `${landed.length} of ${expected.length} objects landed`)
  const byName = new Map(
    landed.map((object) => [object.key.slice(PREFIX.length).replace(/\.gz$/, ""), object])
  )
  for (const [name, { bytes, sha256 }] of expected) {
    const object = byName.get(name)
    if (object === undefined) throw new Error(`${name} did not land`)
    const isRight = object.key.endsWith(".gz") || object.size === bytes
    assert(isRight, `${object.key} has ${object.size} bytes in the place of ${bytes}`)
    if (!isFirst) continue
    const digest = await store.digest(object.key)
    assert(digest.sha256 === sha256, `${object.key} has other lines than Amplitude sent`)
  }
}

/**
 * Lands the day in the store, looks at it, and empties the store whatever came of it.
 *
 * @template A
 * @param {Bench} bench
 * @param {() => Promise<A>} land
 * @param {(name: string) => boolean} isExpected
 * @param {boolean} isFirst
 */
export async function landingDay(bench, land, isExpected, isFirst) {
  try {
    const ended = await land()
    await checkDay(bench, bench.store, isExpected, isFirst)
    return ended
  } finally {
    if (!interrupted.aborted) await bench.store.empty()
  }
}

export const isHour = (/** @type {string} */ name) => name.endsWith(".jsonl")
export const isPart = (/** @type {string} */ name) => name.endsWith(".json")

/**
 * Whether a world landed in the store that discards, hour by hour, by the metadata that the program made of the lines.
 *
 * @param {Bench} bench
 * @param {import("../data.mjs").World} world
 * @param {string} format
 */
export async function checkDiscarded({ discarding }, world, format) {
  const { objects } = await discarding.renew()
  const landed = objects.filter(({ key }) => key.endsWith(`.${format}`))
  const hours = Object.keys(world.hours)
  assert(landed.length === hours.length, `${landed.length} of ${hours.length} hours landed`)
  for (const { key, size, headers } of landed) {
    const said = (/** @type {string} */ name) => headers[`x-amz-meta-${name}`]
    const digest = world.hours[said("hour") ?? ""]
    const isRight =
      digest !== undefined &&
      Number(said("events")) === digest.events &&
      Number(said("bytes")) === digest.bytes &&
      said("lineset") === digest.lineset.toString(16).padStart(12, "0") &&
      (format !== "jsonl" || size === digest.bytes)
    assert(isRight, `${key} has other lines than Amplitude sent`)
  }
}

/** The keys of landed hours. @param {ReadonlyArray<string>} days */
export const landedKeys = (days) =>
  days.flatMap(hoursOf).map((hour) => `${PREFIX}${hour.replace("T", "_")}.jsonl`)
