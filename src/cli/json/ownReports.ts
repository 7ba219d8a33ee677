/**
 * The reports that no program makes, but the command line.
 *
 * @module
 */
import { Schema } from "effect"
import { GapCount } from "../../programs/plan/gaps.ts"
import { StagedElsewhere } from "../../programs/plan/stagedElsewhere.ts"
import { Summary } from "../../programs/run/Summary.ts"
import { OpenConflict } from "../../programs/resolve/OpenConflict.ts"
import type { PolicyDocument } from "../../programs/setup/iamPolicies.ts"
import { StoreAccess } from "../../services/WarehouseSetup.ts"
import { Hour } from "../../services/Hour.ts"

const Hours = Schema.Array(Hour)
const Stretch = Schema.Struct({ first: Hour, last: Hour })

/** `fetch`, `all` and `backfill` with `--dry-run`. */
export const RunPlan = Schema.Struct({
  dryRun: Schema.Literal(true),
  window: Stretch,
  /** The share of the days that is meant, such as `3/16`; absent if all are. */
  shard: Schema.optional(Schema.String),
  /** Hours in the store, or in staging for it. */
  present: Hours,
  missing: Hours,
  open: Hours,
  accepted: Hours,
  olderGaps: Schema.NullOr(GapCount),
  conflicts: Schema.Array(OpenConflict),
  /** The windows that would be requested for the missing hours. */
  requests: Schema.Array(Stretch)
})

/** `backfill --stop`: how far the fleet was. */
export const StoppedFleet = Schema.Struct({
  stopped: Schema.Literal(true),
  windows: Schema.NonNegativeInt,
  /** On their way: they are finished. */
  running: Schema.NonNegativeInt,
  done: Schema.NonNegativeInt,
  hours: Schema.NonNegativeInt,
  hoursDone: Schema.NonNegativeInt,
  /** That have a window. */
  workers: Schema.NonNegativeInt
})

const { project, ...summary } = Summary.fields

/** `backfill` of several lakes: what `all` reports of each. */
export const SeveralBackfills = Schema.Struct({
  lakes: Schema.Array(
    Schema.Struct({
      envFile: Schema.String,
      /** The full address of store and prefix. */
      store: Schema.String,
      project,
      ...summary
    })
  )
})

/** `sync` with `--dry-run`. */
export const SyncPlan = Schema.Struct({
  dryRun: Schema.Literal(true),
  /** Hours that would be uploaded. */
  staged: Hours,
  stagedElsewhere: Schema.Array(StagedElsewhere),
  /** With `--adopt-foreign`: files of other programs that would be looked at, and uploaded if their form allows. */
  foreignFiles: Schema.optional(Schema.Array(Schema.String))
})

export const ListedObject = Schema.Struct({
  /** `null` if the key is not that of an hour. */
  hour: Schema.NullOr(Hour),
  size: Schema.NonNegativeInt,
  key: Schema.String
})
export type ListedObject = typeof ListedObject.Type

export const ObjectList = Schema.Struct({ objects: Schema.Array(ListedObject) })

/** `setup snowflake --print`. */
export const Statements = Schema.Struct({
  /** To be run in this order. */
  statements: Schema.Array(Schema.String)
})

/** `setup snowflake --describe`. */
export const DescribedAccess = Schema.Struct({ access: StoreAccess })

/** A policy document is AWS' own language: passed on as it is. */
const Policy = Schema.declare(
  (it): it is PolicyDocument => typeof it === "object" && it !== null && "Statement" in it,
  {
    identifier: "Policy",
    jsonSchema: {
      type: "object",
      required: ["Version", "Statement"],
      properties: {
        Version: { type: "string" },
        Statement: { type: "array", items: { type: "object" } }
      }
    }
  }
)

/** `setup iam`: the policies that were selected. */
export const Policies = Schema.Struct({
  policies: Schema.Struct({
    writer: Schema.optional(Policy),
    maintainer: Schema.optional(Policy),
    reader: Schema.optional(Policy),
    trust: Schema.optional(Policy)
  })
})
