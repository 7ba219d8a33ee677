import { daysFrom } from "../data.mjs"
import { spread } from "../statistics.mjs"
import { secondsOf } from "./_group.mjs"
import { landedKeys } from "./_landed.mjs"
import { assert, runProgram } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Claim} Claim
 * @typedef {import("./_group.mjs").Group} Group
 */

/** @param {Bench} bench @returns {Group} */
export function plan(bench) {
  const { discarding, data, exports } = bench
  const days = daysFrom("2022-11-01", data.size.landedDays)
  const keys = landedKeys(days)
  const window = { first: `${days[0]}T00`, last: `${days.at(-1)}T23` }
  /** @type {(command: string) => Case} */
  const over = (command) => ({
    name: command,
    label: `\`${command}\` over ${keys.length.toLocaleString("en")} landed hours`,
    run: async () => {
      await discarding.renew(keys)
      await exports.ask({})
      const ended = await runProgram(bench, discarding.env, command, window, [])
      const { objects, calls } = await discarding.renew()
      assert(
        objects.length === keys.length,
        "something landed although every hour had landed before"
      )
      const { requests } = await exports.ask({})
      const { list = 0, head = 0 } = calls
      return { ...ended, calls: { list, head, amplitude: requests } }
    }
  })
  const commands = ["status", "all"]
  /** @type {(text: string, call: "list" | "head" | "amplitude", limit: number) => Claim} */
  const calls = (text, call, limit) => ({
    line: 5,
    text,
    unit: "calls",
    limit,
    of: commands,
    value: (samples) => {
      const all = commands.flatMap((name) => samples[name] ?? [])
      return { median: Math.max(...all.map((sample) => sample.calls?.[call] ?? NaN)) }
    }
  })
  return {
    name: "plan",
    title: "A store where every hour has landed",
    cases: commands.map(over),
    claims: [
      {
        line: 5,
        text: "`status` over all landed hours",
        unit: "seconds",
        limit: 3,
        of: ["status"],
        value: (samples) => spread(secondsOf(samples.status))
      },
      calls("list calls by `status` or `all`", "list", Math.ceil(keys.length / 1000) + 2),
      calls("head calls", "head", 0),
      calls("requests to Amplitude", "amplitude", 0)
    ]
  }
}
