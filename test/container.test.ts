import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync
} from "node:fs"
import { tmpdir } from "node:os"
import { basename, join, relative, resolve } from "node:path"
import { afterAll, beforeAll, describe, it } from "vitest"

const { platform } = process
const mayMount = spawnSync("unshare", ["--mount", "true"]).status === 0
const MEGABYTE = 1_000_000

interface Instruction {
  readonly word: string
  readonly rest: string
}

/** The instructions of a Containerfile, by stage: continued lines joined, comments left out. */
function stagesOf(page: string): ReadonlyArray<ReadonlyArray<Instruction>> {
  const lines = page
    .replace(/^#.*\n/gm, "")
    .replace(/\\\n\s*/g, "")
    .split("\n")
  const stages: Array<Array<Instruction>> = []
  for (const line of lines.filter((it) => it !== "")) {
    const [, word = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? []
    if (word === "FROM") stages.push([])
    stages.at(-1)?.push({ word, rest })
  }
  return stages
}

/** What an allow list of `.dockerignore` lets into the context: no patterns but `*` and names. */
function isInContext(path: string): boolean {
  const [first, ...allowed] = readFileSync(".dockerignore", "utf8")
    .split("\n")
    .filter((it) => /^[^#]/.test(it))
  assert.equal(first, "*")
  return allowed.some((it) => `${path}/`.startsWith(`${it.replace(/^!/, "")}/`))
}

function sizeOf(path: string): number {
  const stats = lstatSync(path)
  if (!stats.isDirectory()) return stats.size
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0)
}

const folder = mkdtempSync(join(tmpdir(), "amplitude-lake-image-"))
const [build = [], last = []] = stagesOf(readFileSync("Containerfile", "utf8"))
const stage = join(folder, "build")
const image = join(folder, "root")
/** The image that was built with `--build-arg WAREHOUSE=duckdb`. */
const imageWithDuckDb = join(folder, "duckdb")

/** What an instruction of the build stage does, with this machine for its base image. */
function take({ rest, word }: Instruction, told: Readonly<Record<string, string>> = {}): void {
  const inside = join(stage, "build")
  mkdirSync(inside, { recursive: true })
  if (word === "COPY") {
    const names = rest.split(" ")
    const to = join(inside, names.pop() ?? "")
    for (const name of names) {
      assert.ok(isInContext(name), `${name} is not in the context`)
      cpSync(name, rest.endsWith("/") ? join(to, basename(name)) : to, { recursive: true })
    }
  } else if (word === "RUN" && rest === "npm ci") {
    // It was done here already, by the same lock file.
    symlinkSync(resolve("node_modules"), join(inside, "node_modules"))
  } else if (word === "RUN") {
    execFileSync("/bin/sh", ["-e", "-c", rest.replaceAll(" /image", ` ${stage}/image`)], {
      cwd: inside,
      env: { PATH: process.env["PATH"], ...told },
      stdio: "pipe"
    })
  } else {
    assert.ok(["FROM", "WORKDIR", "ARG"].includes(word), word)
  }
}

const valueOf = (word: string) => last.find((it) => it.word === word)?.rest

/** Runs the program of an image as the container would, on a read-only root. */
function started(root: string, ...more: ReadonlyArray<string>) {
  const [command, ...args] = JSON.parse(valueOf("ENTRYPOINT") ?? "") as ReadonlyArray<string>
  const variables = Object.fromEntries((valueOf("ENV") ?? "").split(" ").map((it) => it.split("=")))
  const script = `
    mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd "$0"
    mount -t tmpfs -o uid=65532,gid=65532,mode=700 lake lake && cd lake
    exec unshare --root="$0" --wd=/lake --setgid=65532 --setuid=65532 -- "$@"`
  return spawnSync(
    "unshare",
    [
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      "/bin/sh",
      "-ec",
      script,
      root,
      command ?? "",
      ...args,
      ...more
    ],
    { encoding: "utf8", env: { PATH: process.env["PATH"], ...variables } }
  )
}

const LAND = ["all", "--source", "synthetic", "--dev", "--events-per-hour", "20"]

describe.skipIf(platform !== "linux")("Containerfile", () => {
  beforeAll(() => {
    for (const it of build) take(it)
    cpSync(join(stage, "image"), image, { recursive: true })
    for (const it of build.slice(-1)) take(it, { WAREHOUSE: "duckdb" })
    cpSync(join(stage, "image"), imageWithDuckDb, { recursive: true })
  }, 240_000)
  afterAll(() => rmSync(folder, { recursive: true, force: true }), 60_000)

  it("pins its base by tag and digest, for both stages", () => {
    const page = readFileSync("Containerfile", "utf8")
    assert.match(
      page,
      /^ARG BASE=docker\.io\/library\/node:\d+\.\d+\.\d+-[\w-]+@sha256:[0-9a-f]{64}$/m
    )
    assert.deepEqual(page.match(/^FROM .*/gm), ["FROM ${BASE} AS build", "FROM scratch"])
  })

  it("is a user without a name in a folder that is its one volume", () => {
    assert.equal(valueOf("USER"), "65532:65532")
    assert.equal(valueOf("VOLUME"), "/lake")
    assert.equal(valueOf("WORKDIR"), "/lake")
  })

  it("lets nothing into the context but what is copied", () => {
    for (const path of [".env", ".git", "node_modules", "dist", "data", "s3_dev", "test"]) {
      assert.equal(isInContext(path), false, path)
    }
  })

  it("holds node, its libraries and the program, and no more than that", (test) => {
    const files = readdirSync(image, { recursive: true, withFileTypes: true })
      .filter((it) => it.isFile())
      .map((it) => relative(image, join(it.parentPath, it.name)))
    const others = files.filter((path) => !/^(app\/dist\/program\/|(usr\/)?lib(64)?\/)/.test(path))
    assert.deepEqual(others.sort(), [
      "app/LICENSE",
      "app/dist/main.js",
      "app/package.json",
      "bin/node",
      "etc/nsswitch.conf",
      "etc/passwd"
    ])
    assert.ok(files.includes("app/dist/program/LICENSES.txt"))
    const [whole, node] = [sizeOf(image), sizeOf(join(image, "bin/node"))]
    void test.annotate(
      `${Math.round(whole / MEGABYTE)} MB, of which node ${process.versions.node} is ${Math.round(node / MEGABYTE)} MB`
    )
    assert.ok(whole - node < 15 * MEGABYTE, `${whole - node} bytes besides node`)
  })

  it("holds DuckDB and the models as well if it is built with it, and nothing else", (test) => {
    const more = sizeOf(imageWithDuckDb) - sizeOf(image)
    void test.annotate(`${Math.round(more / MEGABYTE)} MB more`)
    assert.ok(more > 30 * MEGABYTE && more < 80 * MEGABYTE, `${more} bytes more`)
    assert.deepEqual(readdirSync(join(imageWithDuckDb, "app/node_modules")), ["@duckdb"])
    assert.deepEqual(readdirSync(join(imageWithDuckDb, "app/dbt")), ["compiled"])
    assert.deepEqual(
      readdirSync(imageWithDuckDb).filter((it) => !readdirSync(image).includes(it)),
      []
    )
  })

  it.skipIf(!mayMount)(
    "runs as its user on a read-only root, and writes to its volume alone (skipped where the tests may not mount)",
    () => {
      const land = started(image, ...LAND)
      assert.equal(land.status, 0, land.stderr)
      assert.match(land.stdout, /^landed +\d+ hours/m)
      const elsewhere = started(image, ...LAND, "--local-dir", "/app/lake")
      assert.equal(elsewhere.status, 7, elsewhere.stderr)
      assert.match(elsewhere.stderr, /EROFS/)
      assert.equal(existsSync(join(image, "lake/s3_dev")), false)
    }
  )

  it.skipIf(!mayMount)(
    "loads with DuckDB, and says what is missing without (skipped where the tests may not mount)",
    () => {
      const loaded = started(imageWithDuckDb, ...LAND, "--load")
      assert.equal(loaded.status, 0, loaded.stderr)
      assert.match(loaded.stdout, /^loaded +\d+ hours/m)
      const without = started(image, ...LAND, "--load")
      assert.equal(without.status, 2, without.stderr)
      assert.match(without.stderr, /@duckdb\/node-api/)
    }
  )
})
