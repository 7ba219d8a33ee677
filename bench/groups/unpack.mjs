import { join } from "node:path"
import { ROOT, runNode } from "../processes.mjs"
import { atMost } from "./_group.mjs"
import { archiveOf, assert, assertEnded, inFolder, PEERS, runPeer } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Group} Group
 */

const UNPACK = join(ROOT, "bench", "unpack.mjs")

/** @param {Bench} bench @returns {Group} */
export function unpack(bench) {
  const { day } = bench.data
  return {
    name: "unpack",
    title: "Unpacking the day alone",
    cases: [
      {
        name: "open",
        label: "opened for `jsonl.gz`: verified, inflated, counted, digested",
        run: () =>
          inFolder(bench, async (cwd) => {
            const ended = await runNode([UNPACK, archiveOf(bench), day.first, day.last], { cwd })
            assertEnded("opening", ended)
            const { seconds, hours } = JSON.parse(ended.stdout)
            for (const [hour, digest] of Object.entries(day.hours)) {
              const isRight =
                hours[hour]?.events === digest.events &&
                hours[hour]?.bytes === digest.bytes &&
                Number.parseInt(hours[hour]?.lineset, 16) === digest.lineset
              assert(isRight, `${hour} was unpacked to other lines than Amplitude sent`)
            }
            return { ...ended, seconds }
          })
      },
      {
        name: "igzip",
        label: "limit: `unzip -p` into `igzip`, all of it",
        isPeer: true,
        needs: ["unzip", "igzip"],
        run: () => runPeer(bench, join(PEERS, "raw.sh"), ["unpack", archiveOf(bench)])
      }
    ],
    claims: [atMost(3, "opened, of the time of `unzip -p` and `igzip`", "open", "igzip", 2)]
  }
}
