import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { describe, it, layer } from "@effect/vitest"
import { Effect } from "effect"
import {
  flagsByCommand,
  flagsIn,
  jobsOf,
  pages,
  scheduled,
  type Session,
  sessionsOf,
  workflows
} from "../fixtures/shown/shownCommands.ts"
import type { S3ServerOptions } from "../fixtures/s3/s3Server.ts"
import {
  BUCKETS,
  CRONTAB_BEFORE,
  hasJq,
  hasTools,
  perform,
  type Performed,
  shell
} from "../fixtures/shown/shownShell.ts"

const CRONTAB = "deploy/cron/amplitude-lake.crontab"
const SERVICE = "deploy/systemd/amplitude-lake.service"
const { scripts, version } = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>
  readonly version: string
}

/** What runs in the place of what is shown. */
const INSTEAD: ReadonlyArray<readonly [shown: string, runs: string]> = [
  // Fewer hours and fewer events show the same.
  ["--end-date 2025-11-09", "--end-date 2025-01-01T02"],
  ["--end-date 2025-11-03 --events-per-hour 2000", "--end-date 2025-11-01T02 --events-per-hour 20"],
  ["--end-date 2025-11-10 --metrics-file", "--end-date 2025-11-10T02 --metrics-file"],
  // The session's own environment has the keys of both projects.
  ["--env-file shop.env ", ""],
  ["--env-file blog.env ", ""],
  // Each run names its log file after its start.
  ["logs/2026-11-21T08-59-41Z_all_8f9257.log", "logs/*.log"],
  ["http://localhost:4318", '"$COLLECTOR"'],
  // These take minutes.
  ["node scripts/mutate.mjs", 'node --check "$REPOSITORY/scripts/mutate.mjs"'],
  [".ci/run", 'test -x "$REPOSITORY/.ci/run"'],
  ['"$GITHUB_REF_NAME"', `v${version}`],
  ["cd /srv/amplitude-lake &&", 'cd "$HOME" &&'],
  ["/usr/bin/node", "node"],
  // Where systemd puts the credentials.
  ["%d/", "/etc/amplitude-lake/"]
]

/** Where it is not 0, the exit code that makes sense. */
const EXIT_CODES: ReadonlyArray<readonly [place: RegExp, command: RegExp, code: number]> = [
  // No hour of that window is in the folder.
  [/^README/, /status --dev/, 3],
  // That hour has no conflict.
  [/^docs\/reliability/, /resolve .*--keep/, 2],
  // Nothing has landed there.
  [/^docs\/reliability/, /reland /, 3],
  [/^docs\/stores/, /verify --against /, 3],
  // These only show what differs.
  [/^docs\/iam/, /bucket .*--require-if-none-match$/, 3],
  [/^docs\/iam/, /--abort-days 3$/, 3],
  // The server refuses every request, which comes after everything was read and judged.
  [/^docs\/stores/, /--store azure$/, 7]
]

/** Flags of other programs that sentences name. */
const FOREIGN = new Set([
  "--allow-net",
  "--allow-read",
  "--allow-sys",
  "--allow-worker",
  "--build-arg",
  "--cert",
  "--collector.textfile.directory",
  "--delete",
  "--experimental-permission",
  "--full-refresh",
  "--log-path",
  "--name",
  "--no-partial-parse",
  "--profiles-dir",
  "--project-dir",
  "--skipApiVersionCheck",
  "--target",
  "--target-path",
  "--vars"
])

/** What deploy/README.md installs is started as its scheduler would start it. */
function withSchedule(session: Session): Session {
  const said = session.commands.map(({ text }) => text).join("\n")
  const [folder = ""] = /^LAKE=.*$/m.exec(readFileSync(CRONTAB, "utf8")) ?? []
  const more = [
    ...(said.includes("crontab -l") ? [scheduled(CRONTAB, folder)] : []),
    ...(said.includes("systemctl enable")
      ? [scheduled(SERVICE, "CREDENTIALS_DIRECTORY=/etc/amplitude-lake")]
      : [])
  ]
  return { ...session, commands: [...session.commands, ...more] }
}

const shown = [...pages.flatMap((page) => sessionsOf(page)), ...workflows.flatMap(jobsOf)].map(
  withSchedule
)
const commands = shown.flatMap((session) => session.commands)
const isOurs = (text: string) =>
  /(^|[ '])(node|deno) .*dist\/main\.js|^amplitude-lake /s.test(text) && !text.startsWith("iam()")

const instead = (session: Session): Session => ({
  ...session,
  commands: session.commands.map((command) => ({
    ...command,
    text: INSTEAD.reduce((text, [before, after]) => text.replaceAll(before, after), command.text)
  }))
})

const expectedCode = (place: string, text: string) =>
  EXIT_CODES.find(([where, what]) => where.test(place) && what.test(text))?.[2] ?? 0

/** A line without its numbers. */
const shapeOf = (line: string) =>
  line
    .replace(/hour\b/, "hours")
    .replace(/[\d.,]*\d( [kMG]?B\b)?/g, (_, unit) => (unit === undefined ? "0" : "0 B"))

/** Fails by the place of the first command that did not end as it should, or printed something else than its page shows. */
function judge({ page }: Session, { ended }: Performed): void {
  for (const { calls, code, command, stderr, stdout } of ended) {
    const { place, text } = command
    const expected = expectedCode(place, text)
    assert.equal(
      code,
      expected,
      `${place}: ${text}\nended with ${code}, not ${expected}\n${stderr}`
    )
    for (const [name = "", ...words] of calls) judgeCall(name, words, place)
    assert.ok(!isOurs(text) || calls.some(([name]) => name === "node"), `${place} started nothing`)
    if (command.shown.length === 0 || !["docs/archives.md", "docs/iam.md"].includes(page)) continue
    const same = page === "docs/iam.md" ? (line: string) => line : shapeOf
    assert.deepEqual(stdout.trimEnd().split("\n").map(same), command.shown.map(same), place)
  }
}

/** Fails by the place where a call, which only a stand-in got, names what there is not. */
function judgeCall(name: string, words: ReadonlyArray<string>, place: string): void {
  const said = `${place}: ${[name, ...words].join(" ")}`
  if (name === "npm") {
    const [what = "", ...rest] = words
    const script = what === "run" ? rest.find((it) => !it.startsWith("-")) : what
    const own = ["audit", "ci", "install", "pack", "pkg", "publish"]
    assert.ok(script !== undefined && (own.includes(script) || script in scripts), said)
    for (const file of words.filter((it) => it.endsWith(".tgz"))) {
      assert.equal(file, `./amplitude-lake-${version}.tgz`, said)
    }
  }
  if (name === "deno") {
    const granted = words.slice(0, words.indexOf("dist/main.js"))
    const wrong = granted.filter(
      (it) => !/^(run|--no-prompt|--ignore-env|--allow-(env|net|read|sys|write)=.+)$/.test(it)
    )
    assert.deepEqual(wrong, [], said)
  }
  for (const [at, word] of words.entries()) {
    const isFile = /^(deploy|scripts|test)\//.test(word) || (word === "Containerfile" && at > 0)
    assert.ok(!isFile || existsSync(word), said)
    if (/^--(policy|assume-role-policy)-document$/.test(word)) {
      assert.match(words[at + 1] ?? "", /^\{\s+"Version": .*"Statement": \[\s+\{.*\}$/s, said)
    }
    const [, job] = /^--from=cronjob\/(.*)$/.exec(word) ?? []
    const cronJob = readFileSync("deploy/kubernetes/amplitude-lake.yaml", "utf8")
    assert.ok(
      job === undefined || cronJob.includes(`kind: CronJob\nmetadata:\n  name: ${job}\n`),
      said
    )
  }
}

describe("The pages", () => {
  const flags = flagsByCommand()
  const named = pages.flatMap((page) => flagsIn(page, new Set(flags.keys())))

  it("name only flags that there are", () => {
    const all = new Set([...FOREIGN, ...[...flags.values()].flatMap((it) => [...it])])
    const wrong = named.flatMap(({ command, flags: its, place }) =>
      its
        .filter((flag) => !(command === undefined ? all : flags.get(command))?.has(flag))
        .map((flag) => `${place}: ${flag}`)
    )
    assert.deepEqual(wrong, [])
    assert.ok(named.length > 50)
  })

  it("show as many commands as are run here", () => {
    const on = (page: string) => commands.filter(({ place }) => place.startsWith(`${page}:`))
    const ours = commands.filter(({ text }) => isOurs(text))
    assert.ok(on("README.md").filter(({ text }) => isOurs(text)).length >= 7)
    assert.ok(on("docs/iam.md").length >= 9)
    assert.ok(on("deploy/README.md").length >= 15)
    assert.ok(ours.length >= 20 && commands.length >= 80, `${ours.length} of ${commands.length}`)
    const unused = INSTEAD.filter(([before]) => !commands.some(({ text }) => text.includes(before)))
    assert.deepEqual(unused, [])
  })

  it("show how to keep a crontab as the crontab itself does", () => {
    const line = commands.find(({ text }) => text.startsWith("crontab "))?.text ?? "none"
    assert.ok(readFileSync(CRONTAB, "utf8").includes(line), line)
  })
})

/** The bucket of a session that cannot share one, because it makes it, lands or compares other hours, or has to land all. */
function bucketOf({ commands, page }: Session): S3ServerOptions | undefined {
  if (page === "docs/iam.md") return {}
  const isApart = commands.some(({ text }) => /--start-date|--against|env -i/.test(text))
  return isApart ? { buckets: BUCKETS } : undefined
}

layer(shell)("What is shown", (it) => {
  for (const session of shown) {
    const needsJq = session.commands.some(({ text }) => text.includes("| jq "))
    it.scoped.skipIf(!hasTools || (needsJq && !hasJq))(`works: ${session.name}`, () =>
      Effect.gen(function* () {
        const performed = yield* perform(instead(session), bucketOf(session))
        judge(session, performed)
        const texts = session.commands.map(({ text }) => text)
        const isSaid = (words: string) => texts.some((text) => text.includes(words))
        if (isSaid("env -i")) assert.ok(performed.landed > 12)
        if (isSaid("OTEL_EXPORTER_OTLP_ENDPOINT")) assert.ok(performed.posts > 0)
        if (isSaid("crontab")) {
          assert.equal(performed.crontab, CRONTAB_BEFORE + readFileSync(CRONTAB, "utf8"))
        }
      })
    )
  }

  it.scoped.skipIf(!hasTools)("is named by page and line where it is wrong", () =>
    Effect.gen(function* () {
      const wrong = "a\n\n```console\n$ node dist/main.js all --no-such-flag\n```\n"
      const [session] = sessionsOf("README.md", wrong)
      assert.ok(session !== undefined)
      const performed = yield* perform(session)
      assert.throws(
        () => judge(session, performed),
        /^AssertionError.*README\.md:4: node .*ended with 2, not 0/s
      )
    })
  )
})
