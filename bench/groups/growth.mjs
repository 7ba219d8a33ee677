import { growth as growthOf, median } from "../statistics.mjs"
import { secondsOf } from "./_group.mjs"
import { checkDiscarded, landedKeys } from "./_landed.mjs"
import { runProgram } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Group} Group
 */

/** @param {Bench} bench @returns {Group} */
export function growth(bench) {
  const { data, discarding } = bench
  const { hours } = data.small
  const few = Object.fromEntries(Object.entries(hours).slice(0, 24))
  const first = { ...data.small, last: Object.keys(few).at(-1) ?? "", hours: few }
  const many = Object.keys(hours).length
  /** @type {(name: string, label: string, world: typeof first) => Case} */
  const landing = (name, label, world) => ({
    name,
    label,
    run: async () => {
      await discarding.renew()
      const ended = await runProgram(bench, discarding.env, "all", world, [])
      await checkDiscarded(bench, world, "jsonl")
      return ended
    }
  })
  return {
    name: "growth",
    title: `Small hours, ${data.size.smallEvents} events each`,
    cases: [
      {
        name: "none",
        label: "`all` with 24 hours landed already",
        run: async () => {
          await discarding.renew(landedKeys([first.first.slice(0, 10)]))
          return runProgram(bench, discarding.env, "all", first, [])
        }
      },
      landing("few", "`all` over 24 hours", first),
      landing("many", `\`all\` over ${many} hours`, data.small)
    ],
    claims: [
      {
        line: 7,
        text: `time per hour with ${many} hours, relative to 24 hours`,
        unit: "ratio",
        limit: 1.2,
        of: ["none", "few", "many"],
        value: (samples) => {
          const idle = median(secondsOf(samples.none))
          const at = (/** @type {string} */ name) => median(secondsOf(samples[name]))
          return {
            median: growthOf(
              { seconds: at("many"), hours: many },
              { seconds: at("few"), hours: 24 },
              idle
            )
          }
        }
      }
    ]
  }
}
