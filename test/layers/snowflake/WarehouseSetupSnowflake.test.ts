import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Option, Redacted } from "effect"
import * as WarehouseSetupSnowflake from "../../../src/layers/snowflake/WarehouseSetupSnowflake.ts"
import { TABLE_NAMES } from "../../../src/layers/snowflake/tables.ts"
import * as WarehouseSnowflake from "../../../src/layers/snowflake/WarehouseSnowflake.ts"
import { describeWarehouse, setupWarehouse } from "../../../src/programs/setup/setupWarehouse.ts"
import { ReferenceStream } from "../../../src/services/Amplitude.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { ReferenceList } from "../../../src/services/Warehouse.ts"
import { WarehouseSetup } from "../../../src/services/WarehouseSetup.ts"
import { warehouseSetupContract } from "../../contracts/warehouseSetup.ts"
import { hourToLoad } from "../../fixtures/hourToLoad.ts"
import { ADMIN } from "../../fixtures/snowflake/catalog.ts"
import {
  ACCOUNT,
  PRIVATE_KEY,
  snowflakeAccount,
  stagedObject,
  USER
} from "../../fixtures/snowflake/account.ts"
import { CONTEXT } from "../../fixtures/snowflake/server.ts"

const ROLE_ARN = "arn:aws:iam::111122223333:role/snowflake-reader"
const URL = "s3://lake/events/"
const STAGE = "AMPLITUDE_LAKE.AMPLITUDE.LAKE"
const [H20, H21] = [Hour.make("2025-11-10T20"), Hour.make("2025-11-10T21")]

const azure = {
  url: "azure://lake.blob.core.windows.net/lake/events/",
  provider: { name: "AZURE", tenant: "8f0c4a52-0000-0000-0000-000000000000" },
  queueIntegration: "EVENT_GRID"
} as const

/** An account with nothing of a lake, and how to set it up. */
const workplace = (more: Partial<WarehouseSetupSnowflake.WarehouseSetupSnowflakeOptions> = {}) =>
  Effect.gen(function* () {
    const account = yield* snowflakeAccount({ isNew: true })
    const connection = {
      account: ACCOUNT,
      credentials: { user: USER, privateKey: Redacted.make(PRIVATE_KEY) },
      origin: account.server.origin,
      role: ADMIN,
      pollEvery: "1 millis"
    } as const
    const options: WarehouseSetupSnowflake.WarehouseSetupSnowflakeOptions = {
      warehouse: CONTEXT.warehouse,
      database: CONTEXT.database,
      schema: CONTEXT.schema,
      url: URL,
      provider: { name: "S3", roleArn: ROLE_ARN },
      pipe: true,
      connection,
      ...more
    }
    const setup = yield* WarehouseSetupSnowflake.make(options)
    const setUp = (apply = false, service = setup) =>
      setupWarehouse({ apply, retries: 0 }).pipe(
        Effect.provideService(WarehouseSetup, service),
        Effect.map(({ exitCode, items }) => ({
          exitCode,
          items,
          states: [...new Set(items.map(({ state }) => state))],
          itemOf: (name: string) => items.find((it) => it.name === name)
        }))
      )
    const sent = () =>
      account.server.requests.flatMap(({ kind, statement }) =>
        kind === "submit" ? [statement] : []
      )
    return { ...account, connection, setup, setUp, sent, setupOptions: options }
  })

const loaderOf = ({ options }: Effect.Effect.Success<ReturnType<typeof workplace>>) =>
  WarehouseSnowflake.make({ ...options, role: "AMPLITUDE_LOADER" })

warehouseSetupContract(
  "WarehouseSetupSnowflake",
  Effect.map(workplace(), ({ setup }) => setup)
)

describe("WarehouseSetupSnowflake", () => {
  for (const [name, more] of [
    ["S3", {}],
    ["Azure", azure]
  ] as const) {
    it.scopedLive(`makes all of a lake on ${name} once, and then has nothing to do`, () =>
      Effect.gen(function* () {
        const { sent, setUp } = yield* workplace(more)
        const shown = yield* setUp()
        assert.deepEqual([shown.states, shown.exitCode], [["would change"], 3])
        assert.ok(sent().every((it) => /^(SHOW|DESC|SELECT) /.test(it)))
        const applied = yield* setUp(true)
        assert.deepEqual(
          [applied.states, applied.exitCode],
          [["changed"], 0],
          JSON.stringify(applied.items)
        )
        const before = sent().length
        const again = yield* setUp(true)
        assert.deepEqual([again.states, again.exitCode], [["same"], 0], JSON.stringify(again.items))
        assert.ok(
          sent()
            .slice(before)
            .every((it) => /^(SHOW|DESC|SELECT) /.test(it))
        )
        assert.deepEqual(
          again.items.map((it) => it.name),
          [
            "integration AMPLITUDE_LAKE",
            "database AMPLITUDE_LAKE",
            "schema AMPLITUDE",
            "file format LINES",
            "stage LAKE",
            ...TABLE_NAMES.map((it) => `table ${it}`),
            "first rows",
            "role AMPLITUDE_LOADER",
            "role AMPLITUDE_READER",
            "pipe LAKE_PIPE",
            "grants to AMPLITUDE_LOADER",
            "grants to AMPLITUDE_READER"
          ]
        )
      })
    )
  }

  it.scopedLive("replaces and drops nothing, by none of its statements", () =>
    Effect.gen(function* () {
      const { sent, setUp, setup } = yield* workplace()
      yield* setUp(true)
      const all = [...sent(), ...setup.parts.flatMap(({ create }) => create)]
      for (const statement of all) {
        assert.doesNotMatch(statement, /\b(OR\s+REPLACE|DROP|TRUNCATE|REVOKE|OR\s+ALTER)\b/i)
        if (statement.startsWith("CREATE"))
          assert.match(statement, /^CREATE [A-Z ]+ IF NOT EXISTS /)
      }
    })
  )

  it.scopedLive("grants the loader all that a load needs, and nothing that makes or drops", () =>
    Effect.gen(function* () {
      const place = yield* workplace()
      yield* place.setUp(true)
      const loader = yield* loaderOf(place)
      yield* Effect.scoped(
        Effect.gen(function* () {
          const open = yield* loader.open("load")
          yield* open.claim({ place: URL, project: Option.some("1") })
          const hour = hourToLoad(H21, '{"a":1}\n{"a":2}\n')
          yield* place.put(hour)
          const { loadId } = yield* open.load(hour)
          const other = hourToLoad(H21, '{"a":3}\n')
          yield* place.put(other)
          const again = yield* open.load({ ...other, replaces: loadId })
          yield* open.relabel(again.loadId, { ...again, etag: '"e"' })
          yield* open.setCalendar([{ hour: H21, state: "landed", events: 1 }], 0)
          assert.equal((yield* open.loads).length, 1)
          for (const stream of ReferenceStream.literals) {
            const [date, key, sha256] = ["2025-11-10", `${stream}.json`, "0"]
            const list = new ReferenceList({ date, stream, key, entries: 1, sha256, loadedAt: 0 })
            yield* open.loadList(list, ["{}"])
          }
          assert.equal((yield* open.lists).length, 3)
        })
      )
      const held = [...(place.server.sessions.catalog.grants.get("AMPLITUDE_LOADER") ?? [])]
      assert.ok(
        held.every((it) => !/OWNERSHIP|CREATE|ALL/.test(it.replace(/ on .*/, ""))),
        held.join()
      )
    })
  )

  it.scopedLive("grants the reader nothing but to read", () =>
    Effect.gen(function* () {
      const place = yield* workplace()
      yield* place.setUp(true)
      const { grants } = place.server.sessions.catalog
      const rights = [...(grants.get("AMPLITUDE_READER") ?? [])]
      assert.deepEqual([...new Set(rights.map((it) => it.split(" ")[0]))], ["USAGE", "SELECT"])
      const reader = yield* WarehouseSnowflake.make({ ...place.options, role: "AMPLITUDE_READER" })
      const refused = yield* Effect.flip(Effect.scoped(reader.open("load")))
      assert.equal(refused.reason, "AccessDenied")
    })
  )

  it.scopedLive("lets the pipe take hours of both layouts and formats, and nothing else", () =>
    Effect.gen(function* () {
      const { objects, server, setUp } = yield* workplace()
      yield* setUp(true)
      const hours = [
        "events/2025-11-10_20.jsonl",
        "events/2025-11-10_21.jsonl.gz",
        "events/dt=2025-11-10/hour=22/events.jsonl",
        "events/dt=2025-11-10/hour=23/events.jsonl.gz"
      ]
      const others = [
        "events/.amplitude-lake-replaced/2025-11-10_20.jsonl.0123456789ab",
        "events/.amplitude-lake-conflicts/2025-11-10T20--0123456789ab--0123456789ab",
        "events/.amplitude-lake-accepted/2025-11-10T20--2025-11-10T20--1",
        "events/.amplitude-lake-probe",
        "events/.amplitude-lake-reference/2025-11-10/events.json",
        "events/other/2025-11-10_20.jsonl",
        "events/dt=2025-11-10/hour=20/part-0.jsonl",
        "events/1_2025-11-10_20#0.json",
        "events/2025-11-10_20.jsonl.tmp",
        "elsewhere/2025-11-10_20.jsonl"
      ]
      const { gzipSync } = yield* Effect.promise(() => import("node:zlib"))
      for (const key of [...hours, ...others]) {
        const text = Buffer.from('{"a":1}\nnone\n')
        objects.set(key, stagedObject(key.endsWith(".gz") ? gzipSync(text) : text))
      }
      yield* Effect.promise(() => server.sessions.notify([...others, ...hours, ...hours]))
      const rows = yield* Effect.promise(() =>
        server.sessions.behind(
          "select key as place, strftime(min(hour), '%Y-%m-%dT%H') as hour, count(*)::int as lines, count(malformed)::int as bad from events_raw group by place order by hour"
        )
      )
      assert.deepEqual(
        rows,
        hours.map((place, index) => ({ place, hour: `2025-11-10T2${index}`, lines: 2, bad: 1 }))
      )
    })
  )

  it.scopedLive("adds a location to an integration that serves others, and keeps theirs", () =>
    Effect.gen(function* () {
      const { server, setUp } = yield* workplace()
      const { integrations } = server.sessions.catalog
      const theirs = { provider: "S3", own: ROLE_ARN, isEnabled: true }
      integrations.set("AMPLITUDE_LAKE", { ...theirs, locations: ["s3://theirs/", "s3://more/a/"] })
      const { exitCode, itemOf } = yield* setUp(true)
      assert.equal(exitCode, 0)
      assert.equal(itemOf("integration AMPLITUDE_LAKE")?.from, "reads s3://theirs/, s3://more/a/")
      const { locations } = integrations.get("AMPLITUDE_LAKE") ?? {}
      assert.deepEqual(locations, ["s3://theirs/", "s3://more/a/", URL])
    })
  )

  it.scopedLive("takes an integration that reads a whole bucket as it is", () =>
    Effect.gen(function* () {
      const { server, setUp } = yield* workplace()
      const { integrations } = server.sessions.catalog
      const theirs = { provider: "S3", own: ROLE_ARN, isEnabled: true, locations: ["s3://lake/"] }
      integrations.set("AMPLITUDE_LAKE", theirs)
      const { exitCode, itemOf } = yield* setUp(true)
      assert.equal(exitCode, 0)
      assert.equal(itemOf("integration AMPLITUDE_LAKE")?.state, "same")
    })
  )

  it.scopedLive("leaves another role, a switched off integration, another stage and table", () =>
    Effect.gen(function* () {
      const { server, setUp } = yield* workplace()
      yield* setUp(true)
      const { integrations, stages } = server.sessions.catalog
      const theirs = { provider: "S3", own: "arn:aws:iam::1:role/x", isEnabled: false }
      integrations.set("AMPLITUDE_LAKE", { ...theirs, locations: [URL] })
      stages.set(STAGE, { url: "s3://theirs/", integration: "AMPLITUDE_LAKE" })
      yield* Effect.promise(() =>
        server.sessions.behind("alter table events_raw rename column malformed to broken")
      )
      const { exitCode, itemOf } = yield* setUp(true)
      assert.equal(exitCode, 3)
      for (const [name, message] of [
        [
          "integration AMPLITUDE_LAKE",
          /^enabled false, role arn:aws:iam::1:role\/x, not enabled true, role/
        ],
        ["stage LAKE", /^url s3:\/\/theirs\/, not url s3:\/\/lake\/events\/: .*use another schema/],
        ["table EVENTS_RAW", /^MALFORMED missing, not MALFORMED VARCHAR: somebody altered/]
      ] as const) {
        assert.equal(itemOf(name)?.state, "cannot")
        assert.match(itemOf(name)?.message ?? "", message)
      }
      assert.equal(stages.get(STAGE)?.url, "s3://theirs/")
    })
  )

  it.scopedLive(
    "leaves a pipe that takes more than hours, because a new one would load twice",
    () =>
      Effect.gen(function* () {
        const { server, setUp } = yield* workplace()
        yield* setUp(true)
        const { pipes } = server.sessions.catalog
        const name = "AMPLITUDE_LAKE.AMPLITUDE.LAKE_PIPE"
        const pipe = pipes.get(name)
        assert.ok(pipe !== undefined)
        const definition = pipe.definition
          .replace(/PATTERN = '[^']*'/, "PATTERN = '.*'")
          .replace("ON_ERROR = SKIP_FILE", "ON_ERROR = 'CONTINUE'")
        pipes.set(name, { ...pipe, definition })
        const { exitCode, itemOf } = yield* setUp(true)
        assert.equal(exitCode, 3)
        assert.match(
          itemOf("pipe LAKE_PIPE")?.message ?? "",
          /^takes \.\*, on error CONTINUE, not takes /
        )
        assert.equal(pipes.get(name)?.definition, definition)
      })
  )

  it.scopedLive("grants again what somebody has revoked, and that alone", () =>
    Effect.gen(function* () {
      const { sent, server, setUp } = yield* workplace()
      yield* setUp(true)
      const rights = server.sessions.catalog.grants.get("AMPLITUDE_LOADER")
      rights?.delete("DELETE on TABLE AMPLITUDE_LAKE.AMPLITUDE.CALENDAR")
      const before = sent().length
      const { exitCode } = yield* setUp(true)
      assert.equal(exitCode, 0)
      assert.deepEqual(
        sent()
          .slice(before)
          .filter((it) => it.startsWith("GRANT")),
        ["GRANT DELETE ON TABLE AMPLITUDE_LAKE.AMPLITUDE.CALENDAR TO ROLE AMPLITUDE_LOADER"]
      )
    })
  )

  it.scopedLive("names what a role may not do, and what needs it", () =>
    Effect.gen(function* () {
      const { connection, server, setUp, setupOptions } = yield* workplace()
      server.sessions.catalog.roles.add("NOBODY")
      const setup = yield* WarehouseSetupSnowflake.make({
        ...setupOptions,
        connection: { ...connection, role: "NOBODY" }
      })
      const { exitCode, itemOf } = yield* setUp(true, setup)
      assert.equal(exitCode, 7)
      assert.equal(itemOf("database AMPLITUDE_LAKE")?.error, "WarehouseError.AccessDenied")
      assert.equal(itemOf("schema AMPLITUDE")?.message, "needs database AMPLITUDE_LAKE")
      assert.equal(itemOf("first rows")?.message, "needs table ABOUT")
    })
  )

  it.scopedLive("tells the two values of the trust policy, and the pipe's queue", () =>
    Effect.gen(function* () {
      const { setUp, setup } = yield* workplace()
      const described = describeWarehouse({ retries: 0 }).pipe(
        Effect.provideService(WarehouseSetup, setup)
      )
      assert.equal((yield* Effect.flip(described)).reason, "NotFound")
      yield* setUp(true)
      const { externalId, queue, trustedArn } = yield* described
      assert.match(trustedArn ?? "", /^arn:aws:iam::\d{12}:user\//)
      assert.match(externalId ?? "", /^MYORG_SFCRole=/)
      assert.match(queue ?? "", /^arn:aws:sqs:/)
    })
  )

  it.scopedLive("has nothing to do after a load", () =>
    Effect.gen(function* () {
      const place = yield* workplace({ pipe: false })
      yield* place.setUp(true)
      const loader = yield* loaderOf(place)
      const hour = hourToLoad(H20, "{}\n")
      yield* place.put(hour)
      yield* Effect.scoped(Effect.flatMap(loader.open("load"), (open) => open.load(hour)))
      const again = yield* place.setUp(true)
      assert.deepEqual([again.states, again.exitCode], [["same"], 0])
    })
  )
})
