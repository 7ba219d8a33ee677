import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { createGunzip } from "node:zlib"
import { atMost } from "./_group.mjs"
import { isHour, isPart } from "./_landed.mjs"
import { assert, inFolder, PEERS, runPeerIn, runProgramIn } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Case} Case
 * @typedef {import("./_group.mjs").Group} Group
 */

/** The digest of a file's lines. @param {string} path */
async function digestOf(path) {
  const hash = createHash("sha256")
  let bytes = 0
  const file = createReadStream(path)
  for await (const chunk of path.endsWith(".gz") ? file.pipe(createGunzip()) : file) {
    bytes += chunk.length
    hash.update(chunk)
  }
  return { bytes, sha256: hash.digest("hex") }
}

/**
 * Whether a folder has all of the day and nothing else: the first time by every line, later by every size.
 *
 * @param {Bench} bench
 * @param {string} folder
 * @param {(name: string) => boolean} isExpected of the files that may be: those of hours, or those of parts
 * @param {boolean} isFirst
 */
async function checkFiles({ data }, folder, isExpected, isFirst) {
  const expected = Object.keys(data.objects).filter(isExpected)
  const files = (await readdir(folder)).filter((name) => !name.startsWith("."))
  assert(files.length === expected.length, `${files.length} of ${expected.length} files landed`)
  for (const file of files) {
    const lines = data.objects[file.replace(/\.gz$/, "")]
    const path = join(folder, file)
    const { size } = await stat(path)
    assert(file.endsWith(".gz") || size === lines?.bytes, `${file} has ${size} bytes`)
    if (!isFirst) continue
    const { sha256 } = await digestOf(path)
    assert(sha256 === lines?.sha256, `${file} has other lines than Amplitude sent`)
  }
}

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
        await checkFiles(bench, join(cwd, "lake", "python-import"), isHour, isFirst)
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
        await checkFiles(bench, join(cwd, "lake"), isPart, isFirst)
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
        2.2
      ),
      atMost(
        10,
        "`jsonl.gz` into a folder: time relative to the shell tools",
        "jsonl.gz",
        "shell jsonl.gz",
        4.2
      )
    ]
  }
}
