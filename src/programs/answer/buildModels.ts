import { Clock as EffectClock, Effect, Option, Schema } from "effect"
import { Progress } from "../../services/Progress.ts"
import {
  type Model,
  type OpenWarehouse,
  Warehouse,
  WarehouseError
} from "../../services/Warehouse.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind, type RunError } from "../run/failureKind.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"
import { Failure } from "../run/Summary.ts"
import { ModelError } from "./ModelError.ts"
import { readIpRanges, readSites } from "./userTables.ts"

/** A model that was built. */
const BuiltModel = Schema.Struct({
  schema: Schema.String,
  name: Schema.String,
  kind: Schema.Literal("view", "table", "rows"),
  /** `null` for a view. */
  rows: Schema.NullOr(Schema.NonNegativeInt),
  durationMs: Schema.NonNegativeInt
})
type BuiltModel = typeof BuiltModel.Type

/** What a run built, in order. */
export class ModelSummary extends Schema.Class<ModelSummary>("ModelSummary")({
  models: Schema.Array(BuiltModel),
  /** Address ranges that replaced those of the warehouse; `null` if they were left. */
  ipRanges: Schema.NullOr(Schema.NonNegativeInt),
  /** Models that were not built, because one failed. They are as they were. */
  left: Schema.Array(Schema.String),
  retries: Schema.NonNegativeInt,
  durationMs: Schema.NonNegativeInt,
  exitCode: ExitCode,
  /** Why the run ended before it had built all. */
  error: Schema.optional(Failure)
}) {}

export interface ModelOptions extends RetryOptions {
  /** In the order in which they are built. */
  readonly models: ReadonlyArray<Model>
  /** CSV for the model `sites`, in the place of the rows that are there. */
  readonly sites?: string | undefined
  /** CSV of address ranges, which replaces those of the warehouse. */
  readonly ipRanges?: string | undefined
}

/**
 * Builds models in a warehouse, each in one transaction, in the place of what has its name. The first
 * one that fails ends the run; what was built by then stays, and so do the ranges. Files are read whole before anything is
 * changed.
 */
export const buildModels = Effect.fn("buildModels")(function* (
  options: ModelOptions
): Effect.fn.Return<ModelSummary, RunError, Run | Warehouse> {
  const { made, retry } = yield* Run
  const warehouse = yield* Warehouse
  const begun = yield* EffectClock.currentTimeMillis
  const ranges = options.ipRanges === undefined ? undefined : yield* readIpRanges(options.ipRanges)
  const models = yield* withSites(options)
  const { isThere } = yield* warehouse.health
  if (!isThere) {
    return yield* new WarehouseError({
      reason: "NotFound",
      method: "open",
      path: warehouse.place,
      detail: "it does not exist"
    })
  }
  const built: Array<BuiltModel> = []
  let isTouched = false
  const error = yield* Effect.scoped(
    Effect.gen(function* () {
      const open = yield* retry(warehouse.open("load"))
      if (ranges !== undefined) {
        yield* open.setIpRanges(ranges)
        isTouched = true
      }
      yield* buildAll(open, models, built)
    })
  ).pipe(
    Effect.as(undefined),
    Effect.catchAll((failed) =>
      isTouched || built.length > 0 ? Effect.succeed(failed) : Effect.fail(failed)
    )
  )
  return new ModelSummary({
    models: built,
    ipRanges: ranges?.length ?? null,
    left: models.slice(built.length).map(({ name }) => name),
    retries: yield* made,
    durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun),
    exitCode: exitCodeOf({
      kinds: new Set(error === undefined ? [] : [failureKind(error)]),
      isDone: true,
      isTouched: true
    }),
    ...(error === undefined ? {} : { error: { error: errorName(error), message: error.message } })
  })
}, asRun)

/** The models, with the user's sites in the place of the examples. */
const withSites = Effect.fnUntraced(function* ({ models, sites }: ModelOptions) {
  if (sites === undefined) return models
  const rows = yield* readSites(sites)
  if (!models.some(({ kind, name }) => name === "sites" && kind === "rows")) {
    return yield* new ModelError({ reason: "UnknownModel", detail: "there is no model sites" })
  }
  return models.map((it) =>
    it.kind === "rows" && it.name === "sites" ? { ...it, rows, areExamples: false } : it
  )
})

const buildAll = Effect.fnUntraced(function* (
  { build }: OpenWarehouse,
  models: ReadonlyArray<Model>,
  built: Array<BuiltModel>
) {
  const progress = yield* Progress
  progress.planned(models.length, "models")
  for (const model of models) {
    const { kind, name, schema } = model
    const begun = yield* EffectClock.currentTimeMillis
    const rows = Option.getOrNull(yield* build(model))
    const durationMs = Math.max(0, (yield* EffectClock.currentTimeMillis) - begun)
    built.push({ schema, name, kind, rows, durationMs })
    yield* Effect.logDebug(`Built ${name} in ${durationMs} ms`)
    progress.done(1)
  }
})
