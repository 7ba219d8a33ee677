import assert from "node:assert/strict"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { isLong } from "../../fixtures/long.ts"
import { run } from "../../fixtures/process/program.ts"
import { scriptedServer, tunnelTo } from "../../fixtures/servers/scriptedServer.ts"
import { selfSigned } from "../../fixtures/servers/selfSigned.ts"
import { PREFIX, workplace, workplaceWith } from "../../fixtures/snowflake/workplace.ts"

const HOURS = ["--start-date", "2025-11-10T21", "--end-date", "2025-11-10T23"]
const SYNTHETIC = ["--source", "synthetic", "--events-per-hour", "20"]

describe("amplitude-lake with Snowflake", () => {
  it.scopedLive.runIf(isLong)(
    "loads landed hours by an env file, shows what it would do, and names no secret",
    () =>
      Effect.gen(function* () {
        const { lake, server } = yield* workplace
        const landed = yield* lake("all", ...HOURS, ...SYNTHETIC)
        assert.equal(landed.code, 0, landed.stderr)
        const dry = yield* lake("load", "--warehouse", "snowflake", "--dry-run")
        assert.equal(dry.code, 0, dry.stderr)
        assert.match(dry.stdout, /3 hours/)
        const before = yield* lake("status", "--warehouse", "snowflake", ...HOURS)
        assert.match(before.stdout, /The warehouse snowflake:\/\/\S+ has 0 hours of these\./)
        assert.match(before.stdout, /3 hours not loaded, .* load --warehouse snowflake$/m)
        const loaded = yield* lake("load", "--warehouse", "snowflake")
        assert.equal(loaded.code, 0, loaded.stderr)
        assert.match(loaded.stdout, /warehouse {3}Snowflake myorg-lake: AMPLITUDE_LAKE\.AMPLITUDE/)
        assert.match(loaded.stdout, /loaded {6}3 hours/)
        const after = yield* lake("status", "--warehouse", "snowflake", ...HOURS)
        assert.match(after.stdout, /has 3 hours of these\./)
        const again = yield* lake("load", "--warehouse", "snowflake", "--json")
        assert.deepEqual(JSON.parse(again.stdout).skipped.length, 3)
        const [row] = yield* Effect.promise(() =>
          server.sessions.behind(
            "select count(*)::int as lines, count(content_key)::int as keys, (select sum(events) from loads)::int as events from events_raw"
          )
        )
        assert.ok(row !== undefined && Number(row["lines"]) > 20)
        assert.deepEqual([row["lines"], row["keys"]], [row["events"], row["events"]])
        const output = [landed, dry, before, loaded, after, again]
          .map(({ stderr, stdout }) => stdout + stderr)
          .join()
        assert.doesNotMatch(output, /SKTEST|a passphrase of its own|BEGIN|eyJ/)
      })
  )

  it.scopedLive.runIf(isLong)(
    "follows hours that a person was removed from, also twice between two loads",
    () =>
      Effect.gen(function* () {
        const { lake, server } = yield* workplace
        yield* lake("all", ...HOURS, ...SYNTHETIC)
        const load = () => lake("load", "--warehouse", "snowflake", "--json")
        const loaded = yield* load()
        assert.equal(loaded.code, 0, loaded.stderr)
        const behind = (sql: string) => Effect.promise(() => server.sessions.behind(sql))
        const devices = yield* behind(
          "select event->>'device_id' as device, count(*)::int as lines from events_raw where event->>'device_id' is not null group by 1 order by 2 desc, 1 limit 2"
        )
        const [{ lines }] = (yield* behind("select count(*)::int as lines from events_raw")) as [
          { readonly lines: number }
        ]
        assert.equal(devices.length, 2)
        for (const { device } of devices) {
          const redacted = yield* lake("redact", "--device-id", String(device), "--yes")
          assert.equal(redacted.code, 0, redacted.stderr)
        }
        const stale = yield* lake("status", "--warehouse", "snowflake", ...HOURS)
        assert.match(stale.stdout, /replaced/)
        const again = yield* load()
        assert.equal(again.code, 0, again.stderr)
        const removed = devices.reduce((sum, it) => sum + Number(it["lines"]), 0)
        const names = devices.map(({ device }) => `'${device}'`).join()
        const [left] = yield* behind(
          `select count(*)::int as lines, (count(*) filter (event->>'device_id' in (${names})))::int as theirs, (select sum(events) from loads)::int as events, (select sum(redacted) from loads)::int as redacted from events_raw`
        )
        assert.deepEqual(left, {
          lines: lines - removed,
          theirs: 0,
          events: lines - removed,
          redacted: removed
        })
        assert.deepEqual(JSON.parse((yield* load()).stdout).skipped.length, 3)
      }),
    { timeout: 180_000 }
  )

  it.scopedLive.runIf(isLong)(
    "reconciles what a pipe has loaded, and says what fixes the rest",
    () =>
      Effect.gen(function* () {
        const { lake, server } = yield* workplace
        yield* lake("all", ...HOURS, ...SYNTHETIC)
        const reconcile = () => lake("load", "--reconcile", "--warehouse", "snowflake")
        const none = yield* reconcile()
        assert.equal(none.code, 3, none.stderr)
        assert.match(none.stdout, /^reconciled {2}nothing new$/m)
        const load =
          /^hole .* 3 hours from 2025-11-10T21 to 2025-11-10T23: no line .* load --warehouse snowflake --start-date 2025-11-10T21 --end-date 2025-11-10T23$/m
        assert.match(none.stdout, load)
        const names = ["21", "22", "23"].map((hour) => `${PREFIX}2025-11-10_${hour}.jsonl`)
        yield* Effect.promise(async () => {
          await server.sessions.pipe({ names })
          await server.sessions.behind(
            `insert into events_raw select * from events_raw where key = '${names[1]}'`
          )
        })
        const doubled = yield* reconcile()
        assert.equal(doubled.code, 8, doubled.stderr)
        assert.match(doubled.stdout, /^reconciled {2}2 hours, which the ledger has now$/m)
        const replace =
          /^double .*2025-11-10T22: .* load --warehouse snowflake --replace 2025-11-10T22$/m
        assert.match(doubled.stdout, replace)
        const again = ["load", "--replace", "2025-11-10T22", "--warehouse", "snowflake"]
        const replaced = yield* lake(...again)
        assert.equal(replaced.code, 0, replaced.stderr)
        const after = yield* lake("load", "--reconcile", "--warehouse", "snowflake", "--json")
        assert.equal(after.code, 0, after.stderr)
        const { piped, skipped } = JSON.parse(after.stdout)
        assert.deepEqual([piped, skipped.length], [{ reconciled: [], holes: [], doubles: [] }, 3])
      }),
    { timeout: 180_000 }
  )

  it.scopedLive.runIf(isLong)(
    "reaches Snowflake through a proxy, by a certificate of one's own authority",
    () =>
      Effect.gen(function* () {
        const tls = selfSigned(["myorg-lake.snowflakecomputing.com"])
        const { folder, options, server } = yield* workplaceWith({ tls })
        yield* Effect.promise(() => writeFile(join(folder, "authority.pem"), tls.cert))
        const { port } = new URL(server.origin)
        const proxy = yield* scriptedServer(Array.from({ length: 9 }, () => tunnelTo(Number(port))))
        const ended = (env: Readonly<Record<string, string>>) =>
          run(["load", "--warehouse", "snowflake", "--retries", "0"], {
            folder,
            env: { ...options.env, HTTPS_PROXY: proxy.origin, ...env }
          })
        const untrusted = yield* ended({})
        assert.equal(untrusted.code, 2, untrusted.stderr)
        assert.match(untrusted.stderr, /DEPTH_ZERO_SELF_SIGNED_CERT.*NODE_EXTRA_CA_CERTS/)
        assert.equal(server.requests.length, 0)
        const trusted = yield* ended({ NODE_EXTRA_CA_CERTS: join(folder, "authority.pem") })
        assert.equal(trusted.code, 0, trusted.stderr)
        assert.ok(server.requests.length > 0)
        for (const { method, target } of proxy.requests) {
          assert.equal(`${method} ${target}`, "CONNECT myorg-lake.snowflakecomputing.com:443")
        }
      }),
    { timeout: 120_000 }
  )

  it.scopedLive("says which variables to check if Snowflake refuses, and exits with 7", () =>
    Effect.gen(function* () {
      const { lake, server } = yield* workplace
      server.setPlan(() => ({ do: "answer", status: 403, code: "390318", message: "expired" }))
      const ended = yield* lake("load", "--warehouse", "snowflake")
      assert.equal(ended.code, 7, ended.stderr)
      assert.match(ended.stderr, /HTTP 403: expired \(390318\); check SNOWFLAKE_USER/)
    })
  )

  it.scopedLive("refuses with 2 what works on a file alone, and asks Snowflake nothing", () =>
    Effect.gen(function* () {
      const { lake, server } = yield* workplace
      for (const [args, says] of [
        [["verify"], /use verify without --warehouse .* status --warehouse snowflake/],
        [["sql", "select 1"], /--warehouse is for: load, status, verify\./],
        [["model"], /--warehouse is for: load, status, verify\./],
        [["all", ...HOURS, ...SYNTHETIC, "--load"], /--warehouse is for: load, status, verify\./],
        [["load", "--reconcile", "--dry-run"], /--reconcile cannot be combined with --dry-run/],
        [
          ["load", "--reconcile", "--unverified"],
          /--reconcile cannot be combined with --unverified/
        ],
        [
          ["load", "--reconcile", "--replace", "2025-11-10T21"],
          /--reconcile cannot be combined with --replace/
        ]
      ] as const) {
        const ended = yield* lake(...args, "--warehouse", "snowflake")
        assert.equal(ended.code, 2, ended.stderr)
        assert.match(ended.stderr, says)
      }
      const ofFile = yield* lake("load", "--reconcile")
      assert.equal(ofFile.code, 2, ofFile.stderr)
      assert.match(ofFile.stderr, /--reconcile needs --warehouse snowflake/)
      assert.deepEqual(server.requests.length, 0)
    })
  )
})
