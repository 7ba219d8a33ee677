import { Effect } from "effect"
import * as WarehouseMemory from "../../../src/layers/memory/WarehouseMemory.ts"
import { warehouseContract } from "../../contracts/warehouse.ts"

warehouseContract(
  "WarehouseMemory",
  Effect.map(WarehouseMemory.makeTest, ({ lines, service }) => ({
    warehouse: service,
    setLines: (hour, texts) => Effect.sync(() => lines.set(hour, texts)),
    rows: Effect.sync(() =>
      [...lines]
        .sort()
        .flatMap(([hour, texts]) => texts.map((text, index) => [hour, index + 1, text] as const))
    )
  }))
)
