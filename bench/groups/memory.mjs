import { gap, median } from "../statistics.mjs"
import { peaksOf } from "./_group.mjs"
import { checkDiscarded } from "./_landed.mjs"
import { runProgram } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Claim} Claim
 * @typedef {import("./_group.mjs").Group} Group
 */

/** @param {Bench} bench @returns {Group} */
export function memory(bench) {
  const { data, discarding } = bench
  const worlds = /** @type {const} */ ([
    ["day", data.day, "the day"],
    ["days", data.days, `${data.size.days} such days in one archive`],
    ["hour", data.hour, "one hour with the data of the whole day"]
  ])
  const formats = ["jsonl", "jsonl.gz"]
  return {
    name: "memory",
    title: "Memory, with a store that discards everything",
    cases: formats.flatMap((format) =>
      worlds.map(([name, world, label]) => ({
        name: `${name} ${format}`,
        label: `${label}, \`${format}\``,
        run: async () => {
          const hours = String(Object.keys(world.hours).length)
          const args = ["--format", format, "--request-hours", hours]
          await discarding.renew()
          const ended = await runProgram(bench, discarding.env, "all", world, args)
          await checkDiscarded(bench, world, format)
          return ended
        }
      }))
    ),
    claims: formats.flatMap((format) => {
      const names = worlds.map(([name]) => `${name} ${format}`)
      return [
        /** @type {Claim} */ ({
          line: 4,
          text: `\`${format}\`: highest peak`,
          unit: "bytes",
          limit: 250e6,
          of: names,
          value: (samples) => ({
            median: Math.max(...names.flatMap((name) => peaksOf(samples[name])))
          })
        }),
        /** @type {Claim} */ ({
          line: 4,
          text: `\`${format}\`: how far the highest of the three peaks exceeds the lowest`,
          unit: "share",
          limit: 0.15,
          of: names,
          value: (samples) => ({ median: gap(names.map((name) => median(peaksOf(samples[name])))) })
        })
      ]
    })
  }
}
