import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { dirname, join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { layer } from "@effect/vitest"
import { Effect } from "effect"
import { describe } from "vitest"
import { pathsBelow } from "../fixtures/disk.ts"
import type { Moment } from "../fixtures/gate.ts"
import { isLong } from "../fixtures/long.ts"
import {
  assertCode,
  type FileStep,
  HOURS,
  type Lake,
  type Machine,
  makeLake,
  oracle,
  windowOf
} from "../fixtures/process/killable.ts"

/** A moment at which an adopting run is killed: one of its own file operations, or a request on its way. */
type Step =
  | ({ readonly files: string } & Omit<FileStep, "at">)
  | { readonly store: RegExp; readonly moment: Moment }

const HOUR = /^PUT .*\/2025-11-10_\d\d[.]jsonl/
const MARK = /^PUT .*[.]amplitude-lake-resolved/
const CONFLICT = /^PUT .*[.]amplitude-lake-conflicts/
const FILE = "data/2025-[^/]*[.]jsonl(?:[.]gz)?$"

const WAY_OF_A_FILE: ReadonlyArray<Step> = [
  { files: `^read ${FILE}`, moment: "before" },
  { store: HOUR, moment: "asked" },
  { store: HOUR, moment: "asking" },
  { store: HOUR, moment: "done" },
  { store: /^HEAD .*\/2025-11-10_\d\d[.]jsonl/, moment: "asked" },
  { store: /^HEAD .*\/2025-11-10_\d\d[.]jsonl/, moment: "done" },
  { store: MARK, moment: "asked" },
  { store: MARK, moment: "done" },
  { files: `^(?:rename|unlink|rm) ${FILE}`, moment: "before" },
  { files: `^(?:rename|unlink|rm) ${FILE}`, moment: "after" }
]

/** Of a file whose hour has landed with other lines. */
const WAY_OF_A_CONFLICT: ReadonlyArray<Step> = [
  { files: "^write data/.*/runs/RUN/", moment: "half" },
  { files: "^link data/.*/runs/RUN/", moment: "before" },
  { files: "^link data/.*/runs/RUN/", moment: "after" },
  { store: CONFLICT, moment: "asked" },
  { store: CONFLICT, moment: "done" },
  { files: `^(?:rename|unlink|rm) ${FILE}`, moment: "before" },
  { files: `^(?:rename|unlink|rm) ${FILE}`, moment: "after" }
]

const ADOPT = ["sync", "--adopt-foreign", "--concurrency", "1", "--retry-base-ms", "1"]

/** What another program has left: the lines of each file. */
type Files = ReadonlyMap<string, Buffer>

const hourOf = (path: string) => /2025-11-10_\d\d/.exec(path)?.[0] ?? ""
const plainOf = (path: string, bytes: Buffer) => (path.endsWith(".gz") ? gunzipSync(bytes) : bytes)

const write = (machine: Machine, files: Files) =>
  Effect.promise(async () => {
    for (const [name, lines] of files) {
      const path = join(machine.folder, "data", name)
      await fs.mkdir(dirname(path), { recursive: true })
      await fs.writeFile(path, name.endsWith(".gz") ? gzipSync(lines) : lines)
    }
  })

/** The objects of hours in the store, by key. */
function hoursIn({ s3 }: Lake): ReadonlyArray<readonly [string, Buffer]> {
  const objects = [...(s3.buckets.get("lake")?.objects ?? [])]
  return objects
    .filter(([key]) => /\/2025-11-10_\d\d[.]jsonl(?:[.]gz)?$/.test(key) && !key.includes("/."))
    .map(([key, { bytes }]) => [key, plainOf(key, bytes)])
}

/** No file is lost: its lines are in the store, in data/ or below failed_uploads/. No hour is there twice. */
const assertKept = Effect.fnUntraced(function* (lake: Lake, { folder }: Machine, files: Files) {
  const stored = hoursIn(lake)
  const hours = stored.map(([key]) => hourOf(key))
  assert.deepEqual([...new Set(hours)], hours, "an hour is in the store twice")
  const paths = (yield* pathsBelow(join(folder, "data"))).filter((path) =>
    /^(?:failed_uploads\/.*)?2025-11-10_\d\d[^/]*[.]jsonl(?:[.]gz)?$/.test(path)
  )
  const left = yield* Effect.promise(() =>
    Promise.all(
      paths.map(async (path) => {
        const bytes = await fs.readFile(join(folder, "data", path))
        return [path, plainOf(path, bytes)] as const
      })
    )
  )
  for (const [name, lines] of files) {
    const has = ([path, bytes]: readonly [string, Buffer]) =>
      hourOf(path) === hourOf(name) && bytes.equals(lines)
    assert.ok([...stored, ...left].some(has), `${name} is lost`)
  }
  return left.map(([path]) => path)
})

const kill = (lake: Lake, machine: Machine, step: Step) =>
  Effect.gen(function* () {
    if ("files" in step) {
      const { files, ...rest } = step
      const ended = yield* machine.killAt({ at: files, ...rest }, ...ADOPT)
      assert.equal(ended.code, null, `It never came to ${files}: ${ended.stdout}${ended.stderr}`)
      return
    }
    const held = lake.store.hold(step.store, step.moment)
    const program = yield* machine.start(...ADOPT)
    const ended = yield* Effect.promise(() =>
      Promise.race([held.then(() => undefined), program.ended])
    )
    assert.equal(ended, undefined, `It never came to ${step.store}: ${ended?.stderr}`)
    program.kill("SIGKILL")
    yield* Effect.promise(() => program.ended)
    lake.store.open()
  }).pipe(Effect.scoped)

/** Files of hours that have events, every third one compressed. */
function filesOf({ lines }: Lake, count: number): Files {
  const hours = HOURS.slice(0, 24).flatMap((hour) => {
    const bytes = lines.get(hour) ?? Buffer.alloc(0)
    return bytes.length === 0 ? [] : [[hour.replace("T", "_"), bytes] as const]
  })
  assert.ok(hours.length >= count)
  return new Map(
    hours
      .slice(0, count)
      .map(([name, bytes], at) => [`${name}.jsonl${at % 3 === 2 ? ".gz" : ""}`, bytes])
  )
}

describe("a run that adopts files and is killed", { concurrent: true, timeout: 240_000 }, () => {
  layer(oracle, { timeout: "60 seconds", excludeTestServices: true })("D5", (it) => {
    it.scoped.runIf(isLong)("loses and doubles no file at any step of its way", () =>
      Effect.gen(function* () {
        const lake = yield* makeLake
        const machine = yield* lake.machine
        const files = filesOf(lake, 12)
        yield* write(machine, files)
        for (const step of WAY_OF_A_FILE) {
          yield* kill(lake, machine, step)
          yield* assertKept(lake, machine, files)
        }
        assertCode(yield* machine.run(...ADOPT), 0)
        assert.deepEqual(yield* assertKept(lake, machine, files), [])
        assert.equal(hoursIn(lake).length, files.size)
        const { conflicts, differing, unverified } = JSON.parse(
          (yield* machine.run("verify", "--json")).stdout
        )
        assert.deepEqual([conflicts, differing, unverified.length], [[], [], files.size])
      })
    )

    it.scoped.runIf(isLong)("loses no file whose hour has landed with other lines", () =>
      Effect.gen(function* () {
        const lake = yield* makeLake
        const machine = yield* lake.machine
        assertCode(yield* machine.run("all", ...windowOf(0, 24)), 0)
        const landed = hoursIn(lake)
        // Each has its first line twice.
        const files = new Map(
          [...filesOf(lake, 10)].map(([name, lines]) => [
            name,
            Buffer.concat([lines.subarray(0, lines.indexOf(10) + 1), lines])
          ])
        )
        yield* write(machine, files)
        for (const step of WAY_OF_A_CONFLICT) {
          yield* kill(lake, machine, step)
          yield* assertKept(lake, machine, files)
        }
        assertCode(yield* machine.run(...ADOPT), 8)
        const left = yield* assertKept(lake, machine, files)
        assert.ok(left.every((path) => path.startsWith("failed_uploads/")))
        assert.deepEqual(left.map(hourOf).sort(), [...files.keys()].map(hourOf).sort())
        assert.deepEqual(hoursIn(lake), landed)
      })
    )
  })
})
