import { createReadStream } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { digestLines, PREFIX } from "../stores.mjs"
import { atMost } from "./_group.mjs"
import { checkDay, isHour, isPart } from "./_landed.mjs"
import { inFolder, PEERS, runPeerIn, runProgramIn } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Group} Group
 */

/** The files of a folder as a store would list them. @param {string} folder */
const storeIn = (folder) => ({
  list: async () => {
    const names = (await readdir(folder)).filter((name) => !name.startsWith("."))
    return Promise.all(
      names.map(async (name) => ({
        key: `${PREFIX}${name}`,
        size: (await stat(join(folder, name))).size
      }))
    )
  },
  digest: (/** @type {string} */ key) =>
    digestLines(key, createReadStream(join(folder, key.slice(PREFIX.length))))
})

/** @param {Bench} bench @returns {Group} */
export function folder(bench) {
  const { day } = bench.data
  /** @type {(format: string) => Case} */
  const all = (format) => ({
    name: format,
    label: `\`all --store local --format ${format}\``,
    run: (isFirst) =>
      inFolder(bench, async (cwd) => {
        const args = ["--store", "local", "--local-dir", "lake", "--format", format]
        const ended = await runProgramIn(bench, cwd, {}, "all", day, args)
        await checkDay(bench, storeIn(join(cwd, "lake", PREFIX)), isHour, isFirst)
        return ended
      })
  })
  /** @type {(format: string, label: string, needs: Case["needs"]) => Case} */
  const shell = (format, label, needs = []) => ({
    name: `shell ${format}`,
    label,
    isPeer: true,
    needs: ["curl", "unzip", ...needs],
    run: (isFirst) =>
      inFolder(bench, async (cwd) => {
        const ended = await runPeerIn(bench, cwd, join(PEERS, "folder.sh"), [format, "lake"], day)
        await checkDay(bench, storeIn(join(cwd, "lake")), isPart, isFirst)
        return ended
      })
  })
  return {
    name: "folder",
    title: "A day from the Export API into a folder",
    cases: [
      all("jsonl"),
      shell("jsonl", "curl, `unzip -p` piped into `igzip`, `sync`", ["igzip"]),
      all("jsonl.gz"),
      shell("jsonl.gz", "curl, `unzip -p`, `sync`", [])
    ],
    claims: [
      atMost(
        10,
        "`jsonl` into a folder: time relative to the shell tools",
        "jsonl",
        "shell jsonl",
        1.6
      ),
      atMost(
        10,
        "`jsonl.gz` into a folder: time relative to the shell tools",
        "jsonl.gz",
        "shell jsonl.gz",
        3.5
      )
    ]
  }
}
