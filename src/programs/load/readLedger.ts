import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import {
  type LoadedHour,
  type OpenWarehouse,
  Warehouse,
  type WarehouseLake
} from "../../services/Warehouse.ts"
import { Run } from "../run/Run.ts"

/** What a warehouse holds, by its ledger. */
export interface Ledger {
  /** Whose hours; `None` before the first load. */
  readonly known: Option.Option<WarehouseLake>
  readonly rows: ReadonlyMap<Hour, LoadedHour>
}

const NOTHING: Ledger = { known: Option.none(), rows: new Map() }

/** The ledger of an open warehouse. */
export const ledgerOf = Effect.fnUntraced(function* ({ lake, loads }: OpenWarehouse) {
  const rows = new Map((yield* loads).map((row) => [row.hour, row] as const))
  return { known: yield* lake, rows } satisfies Ledger
})

/** What a warehouse holds; nothing where it does not exist yet. */
export const readLedger = Effect.gen(function* () {
  const { retry } = yield* Run
  const opened = yield* Effect.flatMap(Warehouse, (it) => retry(it.open("read")))
  return yield* retry(ledgerOf(opened))
}).pipe(
  Effect.scoped,
  Effect.catchIf(
    (error) => error.reason === "NotFound",
    () => Effect.succeed(NOTHING)
  )
)
