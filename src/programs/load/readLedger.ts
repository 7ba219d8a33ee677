import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import {
  type LoadedHour,
  type OpenWarehouse,
  type ReferenceList,
  Warehouse,
  type WarehouseError,
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

/** What is read of a warehouse, or something else where it does not exist yet. */
const readOr = <A>(
  read: (warehouse: OpenWarehouse) => Effect.Effect<A, WarehouseError>,
  nothing: A
) =>
  Effect.gen(function* () {
    const { retry } = yield* Run
    const opened = yield* Effect.flatMap(Warehouse, (it) => retry(it.open("read")))
    return yield* retry(read(opened))
  }).pipe(
    Effect.scoped,
    Effect.catchIf(
      (error) => error.reason === "NotFound",
      () => Effect.succeed(nothing)
    )
  )

/** What a warehouse holds; nothing where it does not exist yet. */
export const readLedger = readOr(ledgerOf, NOTHING)

/** The lists that a warehouse holds; none where it does not exist yet. */
export const readLists = readOr<ReadonlyArray<ReferenceList>>(({ lists }) => lists, [])
