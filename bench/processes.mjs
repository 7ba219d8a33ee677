// Starts the measured programs and their servers, and leaves none of them running.
import { fork, spawn } from "node:child_process"
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The repository. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url))
const USAGE = new URL("usage.mjs", import.meta.url).href

const interruption = new AbortController()
/** Aborted with the exit code that is due, once a signal came or whoever started this is gone. */
export const { signal: interrupted } = interruption

for (const [signal, code] of /** @type {const} */ ([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129]
])) {
  process.on(signal, () => interruption.abort(code))
}

// A shell between npm and this process may end without a word.
const { ppid } = process
setInterval(() => process.ppid !== ppid && interruption.abort(143), 1000).unref()

/**
 * @typedef {object} Ended
 * @property {number} seconds from the start of the process until it is gone
 * @property {number | null} code
 * @property {string} stdout
 * @property {string} stderr
 */

/**
 * Runs a command to its end, in a process group that ends with it.
 *
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @param {{ readonly cwd: string, readonly env?: Record<string, string> }} options `env` is all of it but for `PATH` and `HOME`
 * @returns {Promise<Ended>}
 */
export function run(command, args, { cwd, env = {} }) {
  interrupted.throwIfAborted()
  return new Promise((resolve, reject) => {
    const start = performance.now()
    const child = spawn(command, args, {
      cwd,
      env: { PATH: process.env.PATH, HOME: cwd, ...env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true
    })
    const kill = () => child.pid !== undefined && process.kill(-child.pid, "SIGKILL")
    interrupted.addEventListener("abort", kill)
    const texts = { stdout: "", stderr: "" }
    for (const name of /** @type {const} */ (["stdout", "stderr"])) {
      child[name].setEncoding("utf8").on("data", (text) => {
        texts[name] += text
      })
    }
    child.once("error", reject)
    child.once("close", (code) => {
      interrupted.removeEventListener("abort", kill)
      if (interrupted.aborted) reject(interrupted.reason)
      else resolve({ seconds: (performance.now() - start) / 1000, code, ...texts })
    })
  })
}

/**
 * Runs a module with node, and returns its peak resident set in bytes and its CPU time in seconds too.
 *
 * @param {ReadonlyArray<string>} args
 * @param {{ readonly cwd: string, readonly env?: Record<string, string> }} options
 * @returns {Promise<Ended & { readonly peak: number, readonly cpu: number }>}
 */
export async function runNode(args, { cwd, env = {} }) {
  const file = join(cwd, "usage.json")
  const ended = await run(process.execPath, ["--import", USAGE, ...args], {
    cwd,
    env: { ...env, BENCH_USAGE: file }
  })
  const usage = JSON.parse(await readFile(file, "utf8"))
  await rm(file)
  return { ...ended, ...usage }
}

/**
 * Starts a module that serves: its first message is its address, it answers every message with one, and it ends with this process.
 *
 * @param {string} path of the module, from this folder
 * @param {ReadonlyArray<string>} args
 */
export async function serve(path, args) {
  const child = fork(fileURLToPath(new URL(path, import.meta.url)), args, { detached: true })
  const answer = () =>
    new Promise((resolve, reject) => {
      const onExit = () => reject(new Error(`${path} ended`))
      child.once("exit", onExit)
      child.once("message", (message) => {
        child.off("exit", onExit)
        resolve(message)
      })
    })
  const { url } = await answer()
  return {
    /** @type {string} */
    url,
    /** @param {object} message @returns {Promise<any>} */
    ask: (message) => {
      const answered = answer()
      child.send(message)
      return answered
    },
    close: () => child.disconnect()
  }
}
