import { Effect } from "effect"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { warehouseContract } from "../../contracts/warehouse.ts"

warehouseContract(
  "WarehouseMemory",
  Effect.map(WarehouseMemory.makeTest, ({ lines, lists, service }) => ({
    warehouse: service,
    entries: (stream) =>
      Effect.sync(() =>
        [...lists.values()]
          .filter(({ row }) => row.stream === stream)
          .sort((one, other) => (one.row.date < other.row.date ? -1 : 1))
          .flatMap(({ entries, row }) =>
            entries.map((entry, index) => [row.date, index + 1, entry] as const)
          )
      ),
    setLines: (hour, texts) => Effect.sync(() => lines.set(hour, texts)),
    rows: Effect.sync(() =>
      [...lines]
        .sort()
        .flatMap(([hour, texts]) => texts.map((text, index) => [hour, index + 1, text] as const))
    )
  }))
)
