import { readdir, rename } from "node:fs/promises"
import { join } from "node:path"
import { PYTHON } from "../machine.mjs"
import { run } from "../processes.mjs"
import { atMost, atMostCpu } from "./_group.mjs"
import { isHour, isPart, landingDay } from "./_landed.mjs"
import { archiveOf, assertEnded, inFolder, PEERS, runPeer, runProgram } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Group} Group
 */

/** @param {Bench} bench @returns {Group} */
export function day(bench) {
  const { data, store } = bench
  /** @type {(name: string, label: string, args: ReadonlyArray<string>) => Case} */
  const all = (name, label, args) => ({
    name,
    label,
    run: (isFirst) => {
      const land = () => runProgram(bench, store.env, "all", data.day, args)
      return landingDay(bench, land, isHour, isFirst)
    }
  })
  /** @type {(name: string, label: string, needs: Case["needs"], command: string, args: string[]) => Case} */
  const peer = (name, label, needs = [], command, args) => ({
    name,
    label,
    isPeer: true,
    needs,
    run: (isFirst) => landingDay(bench, () => runPeer(bench, command, args), isPart, isFirst)
  })
  const sixHours = ["--request-hours", "6"]
  const shell = join(PEERS, "shell.sh")
  const raw = join(PEERS, "raw.sh")
  const lines = join(bench.folder, "lines")
  return {
    name: "day",
    title: "A day from the Export API into the store",
    cases: [
      all("jsonl", "`all --format jsonl`", ["--format", "jsonl"]),
      all("jsonl-6h", "`all --format jsonl --request-hours 6`", ["--format", "jsonl", ...sixHours]),
      peer("seeds", "older pipelines: zipfile, gzip, boto3", ["boto3"], PYTHON, [
        join(PEERS, "seeds.py")
      ]),
      peer(
        "shell",
        "curl, unzip, igzip, `rclone copy`",
        ["curl", "unzip", "igzip", "rclone"],
        shell,
        ["jsonl", "rclone"]
      ),
      peer("s5cmd", "curl, unzip, igzip, `s5cmd cp`", ["curl", "unzip", "igzip", "s5cmd"], shell, [
        "jsonl",
        "s5cmd"
      ]),
      all("gz", "`all --format jsonl.gz`", ["--format", "jsonl.gz"]),
      all("gz-6h", "`all --format jsonl.gz --request-hours 6`", [
        "--format",
        "jsonl.gz",
        ...sixHours
      ]),
      peer(
        "shell-gz",
        "curl, unzip, `rclone copy` of the parts",
        ["curl", "unzip", "rclone"],
        shell,
        ["jsonl.gz", "rclone"]
      ),
      peer("s5cmd-gz", "curl, unzip, `s5cmd cp` of the parts", ["curl", "unzip", "s5cmd"], shell, [
        "jsonl.gz",
        "s5cmd"
      ]),
      {
        name: "download",
        label: "limit: curl, the archive to disk",
        isPeer: true,
        needs: ["curl"],
        run: () => runPeer(bench, raw, ["download"])
      },
      {
        name: "put",
        label: "limit: curl, the lines to the store, unhashed",
        isPeer: true,
        needs: ["curl", "unzip"],
        run: async (isFirst) => {
          if (isFirst) await writeLines(bench, lines)
          return landingDay(bench, () => runPeer(bench, raw, ["put", lines]), isPart, isFirst)
        }
      }
    ],
    claims: [
      atMost(1, "`jsonl`: time relative to the older pipelines", "jsonl", "seeds", 0.5),
      atMost(1, "`jsonl`: time relative to the shell with rclone", "jsonl", "shell", 1.05),
      atMost(1, "`jsonl`: time relative to the shell with s5cmd", "jsonl", "s5cmd", 1.2),
      atMostCpu(
        1,
        "`jsonl`: processor time relative to the shell with s5cmd",
        "jsonl",
        "s5cmd",
        1.2
      ),
      atMost(
        1,
        "`jsonl` by 6 hours: time relative to the older pipelines",
        "jsonl-6h",
        "seeds",
        0.5
      ),
      atMost(2, "`jsonl.gz`: time relative to the older pipelines", "gz", "seeds", 0.17),
      atMost(2, "`jsonl.gz`: time relative to the shell with rclone", "gz", "shell-gz", 2),
      atMost(2, "`jsonl.gz`: time relative to the shell with s5cmd", "gz", "s5cmd-gz", 2.6)
    ]
  }
}

/** Inflates the day's parts into a folder. @param {Bench} bench @param {string} lines */
async function writeLines(bench, lines) {
  await inFolder(bench, async (cwd) => {
    const script = 'unzip -q "$0" -d parts && gunzip -r parts'
    const ended = await run("sh", ["-c", script, archiveOf(bench)], { cwd })
    assertEnded(script, ended)
    const [project = ""] = await readdir(join(cwd, "parts"))
    await rename(join(cwd, "parts", project), lines)
  })
}
