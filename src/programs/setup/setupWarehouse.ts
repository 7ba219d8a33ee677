import { Effect, Either, Option, Schema } from "effect"
import { WarehouseError } from "../../services/Warehouse.ts"
import {
  type Properties,
  type WarehousePart,
  WarehouseSetup
} from "../../services/WarehouseSetup.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind } from "../run/failureKind.ts"
import type { FailureKind } from "../run/HourOutcome.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"
import { setupItemFields } from "./setupItem.ts"

/** One part of a warehouse, and what happened to it. */
export const WarehouseItem = Schema.Struct({
  /** Such as `stage LAKE`. */
  name: Schema.String,
  ...setupItemFields
})
export type WarehouseItem = typeof WarehouseItem.Type

export class WarehouseReport extends Schema.Class<WarehouseReport>("WarehouseReport")({
  /** The warehouse, as `snowflake://account/database/schema`. */
  place: Schema.String,
  items: Schema.Array(WarehouseItem),
  /**
   * 0 if everything is as wanted, 2 if nothing could be read, 3 if something differs or cannot be
   * changed, 5 for later, 7 if refused.
   */
  exitCode: ExitCode
}) {}

export interface SetupWarehouseOptions extends RetryOptions {
  /** Make what is missing, and add what differs. Defaults to `false`. */
  readonly apply?: boolean | undefined
}

interface Outcome {
  readonly item: WarehouseItem
  readonly kind?: FailureKind
  /** Whether it was looked at, so that a failure is not one of the whole. */
  readonly isRead: boolean
  /** Whether nothing is known of it, so that what needs it cannot be looked at. */
  readonly isUnknown?: boolean
}

/**
 * Compares a warehouse with what a lake needs there and, with `apply`, makes what is missing; each
 * change is read back. What others chose stays and is named. Nothing is ever replaced or dropped.
 */
export const setupWarehouse = Effect.fn("setupWarehouse")(function* ({
  apply = false
}: SetupWarehouseOptions) {
  const { parts, place } = yield* WarehouseSetup
  const outcomes = new Map<string, Outcome>()
  for (const part of parts) {
    outcomes.set(part.name, yield* lookAt(part, apply, outcomes))
  }
  const all = [...outcomes.values()]
  return new WarehouseReport({
    place,
    items: all.map(({ item }) => item),
    exitCode: exitCodeOf({
      kinds: new Set(all.flatMap(({ kind }) => (kind === undefined ? [] : [kind]))),
      isDone: all.some(({ item }) => item.state === "changed"),
      isTouched: all.some(({ isRead }) => isRead),
      isIncomplete: all.some(({ item }) => item.state === "would change")
    })
  })
}, asRun)

const lookAt = Effect.fnUntraced(function* (
  part: WarehousePart,
  apply: boolean,
  before: ReadonlyMap<string, Outcome>
): Effect.fn.Return<Outcome, never, Run | WarehouseSetup> {
  const { name, needs, wanted } = part
  const { retry } = yield* Run
  const setup = yield* WarehouseSetup
  const standing = needs.map((it) => before.get(it))
  const failed = standing.find((it) => it?.isUnknown === true)
  if (failed !== undefined) {
    const item = itemOf(name, "cannot", `needs ${failed.item.name}`)
    return { item, isRead: false, isUnknown: true }
  }
  const isMissing = standing.some(
    (it) => it?.item.state === "would change" && it.item.from === MISSING
  )
  let isRead = false
  return yield* Effect.gen(function* () {
    const found = isMissing ? Option.none<Properties>() : yield* retry(part.read)
    isRead = true
    const differing = Option.match(found, {
      onNone: () => Object.keys(wanted),
      onSome: (it) => Object.keys(wanted).filter((key) => it[key] !== wanted[key])
    })
    if (Option.isSome(found) && differing.length === 0) {
      return { item: itemOf(name, "same", textOf(wanted, Object.keys(wanted))), isRead }
    }
    const statements = Option.match(found, {
      onNone: () => Either.right(part.create),
      onSome: (it) => part.alter(differing, it)
    })
    const from = Option.match(found, {
      onNone: () => MISSING,
      onSome: (it) => textOf(it, differing)
    })
    const to = textOf(wanted, differing)
    if (Either.isLeft(statements)) {
      const message = `${from}, not ${to}: ${statements.left}`
      return { item: itemOf(name, "cannot", message), kind: "permanent" as const, isRead }
    }
    if (!apply) return { item: itemOf(name, "would change", to, from), isRead }
    yield* retry(setup.run(statements.right))
    yield* retry(
      Effect.filterOrFail(
        part.read,
        Option.exists((it) => Object.keys(wanted).every((key) => it[key] === wanted[key])),
        () => unseen(setup.place, name)
      )
    )
    return { item: itemOf(name, "changed", to, from), isRead }
  }).pipe(
    Effect.catchAll((error) => {
      const item = { ...itemOf(name, "cannot", error.detail), error: errorName(error) }
      return Effect.succeed({ item, kind: failureKind(error), isRead, isUnknown: true })
    }),
    Effect.withSpan(`setupWarehouse.${name}`)
  )
})

const MISSING = "missing"

function itemOf(
  name: string,
  state: WarehouseItem["state"],
  message: string,
  from?: string
): WarehouseItem {
  return WarehouseItem.make({ name, state, message, ...(from === undefined ? {} : { from }) })
}

/** `url s3://lake/, integration LAKE`; a part without properties is just there. */
function textOf(properties: Properties, names: ReadonlyArray<string>): string {
  if (names.length === 0) return "there"
  return names.map((name) => `${name} ${properties[name] ?? MISSING}`).join(", ")
}

function unseen(path: string, name: string): WarehouseError {
  const detail = `the statements for ${name} succeeded, and it is not there as wanted: it may be hidden from the role, and belong to another one`
  return new WarehouseError({ reason: "AccessDenied", method: "set up", path, detail })
}

/** All that `setupWarehouse` would run in an account that has nothing of it. */
export const warehouseScript: Effect.Effect<
  ReadonlyArray<string>,
  never,
  WarehouseSetup
> = Effect.map(WarehouseSetup, ({ parts }) => parts.flatMap(({ create }) => create))

const readAccess = Effect.gen(function* () {
  const { retry } = yield* Run
  const { access } = yield* WarehouseSetup
  return yield* retry(access)
})

/** As whom the warehouse comes to read the store. */
export const describeWarehouse = Effect.fn("describeWarehouse")((options: RetryOptions) =>
  asRun(readAccess, options)
)
