import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import { join, resolve } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parse } from "yaml"
import { workerMetrics } from "../src/cli/fleet/health.ts"
import { metricsText } from "../src/cli/telemetry/metricsText.ts"
import { temporaryFolder } from "./fixtures/disk.ts"
import { run } from "./fixtures/process/program.ts"
import { parsePrometheus } from "./fixtures/shown/prometheus.ts"
import { hasPromtool, runPromtool } from "./fixtures/shown/promtool.ts"

const RULES = "deploy/prometheus/amplitude-lake.rules.yml"

interface Rule {
  readonly alert: string
  readonly expr: string
  readonly for: string
  readonly labels: { readonly severity: string }
  readonly annotations: { readonly summary: string; readonly description: string }
}

const { groups } = parse(readFileSync(RULES, "utf8")) as {
  readonly groups: ReadonlyArray<{ readonly rules: ReadonlyArray<Rule> }>
}
const rules = groups.flatMap((group) => group.rules)

/** A series by its name without the prefix, of `all` unless it names a command. */
type Series = readonly [name: string, value: number, labels?: string]

/** A lake that is well at `HOUR`: the run, its success and its newest hour are as old as they should be. */
const HOUR = 31
const ago = (hours: number) => (HOUR - hours) * 3600
const WELL: ReadonlyArray<Series> = [
  ["last_run_timestamp_seconds", ago(0.5)],
  ["last_success_timestamp_seconds", ago(0.5)],
  ["last_run_exit_code", 0],
  ["last_run_outcomes", 0, 'outcome="failed"'],
  ["newest_hour_timestamp_seconds", ago(14)],
  ["gaps", 0],
  ["conflicts", 0]
]

/** A lake that is well except for these series; one whose value is `undefined` is absent. */
function lakeWith(changes: Readonly<Record<string, number | undefined>>): ReadonlyArray<Series> {
  return WELL.flatMap(([name, value, labels]): ReadonlyArray<Series> => {
    const changed = name in changes ? changes[name] : value
    if (changed === undefined) return []
    return labels === undefined ? [[name, changed]] : [[name, changed, labels]]
  })
}

const status: ReadonlyArray<Series> = [
  ["last_run_timestamp_seconds", ago(0.5), 'command="status"'],
  ["last_run_exit_code", 3, 'command="status"']
]

const CASES: ReadonlyArray<
  readonly [name: string, series: ReadonlyArray<Series>, firing: ReadonlyArray<string>]
> = [
  ["a lake that is well", WELL, []],
  ["no metrics at all", [], ["NeverReported"]],
  [
    "no run for four hours",
    lakeWith({ last_run_timestamp_seconds: ago(4), last_success_timestamp_seconds: ago(4) }),
    ["RunsStopped"]
  ],
  ["no success for five hours", lakeWith({ last_success_timestamp_seconds: ago(5) }), []],
  ["no success for eight hours", lakeWith({ last_success_timestamp_seconds: ago(8) }), ["Stale"]],
  ["no success ever", lakeWith({ last_success_timestamp_seconds: undefined }), ["Stale"]],
  ["a status that never succeeded", [...WELL, ...status], []],
  ["a newest hour 26 hours old", lakeWith({ newest_hour_timestamp_seconds: ago(26) }), []],
  ["a newest hour 28 hours old", lakeWith({ newest_hour_timestamp_seconds: ago(28) }), ["DataOld"]],
  [
    "gaps, which keep runs from succeeding",
    lakeWith({ gaps: 361, last_run_exit_code: 3, last_success_timestamp_seconds: ago(30) }),
    ["Gaps"]
  ],
  [
    "gaps while runs no longer come",
    lakeWith({ gaps: 1, last_run_exit_code: 3, last_run_timestamp_seconds: ago(4) }),
    ["Gaps", "RunsStopped"]
  ],
  ["a conflict", lakeWith({ conflicts: 1, last_run_exit_code: 8 }), ["Conflict", "NeedsAPerson"]],
  ["failing hours", lakeWith({ last_run_outcomes: 2, last_run_exit_code: 3 }), ["HoursFail"]],
  ...[0, 3, 5, 130, 143].map(
    (code) => [`exit code ${code}`, lakeWith({ last_run_exit_code: code }), []] as const
  ),
  ...[1, 2, 7, 8].map(
    (code) =>
      [`exit code ${code}`, lakeWith({ last_run_exit_code: code }), ["NeedsAPerson"]] as const
  )
]

/** The test file of promtool for every case. */
const promtoolTests = {
  rule_files: [resolve(RULES)],
  evaluation_interval: "15m",
  tests: CASES.map(([name, series, firing]) => ({
    name,
    interval: "5m",
    input_series: series.map(([metric, value, labels = ""]) => {
      const command = labels.startsWith("command=") ? "" : 'command="all",'
      return {
        series: `amplitude_lake_${metric}{${command}store="s3://a/b/",${labels}}`.replace(
          ",}",
          "}"
        ),
        values: `${value}x${HOUR * 12}`
      }
    }),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${HOUR}h`,
        exp_samples: firing.map((alert) => ({
          labels: `{alertname="AmplitudeLake${alert}"}`,
          value: 1
        }))
      }
    ]
  }))
}

describe("The alert rules", () => {
  it("each wait, have a severity, and name the command to type", () => {
    for (const { alert, annotations, for: wait, labels } of rules) {
      assert.match(alert, /^AmplitudeLake[A-Z]/)
      assert.match(wait, /^\d+[mh]$/, alert)
      assert.match(labels.severity, /^(warning|critical)$/, alert)
      assert.ok(annotations.summary.length > 20, alert)
      assert.match(annotations.description, /amplitude-lake (all|check|gaps|resolve|status)\b/)
    }
    const tested = new Set(CASES.flatMap(([, , firing]) => firing))
    assert.deepEqual(
      rules.map(({ alert }) => alert.replace("AmplitudeLake", "")).filter((it) => !tested.has(it)),
      []
    )
  })

  it("use only metrics that a run writes", () => {
    const counted = ["newest_hour", "gap_hours", "oldest_gap", "conflicts", "oldest_failed_hour"]
    const written = parsePrometheus(
      metricsText({
        labels: { command: "all", store: "s3://a/b/" },
        exitCode: 0,
        begun: 0,
        ended: 1,
        counted: counted.map((name) => ({ name, tags: {}, value: 1 })),
        before: ""
      })
    ).map(({ name }) => name)
    const used = rules.flatMap(({ expr }) => expr.match(/amplitude_lake_\w+/g) ?? [])
    assert.ok(used.length >= rules.length)
    assert.deepEqual(
      used.filter((name) => !written.includes(name)),
      []
    )
  })

  it.skipIf(!hasPromtool)("are correct for promtool (skipped where it is not installed)", () => {
    const { output, status } = runPromtool(["check", "rules", RULES])
    assert.equal(status, 0, output)
    assert.match(output, new RegExp(`SUCCESS: ${rules.length} rules found`))
  })

  it.scoped.skipIf(!hasPromtool)(
    "fire for what they name, and for nothing else (skipped where promtool is not installed)",
    () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryFolder, "cases.yml")
        yield* Effect.promise(() => writeFile(path, JSON.stringify(promtoolTests)))
        const { output, status } = runPromtool(["test", "rules", path])
        assert.equal(status, 0, output)
      })
  )
})

describe.skipIf(!hasPromtool)("The metrics (skipped where promtool is not installed)", () => {
  const FILE = ["--metrics-file", "lake.prom"]
  const once = ["--retries", "0", "--retry-base-ms", "1"]

  for (const [title, hours] of [
    ["that has landed nothing yet", []],
    ["that has landed hours", ["landed", "empty", "failed"]]
  ] as const) {
    it(`of a worker ${title} are correct for promtool`, () => {
      const counted = [
        ...hours.map((outcome) => ({ name: "hours", tags: { outcome }, value: 3 })),
        ...["events", "retries"].map((name) => ({ name, tags: {}, value: 7 }))
      ]
      const windows = { landed: 2, failed: 1, lost: 0 }
      const text = workerMetrics({ lanes: 4, connected: 4, busy: 1, windows }, counted)
      const { output, status } = runPromtool(["check", "metrics"], text)
      assert.deepEqual([status, output], [0, ""], text)
    })
  }

  it.scopedLive("of a run, of one that fails and of status are correct for promtool", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const land = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T21"]
      const synthetic = ["--source", "synthetic", "--events-per-hour", "20"]
      const refused = ["--amplitude-url", "http://127.0.0.1:9", "--start-date", "2025-11-10T22"]
      const failed = [...refused, "--end-date", "2025-11-10T22", ...once]
      const env = { AMP_API_KEY: "key", AMP_SECRET_KEY: "secret" }
      for (const [command, args, code] of [
        ["all", [...synthetic, ...land], 0],
        ["all", failed, 5],
        ["status", ["--metrics-file", "status.prom"], 3]
      ] as const) {
        const file = command === "status" ? "status.prom" : "lake.prom"
        const words = [command, "--dev", ...FILE, ...args]
        const ended = yield* run(words, { folder, env })
        assert.equal(ended.code, code, ended.stderr)
        const text = yield* Effect.promise(() => readFile(join(folder, file), "utf8"))
        const { output, status } = runPromtool(["check", "metrics"], text)
        assert.deepEqual([status, output], [0, ""], text)
      }
    })
  )
})
