import { Effect, Exit } from "effect"
import type { WarehouseError } from "../../services/Warehouse.ts"
import type { Connection } from "./connection.ts"

/** Commits what an effect did, or rolls it back if it fails or is interrupted. */
export function inTransaction<A, E, R>(
  { run }: Connection,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E | WarehouseError, R> {
  return Effect.acquireUseRelease(
    run("load", "begin"),
    () => Effect.zipLeft(work, run("load", "commit")),
    (_, exit) =>
      Exit.isSuccess(exit)
        ? Effect.void
        : // DuckDB has rolled back by itself if the commit failed.
          Effect.catchAll(run("load", "rollback"), ({ message }) => Effect.logDebug(message))
  )
}
