import { run } from "../processes.mjs"
import { spread } from "../statistics.mjs"
import { secondsOf } from "./_group.mjs"
import { assert, assertEnded, inFolder, MAIN } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Group} Group
 */

/** @param {Bench} bench @returns {Group} */
export function start(bench) {
  return {
    name: "start",
    title: "Startup",
    cases: [
      {
        name: "help",
        label: "`--help`",
        run: () =>
          inFolder(bench, async (cwd) => {
            const ended = await run(process.execPath, [MAIN, "--help"], { cwd })
            assertEnded("--help", ended)
            assert(ended.stdout.startsWith("Usage: amplitude-lake"), "--help shows no usage")
            return ended
          })
      }
    ],
    claims: [
      {
        line: 6,
        text: "`--help`",
        unit: "seconds",
        limit: 0.25,
        of: ["help"],
        value: (samples) => spread(secondsOf(samples.help))
      }
    ]
  }
}
