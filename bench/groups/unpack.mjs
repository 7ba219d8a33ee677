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
    title: "Unpacking the day only",
    cases: [
      {
        name: "open",
        label: "opening for `jsonl.gz`: verify, inflate, count, digest",
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
        label: "limit: `unzip -p` piped into `igzip`, the whole archive",
        isPeer: true,
        needs: ["unzip", "igzip"],
        run: () => runPeer(bench, join(PEERS, "raw.sh"), ["unpack", archiveOf(bench)])
      }
    ],
    claims: [atMost(3, "unpacking: time relative to `unzip -p` and `igzip`", "open", "igzip", 2)]
  }
}
