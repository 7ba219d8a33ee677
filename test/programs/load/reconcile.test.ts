import assert from "node:assert/strict"
import { gzipSync } from "node:zlib"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel, Option, Stream } from "effect"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import { loadHours } from "../../../src/programs/load/loadHours.ts"
import { sha256Of } from "../../fixtures/newObject.ts"
import { HOURS, nameOf, snowflakeLake } from "../../fixtures/snowflake/lake.ts"
import { hour as hourOf } from "../../fixtures/world.ts"

const [H10, H11, H12, H13] = [
  "2025-11-10T10",
  "2025-11-10T11",
  "2025-11-10T12",
  "2025-11-10T13"
] as const
const without = (...hours: ReadonlyArray<string>) => HOURS.filter((it) => !hours.includes(it))

/** A lake whose pipe has loaded all hours but some, and how a run reconciles them. */
const piped = (...missed: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { load, server, ...rest } = yield* snowflakeLake
    const { behind, pipe } = server.sessions
    const names = without(...missed).map(nameOf)
    // Opens the warehouse, which makes its tables.
    yield* load({ start: hourOf("2025-11-01T00"), end: hourOf("2025-11-01T00") })
    yield* Effect.promise(() => pipe({ names }))
    return {
      ...rest,
      server,
      load,
      reconcile: (options: Parameters<typeof load>[0] = {}) =>
        load({ reconcile: true, ...options }),
      pipe: (...hours: ReadonlyArray<string>) =>
        Effect.promise(() => pipe({ names: hours.map(nameOf) })),
      behind: (sql: string) => Effect.promise(() => behind(sql))
    }
  })

const test = (what: string, run: Effect.Effect<void, unknown, never>) =>
  it.live(what, () => run.pipe(Logger.withMinimumLogLevel(LogLevel.None)), 30_000)

describe("loadHours() that reconciles what a pipe has loaded", () => {
  test(
    "writes the ledger row of each hour that agrees, once, and changes no line",
    Effect.scoped(
      Effect.gen(function* () {
        const { behind, counted, reconcile, server } = yield* piped()
        const before = yield* behind("select * from events_raw order by hour, line")
        const first = yield* reconcile()
        assert.deepEqual(first.piped, { reconciled: HOURS, holes: [], doubles: [] })
        assert.deepEqual([first.loaded, first.skipped, first.exitCode], [[], [], 0])
        assert.equal(yield* counted("calendar where state = 'landed'"), HOURS.length)
        const again = yield* reconcile()
        assert.deepEqual([again.piped?.reconciled, again.skipped, again.exitCode], [[], HOURS, 0])
        assert.deepEqual(yield* behind("select * from events_raw order by hour, line"), before)
        const [ledger] = yield* behind(
          "select count(*)::int as hours, sum(events)::int as events, count(distinct load_id)::int as loads from loads"
        )
        assert.deepEqual(ledger, {
          hours: HOURS.length,
          events: before.length,
          loads: HOURS.length
        })
        const sent = server.requests.filter(({ statement }) =>
          statement.includes("MERGE INTO LOADS")
        )
        assert.equal(sent.length, 1)
        assert.ok(
          sent.every(({ statement }) => !/DELETE FROM EVENTS_RAW|COPY INTO/.test(statement))
        )
      })
    )
  )

  test(
    "names the hours that the pipe has missed, and what lets it try again",
    Effect.scoped(
      Effect.gen(function* () {
        const { pipe, reconcile } = yield* piped(H11, H13)
        const found = yield* reconcile()
        assert.deepEqual(found.piped?.reconciled, without(H11, H13))
        assert.deepEqual(
          found.piped?.holes.map(({ fix, hour, key, lines }) => [hour, key, lines, fix]),
          [H11, H13].map((hour) => [hour, nameOf(hour), 0, "refresh"])
        )
        assert.equal(
          found.piped?.refresh,
          "ALTER PIPE AMPLITUDE_LAKE.AMPLITUDE.LAKE_PIPE REFRESH PREFIX = '2025-11-10_1'"
        )
        assert.equal(found.exitCode, 3)
        yield* pipe(...HOURS)
        const after = yield* reconcile()
        assert.deepEqual([after.piped?.reconciled, after.exitCode], [[H11, H13], 0])
      })
    )
  )

  test(
    "names an hour of which the pipe has lost a line, which a load brings whole",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, pipe, reconcile, server } = yield* piped(H12)
        yield* Effect.promise(() => server.sessions.pipe({ names: [nameOf(H12)], loses: [2] }))
        const found = yield* reconcile()
        assert.deepEqual(
          found.piped?.holes.map(({ events, fix, hour, lines }) => [hour, events - lines, fix]),
          [[H12, 1, "load"]]
        )
        assert.deepEqual([found.piped?.refresh, found.exitCode], [undefined, 3])
        // The pipe remembers the object, and has nothing to do.
        yield* pipe(H12)
        assert.equal((yield* reconcile()).exitCode, 3)
        const loaded = yield* load({ start: hourOf(H12), end: hourOf(H12) })
        assert.deepEqual([loaded.loaded, loaded.exitCode], [[H12], 0])
        const after = yield* reconcile()
        assert.deepEqual([after.skipped, after.exitCode], [HOURS, 0])
        assert.equal(yield* counted(`events_raw where line = 2 and key = '${nameOf(H12)}'`), 1)
      })
    )
  )

  test(
    "names an hour whose lines are there twice, before and after the ledger has it",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, load, pipe, reconcile, server } = yield* piped()
        // After two weeks the pipe has forgotten what it has loaded.
        server.addDays(15)
        yield* pipe(H10)
        const found = yield* reconcile()
        const [double, ...others] = found.piped?.doubles ?? []
        assert.deepEqual([double?.hour, double?.key, others], [H10, nameOf(H10), []])
        assert.equal(double?.lines, 2 * (double?.events ?? 0))
        assert.deepEqual([found.piped?.reconciled, found.exitCode], [without(H10), 8])
        yield* pipe(H11)
        server.addDays(15)
        yield* pipe(H11)
        const later = yield* reconcile()
        assert.deepEqual(
          [later.piped?.doubles.map(({ hour }) => hour), later.exitCode],
          [[H10, H11], 8]
        )
        for (const hour of [H10, H11]) yield* load({ replace: hourOf(hour) })
        const after = yield* reconcile()
        assert.deepEqual([after.piped?.doubles, after.skipped, after.exitCode], [[], HOURS, 0])
        assert.equal(
          yield* counted("(select distinct hour, line from events_raw)"),
          yield* counted("events_raw")
        )
      })
    )
  )

  test(
    "names lines of an hour that neither store nor ledger has",
    Effect.scoped(
      Effect.gen(function* () {
        const { reconcile, store } = yield* piped()
        yield* store.remove(nameOf(H10).slice("events/".length))
        const found = yield* reconcile()
        assert.deepEqual(
          found.piped?.doubles.map(({ events, hour, key }) => [hour, key, events]),
          [[H10, "", 0]]
        )
        assert.deepEqual([found.piped?.reconciled, found.exitCode], [without(H10), 8])
      })
    )
  )

  const meanwhile: ReadonlyArray<
    readonly [what: string, sql: string, error: string, code: number]
  > = [
    [
      "whose lines change",
      `insert into events_raw select * from events_raw where key = '${nameOf(H12)}'`,
      "WarehouseError.Differs",
      8
    ],
    [
      "that another loader loads",
      `insert into loads select * replace (timestamp '2025-11-10 12:00' as hour, 'other' as load_id) from loads where hour = timestamp '2025-11-10 10:00'`,
      "WarehouseError.Changed",
      3
    ]
  ]
  for (const [what, sql, error, code] of meanwhile) {
    test(
      `writes no ledger row of an hour ${what} meanwhile, and those of the others`,
      Effect.scoped(
        Effect.gen(function* () {
          const { counted, reconcile, server } = yield* piped()
          yield* reconcile({ end: hourOf(H10) })
          let isDone = false
          server.setPlan(({ statement }) => {
            if (isDone || !statement.includes("MERGE INTO LOADS")) return undefined
            isDone = true
            return { do: "meanwhile", work: () => server.sessions.behind(sql) }
          })
          const found = yield* reconcile()
          assert.deepEqual(
            found.failed.map((it) => [it.hour, it.error]),
            [[H12, error]]
          )
          assert.deepEqual([found.piped?.reconciled, found.exitCode], [without(H10, H12), code])
          const own = yield* counted("loads where load_id <> 'other'")
          assert.equal(own, HOURS.length - 1)
        })
      )
    )
  }

  test(
    "names an hour that was replaced in the store since the ledger has it",
    Effect.scoped(
      Effect.gen(function* () {
        const { load, pipe, reconcile, store } = yield* piped()
        yield* reconcile()
        const key = nameOf(H12).slice("events/".length)
        const head = Option.getOrThrow(yield* store.head(key))
        const body = new TextEncoder().encode('{"a":1}\n')
        yield* store.remove(key)
        yield* store.put({
          key,
          size: body.length,
          sha256: sha256Of(body),
          metadata: {
            ...head.metadata,
            events: "1",
            bytes: String(body.length),
            lineset: "0123456789ab",
            replaces: head.metadata["lineset"] ?? ""
          },
          body: Stream.make(body)
        })
        const found = yield* reconcile()
        assert.deepEqual([found.differing.map(({ hour }) => hour), found.exitCode], [[H12], 8])
        // The pipe loads the new object beside the old one's lines.
        yield* pipe(H12)
        const later = yield* reconcile()
        assert.deepEqual([later.piped?.doubles.map(({ hour }) => hour), later.exitCode], [[H12], 8])
        yield* load({ replace: hourOf(H12) })
        assert.equal((yield* reconcile()).exitCode, 0)
      })
    )
  )

  test(
    "follows an hour that moved to another key and format with the same lines, and names no double",
    Effect.scoped(
      Effect.gen(function* () {
        const { reconcile, store } = yield* piped()
        yield* reconcile()
        const key = nameOf(H12).slice("events/".length)
        const { metadata } = Option.getOrThrow(yield* store.head(key))
        const body = gzipSync(Buffer.concat([...(yield* Stream.runCollect(store.get(key)))]))
        yield* store.remove(key)
        const sha256 = sha256Of(body)
        yield* store.put({
          key: "dt=2025-11-10/hour=12/events.jsonl.gz",
          size: body.length,
          sha256,
          metadata: { ...metadata, sha256 },
          body: Stream.succeed(body)
        })
        const moved = yield* reconcile()
        assert.deepEqual([moved.relabelled, moved.exitCode], [[H12], 0])
        const after = yield* reconcile()
        assert.deepEqual([after.piped?.doubles, after.skipped, after.exitCode], [[], HOURS, 0])
      })
    )
  )

  test(
    "looks only at the dates that are named",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, reconcile } = yield* piped(H13)
        const found = yield* reconcile({ start: hourOf(H10), end: hourOf(H11) })
        assert.deepEqual([found.piped?.reconciled, found.exitCode], [[H10, H11], 0])
        assert.equal(yield* counted("loads"), 2)
      })
    )
  )

  test(
    "writes the ledger rows once if the answer is lost",
    Effect.scoped(
      Effect.gen(function* () {
        const { counted, reconcile, server } = yield* piped()
        let isLost = false
        server.setPlan(({ statement }) => {
          if (isLost || !statement.includes("MERGE INTO LOADS")) return undefined
          isLost = true
          return { do: "lose" }
        })
        const found = yield* reconcile()
        assert.deepEqual([found.piped?.reconciled, found.retries, found.exitCode], [HOURS, 1, 0])
        assert.equal(yield* counted("loads"), HOURS.length)
      })
    )
  )

  test(
    "refuses a warehouse that nothing but a load fills",
    Effect.gen(function* () {
      const found = yield* loadHours({ reconcile: true })
      assert.deepEqual([found.error?.error, found.exitCode], ["LoadError.NoPipe", 2])
    }).pipe(
      Effect.provide(
        Layer.mergeAll(
          ClockFixed.layer(Date.parse("2025-11-12T12:00:00Z")),
          ObjectStorageMemory.layer(),
          UnpackerZip.layer(),
          WarehouseMemory.layer()
        )
      )
    )
  )
})
