import { Effect, Layer } from "effect"
import { Warehouse } from "../../services/Warehouse.ts"
import { allOrNothing } from "../disk/allOrNothing.ts"
import { healthOf, openFile } from "./file.ts"
import { openWarehouse } from "./openWarehouse.ts"

export interface WarehouseDuckDbOptions {
  /** The warehouse's file. It is made by the first load; its folder must exist. */
  readonly file: string
  /** What DuckDB's own buffers may take up, such as `256MB`, the default. */
  readonly memoryLimit?: string | undefined
  /** Threads of DuckDB. Defaults to 1: more do not make a load faster, which one connection feeds. */
  readonly threads?: number | undefined
  /** The one folder, apart from the file, that it may write to and read from. By default there is none. */
  readonly exportsTo?: string | undefined
}

/** DuckDB is loaded, and the file is opened, when the warehouse is. */
export function make({
  exportsTo,
  file,
  memoryLimit = "256MB",
  threads = 1
}: WarehouseDuckDbOptions): Effect.Effect<Warehouse["Type"]> {
  return Effect.succeed(
    Warehouse.of({
      place: file,
      health: healthOf(file),
      open: (to) =>
        allOrNothing(
          Effect.flatMap(
            openFile({ path: file, memoryLimit, threads, exportsTo }, to),
            (connection) => openWarehouse(connection, file)
          )
        )
    })
  )
}

/**
 * A warehouse in a DuckDB file, which needs the package `@duckdb/node-api`. DuckDB loads no extension
 * and reaches no other file and no network.
 *
 * @example
 * ```ts
 * import * as WarehouseDuckDb from "amplitude-lake/layers/WarehouseDuckDb"
 *
 * export const warehouse = WarehouseDuckDb.layer({ file: "lake.duckdb" })
 * ```
 */
export function layer(options: WarehouseDuckDbOptions): Layer.Layer<Warehouse> {
  return Layer.effect(Warehouse, make(options))
}
