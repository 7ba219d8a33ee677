// What it was measured on and with.
import { execFileSync, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { cpus, release, totalmem } from "node:os"
import { join } from "node:path"
import { ROOT } from "./processes.mjs"

/** Debian's own python, since that has Debian's boto3. */
export const PYTHON = "/usr/bin/python3"

/** That of the environment in which `scripts/dbt.sh` installs dbt. */
export const DBT_PYTHON = join(ROOT, "tools", "dbt", "venv", "bin", "python")

const PEERS = join(ROOT, "tools", "peers", "venv", "bin")

/** Those of the environment in which `scripts/peers.sh` installs what Debian does not have. */
export const [PEERS_PYTHON, S5CMD] = [join(PEERS, "python"), join(PEERS, "s5cmd")]

/** That of the environment in which `scripts/peers.sh airbyte` installs PyAirbyte. */
export const AIRBYTE_PYTHON = join(ROOT, "tools", "peers", "airbyte", "bin", "python")

/** How a tool prints its version, and what installs it. */
const TOOLS = {
  curl: { command: ["curl", "--version"], from: "apt-get install curl" },
  unzip: { command: ["unzip", "-v"], from: "apt-get install unzip" },
  igzip: { command: ["igzip", "--version"], from: "apt-get install isal" },
  rclone: { command: ["rclone", "version"], from: "apt-get install rclone" },
  boto3: {
    command: [
      PYTHON,
      "-c",
      "import platform, boto3; print(f'boto3 {boto3.__version__}, python {platform.python_version()}')"
    ],
    from: "apt-get install python3-boto3"
  },
  dbt: {
    command: [
      DBT_PYTHON,
      "-c",
      "from importlib.metadata import version; print(version('dbt-core'), 'with dbt-duckdb', version('dbt-duckdb'))"
    ],
    from: "scripts/dbt.sh"
  },
  dlt: {
    command: [PEERS_PYTHON, "-c", "from importlib.metadata import version; print(version('dlt'))"],
    from: "scripts/peers.sh"
  },
  PyAirbyte: {
    command: [
      AIRBYTE_PYTHON,
      "-c",
      "from importlib.metadata import version; print(version('airbyte'))"
    ],
    from: "scripts/peers.sh airbyte"
  },
  s5cmd: { command: [S5CMD, "version"], from: "scripts/peers.sh" }
}

/** @typedef {keyof typeof TOOLS} Tool */

/** @returns {Record<Tool, string | undefined>} the versions of the installed tools */
export function toolVersions() {
  const versions = Object.entries(TOOLS).map(([name, { command }]) => {
    const [program = "", ...args] = command
    const { status, stdout } = spawnSync(program, args, { encoding: "utf8" })
    const said = status === 0 ? stdout.split("\n")[0] : undefined
    const number = said === undefined ? undefined : (/\d+\.[\d.]+/.exec(said)?.[0] ?? said)
    return [name, name === "boto3" || number === undefined ? said : `${name} ${number}`]
  })
  return Object.fromEntries(versions)
}

/** @param {Tool} tool */
export const notInstalled = (tool) => `${tool} is not installed (${TOOLS[tool].from})`

/** @param {string[]} args */
const git = (...args) =>
  execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: "pipe" }).trim()

/** The commit that is measured. */
function commit() {
  try {
    const isChanged = git("status", "--porcelain", "--", "src", "package.json") !== ""
    return `${git("rev-parse", "--short", "HEAD")}${isChanged ? " with changes" : ""}`
  } catch {
    return "unknown"
  }
}

export function machine() {
  const [cpu] = cpus()
  const distribution = /PRETTY_NAME="(.*)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1]
  return {
    cpu: `${cpus().length} cores of ${cpu?.model ?? "an unknown processor"}`,
    memory: `${Math.round(totalmem() / 1024 ** 3)} GiB`,
    system: `${distribution}, Linux ${release().split(".", 2).join(".")}`,
    node: `Node ${process.versions.node}`,
    commit: commit(),
    date: new Date().toISOString().slice(0, 10)
  }
}
