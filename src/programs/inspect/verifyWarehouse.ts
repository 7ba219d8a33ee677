import { Effect, Option, Schema } from "effect"
import { byHour, Hour } from "../../services/Hour.ts"
import { type LinesDigest, sameLines } from "../../services/LinesDigest.ts"
import { Progress } from "../../services/Progress.ts"
import {
  type LoadedHour,
  type OpenWarehouse,
  type StoredHour,
  Warehouse
} from "../../services/Warehouse.ts"
import { checkWarehouse } from "../load/claimWarehouse.ts"
import { ledgerOf } from "../load/readLedger.ts"
import type { Lake } from "../plan/inventory.ts"
import { Run } from "../run/Run.ts"
import { compareLedger, countHours, LedgerStatus } from "./compareLedger.ts"

const AlteredHour = Schema.Struct({
  hour: Hour,
  problems: Schema.Array(Schema.String),
  /** Whether the store has it, so that it can be loaded again. */
  isLanded: Schema.Boolean
})
type AlteredHour = typeof AlteredHour.Type

/** The result of reading the warehouse back. */
export const WarehouseVerification = Schema.Struct({
  ...LedgerStatus.fields,
  /** Hours whose stored lines are those of their ledger rows. */
  verified: Schema.NonNegativeInt,
  /** Stored lines that were read. */
  events: Schema.NonNegativeInt,
  /** Hours whose stored lines, ledger row or object are not the same lines, and how. */
  altered: Schema.Array(AlteredHour),
  /** Not read within the run's longest duration. */
  postponed: LedgerStatus.fields.notLoaded
})
export type WarehouseVerification = typeof WarehouseVerification.Type

interface VerifyOptions {
  readonly lake: Lake
  readonly isChosen: (hour: Hour) => boolean
  /** The store's prefix. */
  readonly prefix: string
}

/**
 * Compares the stored lines of each hour with its ledger row, and the ledger with the store's
 * listing.
 */
export const verifyWarehouse = Effect.fn("verifyWarehouse")(function* (options: VerifyOptions) {
  const { retry } = yield* Run
  const warehouse = yield* Warehouse
  const open = yield* retry(warehouse.open("read"))
  const ledger = yield* ledgerOf(open)
  const { inventory } = options.lake
  if (Option.isSome(ledger.known)) yield* checkWarehouse({ ...ledger, inventory })
  const { states, status } = yield* compareLedger({
    ...options,
    inventory,
    place: warehouse.place,
    ledger
  })
  const hours = [...new Set([...ledger.rows.keys(), ...(yield* open.storedHours)])]
    .filter(options.isChosen)
    .sort()
  const read = yield* readStored(open, hours)
  const altered = read.flatMap(({ hour, stored }) => {
    const problems = stored === undefined ? [] : differencesOf(stored, ledger.rows.get(hour))
    return problems.length === 0 ? [] : [{ hour, problems, isLanded: inventory.has(hour) }]
  })
  const isRead = read.filter(({ stored }) => stored !== undefined)
  return {
    rows: ledger.rows,
    states,
    found: {
      ...status,
      verified: isRead.length - altered.length,
      events: isRead.reduce((sum, { stored }) => sum + (stored?.events ?? 0), 0),
      altered,
      postponed: countHours(
        read.flatMap(({ hour, stored }) => (stored === undefined ? [hour] : []))
      )
    } satisfies WarehouseVerification
  }
}, Effect.scoped)

/** Digests hours until the run's time limit. */
const readStored = Effect.fnUntraced(function* (
  { digestOf }: OpenWarehouse,
  hours: ReadonlyArray<Hour>
) {
  const { beforeDeadline } = yield* Run
  const progress = yield* Progress
  progress.planned(hours.length)
  return yield* Effect.forEach(hours, (hour) =>
    beforeDeadline(digestOf(hour)).pipe(
      Effect.catchTag("LandingError", () => Effect.succeed(undefined)),
      Effect.tap(() => Effect.sync(() => progress.done(1))),
      Effect.map((stored: StoredHour | undefined) => ({ hour, stored }))
    )
  )
})

function differencesOf(
  { events, isNumbered, lineset }: StoredHour,
  row: LoadedHour | undefined
): ReadonlyArray<string> {
  if (row === undefined) return [`lines without a ledger row: ${events}`]
  if (events < row.events) return [`missing lines: ${row.events - events} of ${row.events}`]
  if (events > row.events)
    return [`lines beyond the ${row.events} of the ledger: ${events - row.events}`]
  const altered =
    lineset === row.storedLineset
      ? []
      : [`lines were altered: lineset ${lineset}, and the ledger has ${row.storedLineset}`]
  return isNumbered ? altered : [...altered, `its lines are not numbered from 1 to ${events}`]
}

/** Hours that seem loaded, but whose ledger row is not of the lines that their objects have. */
export function unlikeObjects(
  { rows, states }: Effect.Effect.Success<ReturnType<typeof verifyWarehouse>>,
  digests: ReadonlyMap<Hour, LinesDigest>
): ReadonlyArray<AlteredHour> {
  return [...digests].flatMap(([hour, digest]) => {
    const row = rows.get(hour)
    if (row === undefined || states.get(hour) !== "loaded" || sameLines(row, digest)) return []
    const problem = `the ledger has ${row.events} lines with lineset ${row.lineset}, and the store ${digest.events} with lineset ${digest.lineset}`
    return [{ hour, problems: [problem], isLanded: true }]
  })
}

/** The result, with what the objects showed. */
export function withAltered(
  found: WarehouseVerification,
  more: ReadonlyArray<AlteredHour>
): WarehouseVerification {
  return { ...found, altered: [...found.altered, ...more].sort(byHour) }
}
