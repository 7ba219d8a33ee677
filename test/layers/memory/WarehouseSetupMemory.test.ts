import * as WarehouseSetupMemory from "../../../src/layers/memory/WarehouseSetupMemory.ts"
import { warehouseSetupContract } from "../../contracts/warehouseSetup.ts"

warehouseSetupContract(
  "WarehouseSetupMemory",
  WarehouseSetupMemory.make({
    parts: [
      { name: "schema A" },
      { name: "table A.B", needs: ["schema A"], wanted: { KEY: "VARCHAR" } }
    ]
  })
)
