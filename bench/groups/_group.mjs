// What a group of cases is, and what its claims are read from.
import { ratio } from "../statistics.mjs"

/**
 * @typedef {object} Bench what the cases are run with
 * @property {Awaited<ReturnType<typeof import("../data.mjs").prepare>>} data
 * @property {Awaited<ReturnType<typeof import("../processes.mjs").serve>>} exports
 * @property {import("../stores.mjs").Store} store
 * @property {Awaited<ReturnType<typeof import("../stores.mjs").openDiscarding>>} discarding
 * @property {string} folder for whatever a run writes
 *
 * @typedef {object} Sample
 * @property {number} seconds
 * @property {number | undefined} [peak] resident set, in bytes
 * @property {number | undefined} [cpu] seconds
 * @property {number | undefined} [share] bytes of what was written, relative to those of what was read
 * @property {number | undefined} [own] seconds of the models alone, without what starts dbt
 * @property {{ readonly list: number, readonly head: number, readonly amplitude: number } | undefined} [calls]
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {string} label
 * @property {boolean} [isPeer]
 * @property {ReadonlyArray<import("../machine.mjs").Tool>} [needs]
 * @property {string | undefined} [lacks] what else is missing, so that it cannot run
 * @property {(isFirst: boolean) => Promise<Sample>} run rejects when it fails or is wrong; the first is looked at most closely
 *
 * @typedef {object} Claim
 * @property {number} line
 * @property {string} text
 * @property {"ratio" | "seconds" | "bytes" | "calls" | "share"} unit
 * @property {number} limit at most this
 * @property {ReadonlyArray<string>} of the cases that it takes
 * @property {(samples: Record<string, ReadonlyArray<Sample>>) => { median: number, least?: number, most?: number }} value
 *
 * @typedef {object} Group
 * @property {string} name
 * @property {string} title
 * @property {boolean} [isSlow] even with small data, so that a quick run leaves it out unless it is named
 * @property {ReadonlyArray<Case>} cases
 * @property {ReadonlyArray<Claim>} claims
 * @property {() => Promise<void>} [finish] removes what its cases have left in the store
 */

/** @param {ReadonlyArray<Sample> | undefined} samples */
export const secondsOf = (samples = []) => samples.map(({ seconds }) => seconds)

/** @param {ReadonlyArray<Sample> | undefined} samples */
export const peaksOf = (samples = []) => samples.map(({ peak = NaN }) => peak)

/** @param {ReadonlyArray<Sample> | undefined} samples */
const cpuOf = (samples = []) => samples.map(({ cpu = NaN }) => cpu)

/**
 * A claim that some cases take at most a multiple of what a peer takes.
 *
 * @param {number} line
 * @param {string} text
 * @param {string} one
 * @param {string} peer
 * @param {number} limit
 * @returns {Claim}
 */
export const atMost = (line, text, one, peer, limit) => ({
  line,
  text,
  unit: "ratio",
  limit,
  of: [one, peer],
  value: (samples) => ratio(secondsOf(samples[one]), secondsOf(samples[peer]))
})

/** The same for processor time. @type {typeof atMost} */
export const atMostCpu = (line, text, one, peer, limit) => ({
  ...atMost(line, text, one, peer, limit),
  value: (samples) => ratio(cpuOf(samples[one]), cpuOf(samples[peer]))
})
