import assert from "node:assert/strict"
import { join } from "node:path"
import { describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, LogLevel } from "effect"
import * as AmplitudeSynthetic from "../../../src/layers/synthetic/AmplitudeSynthetic.ts"
import * as ClockFixed from "../../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageMemory from "../../../src/layers/memory/ObjectStorageMemory.ts"
import * as SpoolMemory from "../../../src/layers/memory/SpoolMemory.ts"
import * as UnpackerZip from "../../../src/layers/unpack/UnpackerZip.ts"
import * as WarehouseDuckDb from "../../../src/layers/duckdb/WarehouseDuckDb.ts"
import { loadHours } from "../../../src/programs/load/loadHours.ts"
import { allHours } from "../../../src/programs/runPipeline.ts"
import { ObjectStorage } from "../../../src/services/ObjectStorage.ts"
import { Staging } from "../../../src/services/Staging.ts"
import { temporaryFolder } from "../../fixtures/disk.ts"
import { queryFile } from "../../fixtures/duckdb.ts"
import { runOptions, textOf } from "../../fixtures/world.ts"
import { realStores } from "../../fixtures/realStores.ts"

const [H10, H11] = ["2025-11-10T10", "2025-11-10T11"] as const
const PREFIX = "events/"

const stores = realStores(PREFIX)

describe("loadHours() into a DuckDB file", () => {
  for (const [name, makeStore] of Object.entries(stores)) {
    it.scopedLive(`loads two hours of ${name} once, line by line as they are landed`, () =>
      Effect.gen(function* () {
        const store = yield* makeStore
        const folder = yield* temporaryFolder
        const file = join(folder, "lake.duckdb")
        const layers = Layer.mergeAll(
          AmplitudeSynthetic.layer({ seed: 1, eventsPerHour: 100 }),
          ClockFixed.layer(Date.parse("2025-11-12T12:00:00Z")),
          Layer.succeed(ObjectStorage, store),
          Layer.effect(Staging, ObjectStorageMemory.make()),
          SpoolMemory.layer(),
          UnpackerZip.layer(),
          WarehouseDuckDb.layer({ file })
        )
        yield* Effect.provide(allHours(runOptions(H10)), layers)
        yield* Effect.provide(allHours(runOptions(H11, H11, { format: "jsonl.gz" })), layers)
        const load = Effect.provide(loadHours({ prefix: PREFIX }), layers)
        const [first, again] = [yield* load, yield* load]
        assert.deepEqual([first.loaded, first.exitCode], [[H10, H11], 0])
        assert.deepEqual([again.loaded, again.skipped, again.exitCode], [[], [H10, H11], 0])
        const rows = yield* queryFile(
          file,
          "select strftime(hour, '%Y-%m-%dT%H') as hour, string_agg(event || chr(10), '' order by line) as text, max(line) as lines from amplitude.events_raw group by all order by hour",
          ", read_only"
        )
        assert.equal(rows[0]?.["text"], yield* textOf(store, "2025-11-10_10.jsonl"))
        assert.equal(
          rows.reduce((sum, { lines }) => sum + Number(lines), 0),
          first.events
        )
        const ledger = yield* queryFile(
          file,
          "select key, format, project is not null as known, stored_lineset = lineset as same from amplitude.loads order by hour",
          ", read_only"
        )
        assert.deepEqual(ledger, [
          { key: "events/2025-11-10_10.jsonl", format: "jsonl", known: true, same: true },
          { key: "events/2025-11-10_11.jsonl.gz", format: "jsonl.gz", known: true, same: true }
        ])
        const calendar = yield* queryFile(
          file,
          "select state, count(*) as hours, sum(events) as events from amplitude.calendar group by all order by hours",
          ", read_only"
        )
        assert.deepEqual(
          calendar.map(({ state }) => state),
          ["landed", "pending", "gap"]
        )
        assert.equal(Number(calendar[0]?.["events"]), first.events)
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
    )
  }
})
