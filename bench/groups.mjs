// Every case, its peers, and what must hold between them.
import { mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { daysFrom, hoursOf } from "./data.mjs"
import { PYTHON } from "./machine.mjs"
import { interrupted, ROOT, run, runNode } from "./processes.mjs"
import { gap, growth, median, ratio, spread } from "./statistics.mjs"
import { BUCKET, PREFIX } from "./stores.mjs"

const MAIN = join(ROOT, "dist", "main.js")
const PEERS = join(ROOT, "bench", "peers")
const UNPACK = join(ROOT, "bench", "unpack.mjs")
export const KEYS = { AMP_API_KEY: "bench-api-key", AMP_SECRET_KEY: "bench-secret-key" }

/**
 * @typedef {object} Bench what the cases are run with
 * @property {Awaited<ReturnType<typeof import("./data.mjs").prepare>>} data
 * @property {Awaited<ReturnType<typeof import("./processes.mjs").serve>>} exports
 * @property {import("./stores.mjs").Store} store
 * @property {Awaited<ReturnType<typeof import("./stores.mjs").openDiscarding>>} discarding
 * @property {string} folder for whatever a run writes
 *
 * @typedef {object} Sample
 * @property {number} seconds
 * @property {number | undefined} [peak] resident set, in bytes
 * @property {number | undefined} [cpu] seconds
 * @property {{ readonly list: number, readonly head: number, readonly amplitude: number } | undefined} [calls]
 *
 * @typedef {object} Case
 * @property {string} name
 * @property {string} label
 * @property {boolean} [isPeer]
 * @property {ReadonlyArray<import("./machine.mjs").Tool>} [needs]
 * @property {(isFirst: boolean) => Promise<Sample>} run rejects when it fails or is wrong; the first is looked at most closely
 *
 * @typedef {object} Claim
 * @property {number} line
 * @property {string} text
 * @property {"ratio" | "seconds" | "bytes" | "calls" | "share"} unit
 * @property {number} limit at most this
 * @property {ReadonlyArray<string>} of the cases that it takes
 * @property {(samples: Record<string, ReadonlyArray<Sample>>) => { median: number, least?: number, most?: number }} value
 *
 * @typedef {{ name: string, title: string, cases: ReadonlyArray<Case>, claims: ReadonlyArray<Claim> }} Group
 */

/** @param {ReadonlyArray<Sample> | undefined} samples */
export const secondsOf = (samples = []) => samples.map(({ seconds }) => seconds)

/** @param {ReadonlyArray<Sample> | undefined} samples */
export const peaksOf = (samples = []) => samples.map(({ peak = NaN }) => peak)

/** @param {string} what @param {import("./processes.mjs").Ended} ended */
function assertEnded(what, { code, stdout, stderr }) {
  if (code === 0) return
  throw new Error(`${what} ended with ${code}: ${`${stdout}\n${stderr}`.trim().slice(-2000)}`)
}

/** @param {boolean} holds @param {string} message */
function assert(holds, message) {
  if (!holds) throw new Error(message)
}

/**
 * Runs work in a folder that is gone afterwards.
 *
 * @template A
 * @param {Bench} bench
 * @param {(cwd: string) => Promise<A>} work
 */
async function inFolder(bench, work) {
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
 * @param {{ readonly first: string, readonly last: string }} window
 * @param {ReadonlyArray<string>} args
 */
function runProgram(bench, storeEnv, command, { first, last }, args) {
  const window = ["--start-date", first, "--end-date", last]
  return inFolder(bench, async (cwd) => {
    const ended = await runNode([MAIN, command, ...window, "--bucket", BUCKET, "--json", ...args], {
      cwd,
      env: { ...KEYS, ...storeEnv, AMPLITUDE_URL: bench.exports.url }
    })
    assertEnded(command, ended)
    return ended
  })
}

/** @param {Bench} bench @param {import("./data.mjs").World} world */
function exportUrl({ exports }, { first, last }) {
  const [start, end] = [first, last].map((hour) => hour.replaceAll("-", ""))
  return `${exports.url}/api/2/export?start=${start}&end=${end}`
}

/** The path of the day's archive. @param {Bench} bench */
const archiveOf = ({ data }) => join(data.folder, data.day.archive)

/** Whatever a peer may want to know. @param {Bench} bench @returns {Record<string, string>} */
function peerEnvironment(bench) {
  const { env } = bench.store
  return {
    ...KEYS,
    ...env,
    BUCKET,
    EXPORT_URL: exportUrl(bench, bench.data.day),
    RCLONE_CONFIG: "",
    RCLONE_CONFIG_STORE_TYPE: "s3",
    RCLONE_CONFIG_STORE_PROVIDER: "Ceph",
    RCLONE_CONFIG_STORE_ENDPOINT: env.AWS_ENDPOINT_URL_S3 ?? "",
    RCLONE_CONFIG_STORE_ACCESS_KEY_ID: env.AWS_ACCESS_KEY_ID ?? "",
    RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY: env.AWS_SECRET_ACCESS_KEY ?? "",
    RCLONE_S3_NO_CHECK_BUCKET: "true"
  }
}

/** @param {Bench} bench @param {string} command @param {ReadonlyArray<string>} args */
function runPeer(bench, command, args) {
  return inFolder(bench, async (cwd) => {
    const ended = await run(command, args, { cwd, env: peerEnvironment(bench) })
    assertEnded([command, ...args].join(" "), ended)
    return ended
  })
}

/**
 * Whether all of the day landed in the store, and nothing else. The first time every line counts, later every size.
 *
 * @param {Bench} bench
 * @param {(name: string) => boolean} isExpected of the objects that may be: those of hours, or those of parts
 * @param {boolean} isFirst
 */
async function checkDay({ data, store }, isExpected, isFirst) {
  const expected = Object.entries(data.objects).filter(([name]) => isExpected(name))
  const landed = (await store.list()).filter(({ key }) => !key.endsWith("-probe"))
  assert(landed.length === expected.length, `${landed.length} of ${expected.length} objects landed`)
  const byName = new Map(
    landed.map((object) => [object.key.slice(PREFIX.length).replace(/\.gz$/, ""), object])
  )
  for (const [name, { bytes, sha256 }] of expected) {
    const object = byName.get(name)
    if (object === undefined) throw new Error(`${name} did not land`)
    const isRight = object.key.endsWith(".gz") || object.size === bytes
    assert(isRight, `${object.key} has ${object.size} bytes in the place of ${bytes}`)
    if (!isFirst) continue
    const digest = await store.digest(object.key)
    assert(digest.sha256 === sha256, `${object.key} has other lines than Amplitude sent`)
  }
}

/**
 * Lands the day in the store, looks at it, and empties the store whatever came of it.
 *
 * @template A
 * @param {Bench} bench
 * @param {() => Promise<A>} land
 * @param {(name: string) => boolean} isExpected
 * @param {boolean} isFirst
 */
async function landingDay(bench, land, isExpected, isFirst) {
  try {
    const ended = await land()
    await checkDay(bench, isExpected, isFirst)
    return ended
  } finally {
    if (!interrupted.aborted) await bench.store.empty()
  }
}

const isHour = (/** @type {string} */ name) => name.endsWith(".jsonl")
const isPart = (/** @type {string} */ name) => name.endsWith(".json")

/**
 * Whether a world landed in the store that discards, hour by hour, by the metadata that the program made of the lines.
 *
 * @param {Bench} bench
 * @param {import("./data.mjs").World} world
 * @param {string} format
 */
async function checkDiscarded({ discarding }, world, format) {
  const { objects } = await discarding.renew()
  const landed = objects.filter(({ key }) => key.endsWith(`.${format}`))
  const hours = Object.keys(world.hours)
  assert(landed.length === hours.length, `${landed.length} of ${hours.length} hours landed`)
  for (const { key, size, headers } of landed) {
    const said = (/** @type {string} */ name) => headers[`x-amz-meta-${name}`]
    const digest = world.hours[said("hour") ?? ""]
    const isRight =
      digest !== undefined &&
      Number(said("events")) === digest.events &&
      Number(said("bytes")) === digest.bytes &&
      said("lineset") === digest.lineset.toString(16).padStart(12, "0") &&
      (format !== "jsonl" || size === digest.bytes)
    assert(isRight, `${key} has other lines than Amplitude sent`)
  }
}

/**
 * A claim that some cases take at most so many times what a peer takes.
 *
 * @param {number} line
 * @param {string} text
 * @param {string} one
 * @param {string} peer
 * @param {number} limit
 * @returns {Claim}
 */
const atMost = (line, text, one, peer, limit) => ({
  line,
  text,
  unit: "ratio",
  limit,
  of: [one, peer],
  value: (samples) => ratio(secondsOf(samples[one]), secondsOf(samples[peer]))
})

/** @param {Bench} bench @returns {Group} */
function day(bench) {
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
      peer("seeds", "the older pipelines' way: zipfile, gzip, boto3", ["boto3"], PYTHON, [
        join(PEERS, "seeds.py")
      ]),
      peer(
        "shell",
        "curl, unzip, igzip, `rclone copy`",
        ["curl", "unzip", "igzip", "rclone"],
        shell,
        ["jsonl"]
      ),
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
        ["jsonl.gz"]
      ),
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
      atMost(1, "`jsonl`, of the older pipelines' time", "jsonl", "seeds", 0.55),
      atMost(1, "`jsonl`, of the shell's time", "jsonl", "shell", 1.15),
      atMost(1, "`jsonl` by 6 hours, of the older pipelines' time", "jsonl-6h", "seeds", 0.5),
      atMost(2, "`jsonl.gz`, of the older pipelines' time", "gz", "seeds", 0.17),
      atMost(2, "`jsonl.gz`, of the shell's time", "gz", "shell-gz", 2)
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

/** @param {Bench} bench @returns {Group} */
function unpack(bench) {
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

/** @param {Bench} bench @returns {Group} */
function memory(bench) {
  const { data, discarding } = bench
  const worlds = /** @type {const} */ ([
    ["day", data.day, "the day"],
    ["days", data.days, `${data.size.days} such days in one archive`],
    ["hour", data.hour, "one hour that has all of the day"]
  ])
  const formats = ["jsonl", "jsonl.gz"]
  return {
    name: "memory",
    title: "Memory, into a store that discards",
    cases: formats.flatMap((format) =>
      worlds.map(([name, world, label]) => ({
        name: `${name} ${format}`,
        label: `${label}, \`${format}\``,
        run: async () => {
          const hours = String(Object.keys(world.hours).length)
          const args = ["--format", format, "--request-hours", hours]
          await discarding.renew()
          const ended = await runProgram(bench, discarding.env, "all", world, args)
          await checkDiscarded(bench, world, format)
          return ended
        }
      }))
    ),
    claims: formats.flatMap((format) => {
      const names = worlds.map(([name]) => `${name} ${format}`)
      return [
        /** @type {Claim} */ ({
          line: 4,
          text: `\`${format}\`: the highest peak of all`,
          unit: "bytes",
          limit: 250e6,
          of: names,
          value: (samples) => ({
            median: Math.max(...names.flatMap((name) => peaksOf(samples[name])))
          })
        }),
        /** @type {Claim} */ ({
          line: 4,
          text: `\`${format}\`: the highest of the three peaks above the lowest`,
          unit: "share",
          limit: 0.15,
          of: names,
          value: (samples) => ({ median: gap(names.map((name) => median(peaksOf(samples[name])))) })
        })
      ]
    })
  }
}

/** The keys of landed hours. @param {ReadonlyArray<string>} days */
const landedKeys = (days) =>
  days.flatMap(hoursOf).map((hour) => `${PREFIX}${hour.replace("T", "_")}.jsonl`)

/** @param {Bench} bench @returns {Group} */
function plan(bench) {
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
      assert(objects.length === keys.length, "something landed where all had landed")
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
    title: "A store where all has landed",
    cases: commands.map(over),
    claims: [
      {
        line: 5,
        text: "`status` of all of them",
        unit: "seconds",
        limit: 3,
        of: ["status"],
        value: (samples) => spread(secondsOf(samples.status))
      },
      calls("list calls of `status` or `all`", "list", Math.ceil(keys.length / 1000) + 2),
      calls("head calls", "head", 0),
      calls("requests to Amplitude", "amplitude", 0)
    ]
  }
}

/** @param {Bench} bench @returns {Group} */
function start(bench) {
  return {
    name: "start",
    title: "The start",
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

/** @param {Bench} bench @returns {Group} */
function small(bench) {
  const { data, discarding } = bench
  const { hours } = data.small
  const few = Object.fromEntries(Object.entries(hours).slice(0, 24))
  const first = { ...data.small, last: Object.keys(few).at(-1) ?? "", hours: few }
  const many = Object.keys(hours).length
  /** @type {(name: string, label: string, world: typeof first) => Case} */
  const landing = (name, label, world) => ({
    name,
    label,
    run: async () => {
      await discarding.renew()
      const ended = await runProgram(bench, discarding.env, "all", world, [])
      await checkDiscarded(bench, world, "jsonl")
      return ended
    }
  })
  return {
    name: "growth",
    title: `Small hours, ${data.size.smallEvents} events each`,
    cases: [
      {
        name: "none",
        label: "`all` where 24 hours have landed",
        run: async () => {
          await discarding.renew(landedKeys([first.first.slice(0, 10)]))
          return runProgram(bench, discarding.env, "all", first, [])
        }
      },
      landing("few", "`all` of 24 hours", first),
      landing("many", `\`all\` of ${many} hours`, data.small)
    ],
    claims: [
      {
        line: 7,
        text: `time of an hour among ${many}, of that of one among 24`,
        unit: "ratio",
        limit: 1.2,
        of: ["none", "few", "many"],
        value: (samples) => {
          const idle = median(secondsOf(samples.none))
          const at = (/** @type {string} */ name) => median(secondsOf(samples[name]))
          return {
            median: growth(
              { seconds: at("many"), hours: many },
              { seconds: at("few"), hours: 24 },
              idle
            )
          }
        }
      }
    ]
  }
}

/** @param {Bench} bench @returns {ReadonlyArray<Group>} */
export const groupsOf = (bench) => [day, unpack, memory, plan, start, small].map((of) => of(bench))

/** What `--only` may say. */
export const GROUP_NAMES = ["day", "unpack", "memory", "plan", "start", "growth"]
