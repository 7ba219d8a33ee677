import assert from "node:assert/strict"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { closedPort } from "../fixtures/servers/closedPort.ts"
import { hasPromtool, runPromtool } from "../fixtures/shown/promtool.ts"
import { query } from "./_database.ts"
import { ended, makeFleet, until } from "./_machines.ts"

/** Every row of every table in a database, as text. */
const everyRow = (url: string) =>
  Effect.promise(async () => {
    const tables = await query(
      url,
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
      where table_schema not in ('pg_catalog', 'information_schema') order by 1`
    )
    const rows = await Promise.all(
      tables.map(({ name }) =>
        query(url, `select to_jsonb(it)::text as row from ${String(name)} it`)
      )
    )
    return { tables: tables.length, rows: rows.flat().map(({ row }) => String(row)) }
  })

describe("A fleet of several lakes", () => {
  it.scopedLive("lands each by the keys of its own env file, and keeps no secret", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01T00", "2025-11-01T11")
      const { dates, folder, gate, onMachine, url } = fleet
      const secret = Object.assign(new URL(url), { password: "canary-password" }).href
      const files = join(folder, "lakes")
      yield* Effect.promise(async () => {
        await mkdir(files)
        for (const name of ["blog", "shop"]) {
          const lines = [
            `AMP_API_KEY=${name === "shop" ? "canary-api-key" : "canary-other-key"}`,
            "AMP_SECRET_KEY=canary-secret-key",
            "AMPLITUDE_LAKE_STORE=local",
            `AMPLITUDE_LAKE_LOCAL_DIR=${join(folder, "lake")}`,
            `AMPLITUDE_LAKE_PREFIX=${name}/`,
            `AMPLITUDE_LAKE_AMPLITUDE_URL=${gate.origin}`
          ]
          await writeFile(join(files, `${name}.env`), lines.join("\n"), { mode: 0o600 })
        }
      })
      const own = { AMP_API_KEY: "", AMP_SECRET_KEY: "", AMPLITUDE_LAKE_DATABASE_URL: secret }
      // Of a flag, Node 20 would take the folder for its own.
      const all = { AMPLITUDE_LAKE_ENV_FILE: files }
      const shop = join(files, "shop.env")
      yield* onMachine(["worker", "--worker-lanes", "2"], { ...own, ...all })
      yield* onMachine(["worker", "--env-file", shop, "--env-file", join(files, "blog.env")], own)
      const args = [...dates, "--request-hours", "2", "--json"]
      const many = yield* ended(yield* onMachine(["backfill", ...args], { ...own, ...all }))
      // The simulator knows one of the two keys.
      assert.equal(many.code, 7, many.stderr)
      const { lakes } = JSON.parse(many.stdout) as {
        readonly lakes: ReadonlyArray<{
          readonly envFile: string
          readonly store: string
          readonly exitCode: number
          readonly landed: ReadonlyArray<string>
          readonly empty: ReadonlyArray<string>
          readonly failed: ReadonlyArray<{ readonly error: string }>
          readonly postponed: ReadonlyArray<string>
        }>
      }
      const [blog, other] = lakes
      assert.deepEqual(
        lakes.map(({ envFile, exitCode }) => [envFile, exitCode]),
        [
          [join(files, "blog.env"), 7],
          [shop, 0]
        ]
      )
      assert.equal((other?.landed.length ?? 0) + (other?.empty.length ?? 0), 12)
      // Not every window of it was tried: the first refusal has stopped it.
      assert.ok((blog?.failed.length ?? 0) > 0 && (blog?.postponed.length ?? 0) > 0)
      assert.ok(blog?.failed.every(({ error }) => error.startsWith("AmplitudeError.")))
      for (const most of gate.most.values()) assert.ok(most <= 4)

      const { rows, tables } = yield* everyRow(url)
      assert.ok(tables === 3 && rows.length > 10)
      assert.ok(rows.some((row) => row.includes("AmplitudeError")))
      assert.deepEqual(
        rows.filter((row) => row.includes("canary")),
        []
      )
      // Nor any event: a row says how many there are.
      assert.deepEqual(
        rows.filter((row) => row.includes("event_type") || row.includes("user_id")),
        []
      )
    })
  )

  it.scopedLive("answers for its health, and counts", () =>
    Effect.gen(function* () {
      const fleet = yield* makeFleet("2025-11-01T00", "2025-11-01T03")
      const port = yield* closedPort
      const get = (path: string) =>
        Effect.promise(() =>
          fetch(`http://127.0.0.1:${port}${path}`).then(
            async (it) => ({ status: it.status, text: await it.text() }),
            () => ({ status: 0, text: "" })
          )
        )
      yield* fleet.worker("--health-port", String(port))
      yield* until(get("/health"), ({ status }) => status === 200)
      const backfill = yield* ended(yield* fleet.backfill("--request-hours", "2", "--json"))
      assert.equal(backfill.code, 0, backfill.stderr)
      const { text } = yield* get("/metrics")
      assert.match(text, /^amplitude_lake_worker_windows_total\{outcome="landed"\} 2$/m)
      assert.match(text, /^amplitude_lake_worker_outcomes_total\{outcome="landed"\} [234]$/m)
      if (hasPromtool) assert.equal(runPromtool(["check", "metrics"], text).output, "")
      assert.equal((yield* get("/nothing")).status, 404)
    })
  )
})
