import { Effect, ExecutionStrategy, Exit, Layer, Scope } from "effect"
import { Warehouse } from "../../services/Warehouse.ts"
import { healthOf, openFile } from "./file.ts"
import { openWarehouse } from "./openWarehouse.ts"

export interface WarehouseDuckDbOptions {
  /** The warehouse's file. It is made by the first load; its folder must exist. */
  readonly file: string
  /** What DuckDB's own buffers may take up, such as `256MB`, the default. */
  readonly memoryLimit?: string | undefined
  /** Threads of DuckDB. Defaults to 1: more do not make a load faster, which one connection feeds. */
  readonly threads?: number | undefined
}

/** DuckDB is loaded, and the file is opened, when the warehouse is. */
export function make({
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
          Effect.flatMap(openFile({ path: file, memoryLimit, threads }, to), (connection) =>
            openWarehouse(connection, file)
          )
        )
    })
  )
}

/** Releases what was acquired at once if the rest fails, so that it can be tried again in one scope. */
const allOrNothing = <A, E>(
  self: Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const own = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      return yield* restore(Scope.extend(self, own)).pipe(
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
    })
  )

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
