import { Effect, Option } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { OpenWarehouse, PipedLines, StoredCount } from "../../services/Warehouse.ts"
import type { RunError } from "../run/failureKind.ts"
import { Run } from "../run/Run.ts"
import { decidePiped } from "./decidePiped.ts"
import type { Outcomes } from "./endHours.ts"
import { LoadError } from "./LoadError.ts"
import { type BatchContext, endInBatches } from "./loadBatches.ts"
import { act, announceLoad, type LoadHour } from "./loadHour.ts"
import { type KnownHour, type Looked, lookUp } from "./lookUp.ts"

interface Reconciling extends Omit<LoadHour, "ended" | "unverified" | "replace"> {
  readonly piped: PipedLines
  /** What is stored of each hour. */
  readonly stored: ReadonlyMap<Hour, ReadonlyArray<StoredCount>>
  /** In milliseconds since 1970. */
  readonly now: number
}

/** The pipe of a warehouse. Fails where nothing but a load brings lines. */
export function pipeOf({ piped }: OpenWarehouse): Effect.Effect<PipedLines, LoadError> {
  if (piped !== undefined) return Effect.succeed(piped)
  const detail =
    "nothing but load brings lines into this warehouse, so that there is nothing to reconcile"
  return Effect.fail(new LoadError({ reason: "NoPipe", detail }))
}

/** What is stored from one hour to another, by hour; nothing where there is no pipe. */
export const storedLines = Effect.fnUntraced(function* (
  piped: PipedLines | undefined,
  { first, last }: { readonly first: Hour | undefined; readonly last: Hour | undefined }
): Effect.fn.Return<ReadonlyMap<Hour, ReadonlyArray<StoredCount>>, RunError, Run> {
  const { retry } = yield* Run
  const byHour = new Map<Hour, Array<StoredCount>>()
  if (piped === undefined) return byHour
  for (const it of yield* retry(piped.counts(first, last))) {
    const others = byHour.get(it.hour)
    if (others === undefined) byHour.set(it.hour, [it])
    else others.push(it)
  }
  return byHour
})

/**
 * Compares the lines that a pipe has loaded with what the objects' metadata announce, and writes the
 * ledger row of each hour that agrees. Lines stay as they are.
 */
export const reconcile = (
  known: ReadonlyArray<KnownHour>,
  outcomes: Outcomes,
  options: Reconciling
): Effect.Effect<void, RunError, BatchContext> =>
  endInBatches(known, outcomes, {
    together: options.piped.adopt,
    announce: Effect.fnUntraced(function* (it, ended) {
      const { beforeDeadline } = yield* Run
      const looked = yield* beforeDeadline(lookUp(it, {}))
      const own = { ...options, ended }
      const announced = announcedOf(looked, options)
      if (announced === undefined) {
        yield* act(looked, own)
        return Option.none()
      }
      const found = decidePiped({ ...announced, ...countsOf(it, options) }, options.piped)
      if (found._tag !== "Agrees") {
        yield* ended({ ...found, ...announced.announced })
        return Option.none()
      }
      if (looked.decision === "load")
        return Option.some(yield* beforeDeadline(announceLoad(looked, own)))
      // Of what the ledger names, the pipe has not loaded what replaces it.
      yield* act(looked.decision === "replace" ? { ...looked, decision: "conflict" } : looked, own)
      return Option.none()
    }),
    outcomeOf: ({ hour }) => ({ _tag: "Reconciled", hour })
  })

function countsOf({ hour, row }: KnownHour, { now, stored }: Reconciling) {
  return { counts: stored.get(hour) ?? [], isInLedger: row !== undefined, now }
}

/** What should be stored of an hour; `undefined` where nothing tells, and of one that the store no longer has. */
function announcedOf(
  { decision, hour, objects, row, store }: Looked,
  { prefix = "" }: Reconciling
) {
  if (decision === "keep") return undefined
  if (row !== undefined) return { announced: { hour, key: row.key, events: row.events } }
  if (decision === "nothing") return { announced: { hour, key: "", events: 0 } }
  if (decision !== "load" || store._tag !== "Ours") return undefined
  const key = `${prefix}${objects[0]?.key ?? ""}`
  return { announced: { hour, key, events: store.metadata.events } }
}
