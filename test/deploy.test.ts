import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { createServer, request, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser"
import { describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { parse, parseAllDocuments } from "yaml"
import { temporaryFolder } from "./fixtures/disk.ts"
import { isLong } from "./fixtures/long.ts"
import { startSimulator } from "./fixtures/process/program.ts"
import * as S3Server from "./fixtures/s3/s3Server.ts"

const CRON = "deploy/cron/amplitude-lake.crontab"
const SERVICE = "deploy/systemd/amplitude-lake.service"
const FAILED = "deploy/systemd/amplitude-lake-failed@.service"
const TIMER = "deploy/systemd/amplitude-lake.timer"
const GITHUB = "deploy/github-actions/amplitude-lake.yml"
const KESTRA = "deploy/kestra/amplitude-lake.yml"
const KUBERNETES = "deploy/kubernetes/amplitude-lake.yaml"
const BACKFILLS = [
  "deploy/github-actions/amplitude-lake-backfill.yml",
  "deploy/kubernetes/amplitude-lake-backfill.yaml"
] as const
const WORKFLOWS = [
  GITHUB,
  BACKFILLS[0],
  ".github/workflows/ci.yml",
  ".github/workflows/release.yml"
]

const text = (path: string) => readFile(path, "utf8")
const isInstalled = (command: string) => spawnSync("which", [command]).status === 0

/** The values of a unit file's lines `name=value`. */
function valuesOf(unit: string, name: string): ReadonlyArray<string> {
  return unit
    .split("\n")
    .flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []))
}

/** The crontab's one line: when, and what the shell is given. */
async function cronLine(): Promise<{ readonly when: string; readonly line: string }> {
  const [found, ...more] = (await text(CRON)).split("\n").filter((line) => /^[\d*]/.test(line))
  assert.equal(more.length, 0)
  const [, when, line] = /^((?:\S+ ){5})(.*)$/.exec(found ?? "") ?? []
  assert.ok(when !== undefined && line !== undefined)
  // cron takes % for the end of the line.
  assert.doesNotMatch(line, /%/)
  return { when: when.trim(), line }
}

/** The line that takes its place where there is a warehouse. */
async function cronLineWithWarehouse(): Promise<string> {
  const [, line] = /^# 17 \* \* \* \* (.*)$/m.exec(await text(CRON)) ?? []
  assert.ok(line !== undefined)
  assert.doesNotMatch(line, /%/)
  return line
}

interface Step {
  readonly name?: string
  readonly if?: string
  readonly run?: string
  readonly uses?: string
  readonly env?: Readonly<Record<string, string>>
}

interface Workflow {
  readonly on: { readonly schedule: ReadonlyArray<{ readonly cron: string }> }
  readonly permissions: Readonly<Record<string, string>>
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": boolean }
  readonly jobs: Readonly<
    Record<
      string,
      {
        readonly permissions: Readonly<Record<string, string>>
        readonly env?: unknown
        readonly "timeout-minutes": number
        readonly steps: ReadonlyArray<Step>
      }
    >
  >
}

interface Flow {
  readonly concurrency: { readonly limit: number; readonly behavior: string }
  readonly tasks: ReadonlyArray<{
    readonly id: string
    readonly type: string
    readonly disabled?: boolean
    readonly entryPoint: ReadonlyArray<string>
    readonly commands: ReadonlyArray<string>
    readonly env?: Readonly<Record<string, string>>
    readonly memory: object
    readonly retry?: object
  }>
  readonly errors: ReadonlyArray<{
    readonly type: string
    readonly uri: string
    readonly method: string
    readonly contentType: string
    readonly body: string
  }>
  readonly triggers: ReadonlyArray<{ readonly cron: string }>
}

interface CronJob {
  readonly spec: {
    readonly schedule: string
    readonly concurrencyPolicy: string
    readonly jobTemplate: {
      readonly spec: {
        readonly template: {
          readonly spec: {
            readonly containers: ReadonlyArray<{
              readonly args: ReadonlyArray<string>
              readonly securityContext: { readonly readOnlyRootFilesystem: boolean }
            }>
          }
        }
      }
    }
  }
}

const workflow = async (path: string) => parse(await text(path)) as Workflow
const flow = async () => parse(await text(KESTRA)) as Flow
const cronJob = async () =>
  parseAllDocuments(await text(KUBERNETES)).map((it) => it.toJS() as unknown)[1] as CronJob

function known(value: object, ...names: ReadonlyArray<string>): void {
  assert.deepEqual(
    Object.keys(value).filter((name) => !names.includes(name)),
    []
  )
}

describe("deploy/", () => {
  it("says every hour at the same minute, wherever it is scheduled", async () => {
    const kestra = (await flow()).triggers
    const crons = [
      (await cronLine()).when,
      (await workflow(GITHUB)).on.schedule[0]?.cron,
      kestra[0]?.cron,
      (await cronJob()).spec.schedule
    ]
    assert.deepEqual(
      crons,
      Array.from({ length: 4 }, () => "17 * * * *")
    )
    assert.deepEqual(valuesOf(await text(TIMER), "OnCalendar"), ["*-*-* *:17:00 UTC"])
  })

  it("asks for the default window, which repairs what was missed", async () => {
    const files = [CRON, SERVICE, GITHUB, KESTRA, KUBERNETES]
    for (const file of files) {
      const page = await text(file)
      assert.match(page, /\ball\b/)
      assert.doesNotMatch(page, /--(start-date|end-date|yesterday|lookback-days|heal-days)/)
    }
  })

  it("lets no run overlap another", async () => {
    assert.match((await cronLine()).line, /flock -n -E 0 \.lock node /)
    assert.deepEqual(valuesOf(await text(SERVICE), "Type"), ["oneshot"])
    const { concurrency } = await workflow(GITHUB)
    assert.deepEqual(concurrency, { group: "amplitude-lake", "cancel-in-progress": false })
    assert.deepEqual((await flow()).concurrency, { limit: 1, behavior: "CANCEL" })
    assert.equal((await cronJob()).spec.concurrencyPolicy, "Forbid")
  })

  it("has workflows that GitHub's own schema allows", async () => {
    for (const name of WORKFLOWS) {
      const file = { name, content: await text(name) }
      const { context } = parseWorkflow(file, new NoOperationTraceWriter())
      assert.deepEqual(context.errors.getErrors().map(String), [], name)
    }
  })

  it("has workflows that pin every action by a commit, and may write nothing", async () => {
    for (const name of WORKFLOWS) {
      const page = await text(name)
      const { jobs, permissions } = await workflow(name)
      assert.deepEqual(permissions, {}, name)
      for (const used of page.match(/uses: .*/g) ?? []) {
        assert.match(used, /^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
      }
      for (const job of Object.values(jobs)) {
        assert.ok(job["timeout-minutes"] < 60, name)
        const { "id-token": _, ...rest } = job.permissions
        assert.deepEqual(rest, { contents: "read" }, name)
        // What an event brings along is never part of a script.
        for (const { run = "" } of job.steps) assert.doesNotMatch(run, /\$\{\{/)
      }
    }
  })

  it("loads and builds after landing on GitHub only where a warehouse is named", async () => {
    const [land] = Object.values((await workflow(GITHUB)).jobs)
    const steps = land?.steps.filter((step) => step.env?.["AMPLITUDE_LAKE_WAREHOUSE_FILE"])
    assert.deepEqual(
      steps?.map(({ name }) => name),
      ["Load what has landed", "Build the models"]
    )
    for (const step of steps ?? []) {
      assert.equal(
        step.if,
        "${{ !cancelled() && vars.AMPLITUDE_LAKE_WAREHOUSE_FILE != '' }}",
        step.name
      )
    }
    const build = steps?.at(-1)?.run ?? ""
    assert.match(build, / build --project-dir dbt --profiles-dir dbt$/m)
    assert.ok(build.includes("dbt/requirements.txt"))
    assert.equal((await stat("dbt/requirements.txt")).isFile(), true)
  })

  it("gives secrets to the step that needs them, by name", async () => {
    const [land] = Object.values((await workflow(GITHUB)).jobs)
    assert.equal(land?.env, undefined)
    const knowing = land?.steps.filter((step) => JSON.stringify(step).includes("secrets."))
    assert.deepEqual(
      knowing?.map(({ name }) => name),
      ["Land what is missing", "Tell somebody"]
    )

    const env = (await flow()).tasks[0]?.env ?? {}
    for (const name of ["AMP_API_KEY", "AMP_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"]) {
      assert.equal(env[name], `{{ secret('${name}') }}`)
    }
    assert.doesNotMatch(JSON.stringify(await flow()), /kv\(/)
    const container = (await cronJob()).spec.jobTemplate.spec.template.spec.containers[0]
    assert.equal((container as { readonly env?: unknown }).env, undefined)
    assert.equal(container?.securityContext.readOnlyRootFilesystem, true)
    assert.deepEqual(valuesOf(await text(SERVICE), "LoadCredential"), [
      "env:/etc/amplitude-lake/env"
    ])
    assert.deepEqual(valuesOf(await text(SERVICE), "Environment"), [])
  })

  // Kestra serves its schema from a running server only: these are the properties that its sources name.
  it("has a Kestra flow of properties that Kestra knows", async () => {
    const it = await flow()
    known(it, "id", "namespace", "description", "concurrency", "tasks", "errors", "triggers")
    assert.deepEqual(
      it.tasks.map(({ disabled = false, id }) => [id, disabled]),
      [
        ["land", false],
        ["load", true],
        ["model", true]
      ]
    )
    assert.equal(it.triggers.length, 1)
    for (const task of it.tasks) {
      assert.equal(task.type, "io.kestra.plugin.docker.cli.Run")
      known(
        task,
        "id",
        "type",
        "disabled",
        "containerImage",
        "user",
        "entryPoint",
        "commands",
        "env",
        "volumes",
        "memory",
        "timeout",
        "retry"
      )
      known(task.retry ?? {}, "type", "interval", "maxInterval", "maxAttempt", "maxDuration")
      known(task.memory, "memory")
    }
    for (const task of it.errors) {
      assert.equal(task.type, "io.kestra.plugin.core.http.Request")
      known(task, "id", "type", "uri", "method", "contentType", "body")
    }
    for (const trigger of it.triggers) {
      known(trigger, "id", "type", "cron", "timezone", "recoverMissedSchedules")
    }
  })

  it("tells somebody of a failed run, but of no planned stop and no temporary failure", async () => {
    const unit = await text(SERVICE)
    assert.deepEqual(valuesOf(unit, "OnFailure"), ["amplitude-lake-failed@%n.service"])
    assert.deepEqual(valuesOf(unit, "SuccessExitStatus"), ["5 130 143"])
    assert.match(valuesOf(await text(FAILED), "ExecStart")[0] ?? "", / --unit=%i .*mail -s "%i has/)

    const [land] = Object.values((await workflow(GITHUB)).jobs)
    const told = land?.steps.at(-1)
    assert.equal(told?.if, "failure()")
    assert.equal(told?.env?.["NOTIFY_WEBHOOK_URL"], "${{ secrets.NOTIFY_WEBHOOK_URL }}")

    const [task] = (await flow()).errors
    assert.equal(task?.uri, "{{ secret('NOTIFY_WEBHOOK_URL') }}")
    assert.deepEqual([task.method, task.contentType], ["POST", "application/json"])
    assert.deepEqual(Object.keys(JSON.parse(task.body) as object), ["text"])
  })

  it("posts from GitHub only where there is a webhook, and where it is", async () => {
    const folder = await mkdtemp(join(tmpdir(), "amplitude-lake-curl-"))
    try {
      const record = 'for it; do printf "%s\\n" "$it"; done'
      await writeFile(join(folder, "curl"), `#!/bin/sh\n${record}\n`, { mode: 0o755 })
      const [land] = Object.values((await workflow(GITHUB)).jobs)
      const tell = (NOTIFY_WEBHOOK_URL: string) => {
        const env = { PATH: `${folder}:/usr/bin:/bin`, NOTIFY_WEBHOOK_URL, RUN_URL: "https://r/1" }
        const args = ["-e", "-c", land?.steps.at(-1)?.run ?? "exit 9"]
        const { status, stdout } = spawnSync("/bin/sh", args, { env, encoding: "utf8" })
        return { status, words: stdout.trimEnd().split("\n") }
      }
      assert.deepEqual(tell(""), { status: 0, words: [""] })
      const { status, words } = tell("https://hooks.example/T0")
      assert.equal(status, 0)
      assert.equal(words.at(-1), "https://hooks.example/T0")
      assert.deepEqual(JSON.parse(words[words.indexOf("--json") + 1] ?? ""), {
        text: "amplitude-lake has failed in https://r/1"
      })
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it("has jobs of the types that Kubernetes publishes", async () => {
    const kinds = { ServiceAccount: "core/v1", CronJob: "batch/v1", Job: "batch/v1" } as const
    const pages = await Promise.all([KUBERNETES, BACKFILLS[1]].map(text))
    const documents = pages.flatMap((it) => parseAllDocuments(it))
    const objects = documents.map((it) => it.toJS() as { readonly kind: keyof typeof kinds })
    assert.deepEqual(
      objects.map(({ kind }) => kind),
      Object.keys(kinds)
    )
    const folder = await mkdtemp(join(tmpdir(), "amplitude-lake-types-"))
    try {
      await mkdir(join(folder, "node_modules"))
      await symlink(
        resolve("node_modules/kubernetes-types"),
        join(folder, "node_modules/kubernetes-types")
      )
      const lines = objects.map(
        (object, at) =>
          `import type { ${object.kind} } from "kubernetes-types/${kinds[object.kind]}"\n` +
          `export const object${at}: ${object.kind} = ${JSON.stringify(object)}\n`
      )
      await writeFile(join(folder, "objects.ts"), lines.join(""))
      const tsc = resolve("node_modules/typescript/bin/tsc")
      const args = [
        "--strict",
        "--noEmit",
        "--moduleResolution",
        "bundler",
        "--module",
        "esnext",
        "--types",
        ""
      ]
      const { stdout } = spawnSync(process.execPath, [tsc, ...args, "objects.ts"], {
        cwd: folder,
        encoding: "utf8"
      })
      assert.equal(stdout, "")
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.skipIf(!isInstalled("systemd-analyze"))(
    "has systemd units that systemd-analyze finds nothing wrong with (skipped where it is not installed)",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "amplitude-lake-units-"))
      try {
        const units = {
          "amplitude-lake.service": SERVICE,
          "amplitude-lake.timer": TIMER,
          "amplitude-lake-failed@.service": FAILED
        }
        for (const [name, path] of Object.entries(units)) {
          const here = (await text(path)).replaceAll("/usr/bin/node", process.execPath)
          await writeFile(join(folder, name), here)
        }
        const analyze = (...args: ReadonlyArray<string>) =>
          spawnSync("systemd-analyze", args, { cwd: folder, encoding: "utf8" })
        const names = Object.keys(units).map((it) => `./${it.replace("@.", "@x.service.")}`)
        // What is wrong with the units that this machine has anyway does not count.
        const { status, stderr } = analyze("verify", "--recursive-errors=no", ...names)
        const said = stderr.split("\n").filter((line) => line.includes("amplitude-lake"))
        assert.deepEqual({ status, said }, { status: 0, said: [] })
        // Of 100, which is a service that may do everything; fails where it is above 20.
        const exposure = analyze(
          "security",
          "--offline=yes",
          "--threshold=20",
          "./amplitude-lake.service"
        )
        assert.equal(exposure.status, 0, exposure.stdout)
      } finally {
        await rm(folder, { recursive: true })
      }
    }
  )
})

const KEYS = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }

/** One Export API of few events for all tests: its origin. */
class Source extends Context.Tag("test/Source")<Source, string>() {}

const source = Layer.scoped(
  Source,
  Effect.gen(function* () {
    const folder = yield* temporaryFolder
    return (yield* startSimulator(["--events-per-hour", "20"], { folder, env: KEYS })).origin
  })
)

/** An empty bucket and a folder, and the variables that lead to it and to the Export API. */
const world = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const s3 = yield* S3Server.make({ buckets: { lake: "eu-west-2" } })
  const variables = {
    ...KEYS,
    AMPLITUDE_URL: yield* Source,
    AWS_ACCESS_KEY_ID: "AKTEST",
    AWS_SECRET_ACCESS_KEY: "SKTEST",
    AWS_REGION: "eu-west-2",
    AWS_BUCKET_NAME: "lake",
    AWS_ENDPOINT_URL_S3: s3.url
  }
  const landed = () =>
    [...(s3.buckets.get("lake")?.objects.keys() ?? [])].filter((key) => key.endsWith(".jsonl"))
  yield* Effect.promise(() => symlink(resolve("dist"), join(folder, "dist")))
  return { folder, variables, landed }
})

const envFileOf = (variables: Readonly<Record<string, string>>) =>
  Object.entries(variables)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("")

interface Ended {
  readonly code: number | null
  readonly output: string
}

/** Runs a command with these variables and no others. */
const runs = (
  [command = "", ...args]: ReadonlyArray<string>,
  cwd: string,
  env: Readonly<Record<string, string>>
) =>
  new Promise<Ended>((done, fail) => {
    const PATH = `${dirname(process.execPath)}:/usr/bin:/bin`
    const child = spawn(command, args, {
      cwd,
      env: { PATH, HOME: cwd, AWS_EC2_METADATA_DISABLED: "true", ...env },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    child.stdout.on("data", (it) => (output += String(it)))
    child.stderr.on("data", (it) => (output += String(it)))
    child.once("error", fail)
    child.once("close", (code) => done({ code, output }))
  })

/** Passes requests on, after `before`. */
const gateway = (origin: string, before: () => Promise<void>) =>
  Effect.acquireRelease(
    Effect.promise(
      () =>
        new Promise<Server>((listening) => {
          const server = createServer(({ headers, method, url = "/" }, response) => {
            void before().then(() => {
              const options = { headers, ...(method === undefined ? {} : { method }) }
              request(new URL(url, origin), options, (answer) => {
                response.writeHead(answer.statusCode ?? 500, answer.headers)
                answer.pipe(response)
              }).end()
            })
          }).listen(0, "127.0.0.1", () => listening(server))
        })
    ),
    (server) => Effect.sync(() => server.closeAllConnections())
  )

layer(source)("what is scheduled", (it) => {
  it.scoped.runIf(isLong && isInstalled("flock"))(
    "cron's line lands what is missing, and ends at once while another run is at work",
    () =>
      Effect.gen(function* () {
        const { folder, landed, variables } = yield* world
        const { line } = yield* Effect.promise(cronLine)
        const run = () => runs(["/bin/sh", "-c", line], "/", { LAKE: folder })
        const overlapping: Array<Ended & { readonly requests: number }> = []
        let requests = 0
        const server = yield* gateway(variables.AMPLITUDE_URL, async () => {
          requests += 1
          if (requests === 1) overlapping.push({ ...(await run()), requests })
        })
        const { port } = server.address() as AddressInfo
        const AMPLITUDE_URL = `http://127.0.0.1:${port}`
        const lines = envFileOf({ ...variables, AMPLITUDE_URL })
        yield* Effect.promise(() => writeFile(join(folder, ".env"), lines, { mode: 0o600 }))

        assert.deepEqual(yield* Effect.promise(run), { code: 0, output: "" })
        assert.deepEqual(overlapping, [{ code: 0, output: "", requests: 1 }])
        assert.ok(landed().length > 12)
        const log = join(folder, "lake.log")
        assert.equal((yield* Effect.promise(() => text(log))).match(/^landed/gm)?.length, 1)
        assert.equal((yield* Effect.promise(() => stat(log))).mode & 0o077, 0)
      })
  )

  it.scoped.skipIf(!isInstalled("flock") || !isLong)(
    "with a warehouse, what has landed is loaded and modelled, by cron and by Kestra",
    () =>
      Effect.gen(function* () {
        const { folder, variables } = yield* world
        yield* Effect.promise(async () => {
          for (const it of ["node_modules", "dbt"]) await symlink(resolve(it), join(folder, it))
          await writeFile(join(folder, ".env"), envFileOf(variables), { mode: 0o600 })
        })
        const line = yield* Effect.promise(cronLineWithWarehouse)
        const ended = yield* Effect.promise(() =>
          runs(["/bin/sh", "-c", line], "/", { LAKE: folder })
        )
        assert.deepEqual(ended, { code: 0, output: "" })
        const log = yield* Effect.promise(() => text(join(folder, "lake.log")))
        assert.match(log, /^loaded +\d+ hours/m)
        assert.match(log, /^analytics\.journeys +\d+ rows/m)

        const { tasks } = yield* Effect.promise(flow)
        for (const task of tasks.slice(1)) {
          const words = task.commands.map((it) => it.replace("/lake/", `${folder}/`))
          const command = [process.execPath, "--", resolve("dist/main.js"), ...words]
          const env = { ...(task.id === "load" ? variables : {}) }
          const { code, output } = yield* Effect.promise(() => runs(command, folder, env))
          assert.equal(code, 0, output)
        }
      }),
    120_000
  )

  it.scoped.runIf(isLong)(
    "the other command lines run as they stand, each with the keys as it is given them",
    () =>
      Effect.gen(function* () {
        const { folder, landed, variables } = yield* world
        const unit = yield* Effect.promise(() => text(SERVICE))
        const [land] = Object.values((yield* Effect.promise(() => workflow(GITHUB))).jobs)
        const landing = land?.steps.find(({ name }) => name === "Land what is missing")
        const [task] = (yield* Effect.promise(flow)).tasks
        const pod = (yield* Effect.promise(cronJob)).spec.jobTemplate.spec.template.spec
        const [line = ""] = valuesOf(unit, "ExecStart")
        const service = line
          .replace("/usr/bin/node", process.execPath)
          .replace("/opt/amplitude-lake", resolve("."))
          .replace("%d", folder)
        const credential = join(folder, "env")
        yield* Effect.promise(() => writeFile(credential, envFileOf(variables), { mode: 0o440 }))
        const main = [process.execPath, "--", resolve("dist/main.js")]
        const here = (it: string) => it.replace("/lake", folder)
        const started = [
          [service.split(" "), { CREDENTIALS_DIRECTORY: folder }],
          [["/bin/sh", "-e", "-c", landing?.run ?? ""], variables],
          [[...main, ...(task?.commands ?? []).map(here)], variables],
          [[...main, ...(pod.containers[0]?.args ?? [])], variables]
        ] as const
        let stand = 0
        for (const [words, env] of started) {
          const ended = yield* Effect.promise(() => runs(words, folder, env))
          assert.equal(ended.code, 0, ended.output)
          assert.doesNotMatch(ended.output, /WARN/)
          // One more where the clock struck in between.
          const said = stand === 0 ? /^landed +\d+ hours/m : /^landed +(nothing new|1 hour)/m
          assert.match(ended.output, said)
          stand = landed().length
          assert.ok(stand > 12)
        }
      })
  )
})
