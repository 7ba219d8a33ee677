import { Effect, type Scope } from "effect"
import { type Answer, Warehouse, type WarehouseError } from "../../services/Warehouse.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"

export interface QueryOptions extends RetryOptions {
  /** One statement that only reads. */
  readonly sql: string
}

/**
 * Answers a query from the warehouse, which stays open until the scope closes. Nothing can be
 * changed meanwhile.
 *
 * @example
 * ```ts
 * import { Effect, Stream } from "effect"
 * import { queryWarehouse } from "amplitude-lake"
 *
 * export const printed = Effect.scoped(
 *   Effect.gen(function* () {
 *     const { rows } = yield* queryWarehouse({ sql: "from amplitude.loads limit 5" })
 *     yield* Stream.runForEach(rows, (some) => Effect.sync(() => console.log(some)))
 *   })
 * )
 * ```
 */
export const queryWarehouse = Effect.fn("queryWarehouse")(function* ({
  sql
}: QueryOptions): Effect.fn.Return<Answer, WarehouseError, Run | Scope.Scope | Warehouse> {
  const { retry } = yield* Run
  const { query } = yield* Effect.flatMap(Warehouse, (it) => retry(it.open("read")))
  return yield* query(sql)
}, asRun)
