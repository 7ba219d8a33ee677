// Runs of the program and of its peers, each in a folder of its own.
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { join, resolve } from "node:path"
import { S5CMD } from "../machine.mjs"
import { ROOT, run, runNode } from "../processes.mjs"
import { BUCKET } from "../stores.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {{ readonly first: string, readonly last: string }} Window
 */

export const MAIN = join(ROOT, "dist", "main.js")
export const PEERS = join(ROOT, "bench", "peers")
export const KEYS = { AMP_API_KEY: "bench-api-key", AMP_SECRET_KEY: "bench-secret-key" }

/** A folder that whoever runs the benchmark has to bring, since Airbyte's manifest is in no package registry. */
export const { AIRBYTE_MANIFEST } = process.env

/** @param {string} what @param {import("../processes.mjs").Ended} ended */
export function assertEnded(what, { code, stdout, stderr }) {
  if (code === 0) return
  throw new Error(`${what} ended with ${code}: ${`${stdout}\n${stderr}`.trim().slice(-2000)}`)
}

/** @param {boolean} holds @param {string} message */
export function assert(holds, message) {
  if (!holds) throw new Error(message)
}

/**
 * Runs work in a folder that is gone afterwards.
 *
 * @template A
 * @param {Bench} bench
 * @param {(cwd: string) => Promise<A>} work
 */
export async function inFolder(bench, work) {
  const cwd = await mkdtemp(join(bench.folder, "run-"))
  try {
    return await work(cwd)
  } finally {
    await rm(cwd, { recursive: true, force: true })
  }
}

/**
 * Runs a command of the program over a window.
 *
 * @param {Bench} bench
 * @param {Record<string, string>} storeEnv
 * @param {string} command
 * @param {Window} window
 * @param {ReadonlyArray<string>} args
 */
export function runProgram(bench, storeEnv, command, window, args) {
  return inFolder(bench, (cwd) => runProgramIn(bench, cwd, storeEnv, command, window, args))
}

/**
 * The same in a folder that stays.
 *
 * @param {Bench} bench
 * @param {string} cwd
 * @param {Record<string, string>} storeEnv
 * @param {string} command
 * @param {Window} window
 * @param {ReadonlyArray<string>} args
 */
export async function runProgramIn(bench, cwd, storeEnv, command, { first, last }, args) {
  const window = ["--start-date", first, "--end-date", last]
  const ended = await runNode([MAIN, command, ...window, "--json", ...args], {
    cwd,
    env: { ...KEYS, AWS_BUCKET_NAME: BUCKET, ...storeEnv, AMPLITUDE_URL: bench.exports.url }
  })
  assertEnded(command, ended)
  return ended
}

/** @param {Bench} bench @param {Window} window */
function exportUrl({ exports }, { first, last }) {
  const [start, end] = [first, last].map((hour) => hour.replaceAll("-", ""))
  return `${exports.url}/api/2/export?start=${start}&end=${end}`
}

/** The path of the day's archive. @param {Bench} bench */
export const archiveOf = ({ data }) => join(data.folder, data.day.archive)

/** Whatever a peer may want to know. @param {Bench} bench @param {Window} window @returns {Record<string, string>} */
function peerEnvironment(bench, window) {
  const { env } = bench.store
  return {
    ...KEYS,
    ...env,
    AIRBYTE_ENABLE_UNSAFE_CODE: "true",
    AIRBYTE_LOGGING_ROOT: "logs",
    AIRBYTE_MANIFEST: resolve(AIRBYTE_MANIFEST ?? ""),
    AIRBYTE_OFFLINE_MODE: "1",
    BUCKET,
    EXPORT_URL: exportUrl(bench, window),
    RCLONE_CONFIG: "",
    RCLONE_CONFIG_STORE_TYPE: "s3",
    RCLONE_CONFIG_STORE_PROVIDER: "Ceph",
    RCLONE_CONFIG_STORE_ENDPOINT: env.AWS_ENDPOINT_URL_S3 ?? "",
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: env.AWS_ACCESS_KEY_ID ?? "",
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: env.AWS_SECRET_ACCESS_KEY ?? "",
    RCLONE_S3_NO_CHECK_BUCKET: "true",
    RUNTIME__DLTHUB_TELEMETRY: "false",
    S3_ENDPOINT_URL: env.AWS_ENDPOINT_URL_S3 ?? "",
    S5CMD
  }
}

const TIMES = "times"
/** Runs a command, and writes down how long it and its children have kept a processor busy. */
const TIMED = `"$0" "$@"; code=$?; times > ${TIMES}; exit $code`

/** What bash's `times` says of its children, in seconds. @param {string} times */
function cpuOf(times) {
  const [, children = ""] = times.split("\n")
  const parts = [...children.matchAll(/(\d+)m([\d.]+)s/g)]
  return parts.reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0
  )
}

/** @param {Bench} bench @param {string} command @param {ReadonlyArray<string>} args */
export function runPeer(bench, command, args) {
  return inFolder(bench, (cwd) => runPeerIn(bench, cwd, command, args, bench.data.day))
}

/**
 * The same in a folder that stays, over a window.
 *
 * @param {Bench} bench
 * @param {string} cwd
 * @param {string} command
 * @param {ReadonlyArray<string>} args
 * @param {Window} window
 */
export async function runPeerIn(bench, cwd, command, args, window) {
  const env = peerEnvironment(bench, window)
  const ended = await run("bash", ["-c", TIMED, command, ...args], { cwd, env })
  assertEnded([command, ...args].join(" "), ended)
  return { ...ended, cpu: cpuOf(await readFile(join(cwd, TIMES), "utf8")) }
}
