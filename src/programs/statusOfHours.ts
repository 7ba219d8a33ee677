import { Array, Effect, Option, Schema } from "effect"
import { Clock } from "../services/Clock.ts"
import { Hour, isOverSince } from "../services/Hour.ts"
import { metadataFromText } from "../services/HourMetadata.ts"
import type { ObjectStorage, ObjectStorageError } from "../services/ObjectStorage.ts"
import { isEmptySize } from "./emptyObject.ts"
import type { HourObject } from "./inventory.ts"
import { planRun, type PlanOptions } from "./planRun.ts"
import type { RetryPolicy } from "./retryPolicy.ts"

/** What a window's hour is, by a listing of the store. */
export const HourState = Schema.Literal(
  "landed",
  /** Landed, without events. */
  "empty",
  /** Landed by another pipeline: this program has no digest to hold it against. */
  "unverified",
  /** Closed, without an object, and not settled. */
  "pending",
  /** Not closed. */
  "open",
  /** Settled and without an object. */
  "gap"
)
export type HourState = typeof HourState.Type

/** The state of each hour of a window, oldest first. */
export class Status extends Schema.Class<Status>("Status")({
  window: Schema.Struct({ first: Hour, last: Hour }),
  hours: Schema.Array(
    Schema.Struct({
      hour: Hour,
      state: HourState,
      /** Waits in staging for `sync`. */
      staged: Schema.Boolean,
      /** Bytes of its objects in the store. */
      size: Schema.NonNegativeInt,
      /** Keys of its objects in the store. */
      keys: Schema.Array(Schema.String)
    })
  ),
  totals: Schema.Record({ key: HourState, value: Schema.NonNegativeInt }),
  /** 3 where there is a gap. */
  exitCode: Schema.Literal(0, 3)
}) {}

export interface StatusOptions extends PlanOptions {
  /** Hours that an hour must have been over for before it is known to stay without events. */
  readonly settleHours: number
}

/** Objects that are looked up one by one where their listing does not tell whose they are. */
const LOOKUPS = 1000
const LOOKUPS_AT_ONCE = 16

function isUnknown({ form, hasMetadata }: HourObject): boolean {
  return form !== "parts" && hasMetadata === undefined
}

/** Whether each object has metadata of this program: by the listing, or by look-ups where they are few enough. */
const withOrigin = Effect.fn("statusOfHours.withOrigin")(function* (
  store: ObjectStorage["Type"],
  objects: ReadonlyArray<HourObject>,
  policy: RetryPolicy
): Effect.fn.Return<ReadonlyArray<HourObject>, ObjectStorageError> {
  const unknown = objects.filter(isUnknown).length
  if (unknown > LOOKUPS) {
    yield* Effect.logWarning(
      `${unknown} objects are too many to look up one by one: where another pipeline landed some, they count as landed`
    )
    return objects
  }
  return yield* Effect.forEach(
    objects,
    (object) =>
      isUnknown(object)
        ? Effect.map(policy.retry(store.head(object.key)), (head) => ({
            ...object,
            hasMetadata: Option.exists(head, ({ metadata }) =>
              Option.isSome(metadataFromText(metadata))
            )
          }))
        : Effect.succeed(object),
    { concurrency: LOOKUPS_AT_ONCE }
  )
})

/**
 * Tells a window's hours apart by one listing of the store and one of staging. Where a listing does not tell whose an
 * object is, as S3's does not, up to 1,000 objects of the window are looked up; beyond, they count as ours.
 */
export const statusOfHours = Effect.fn("statusOfHours")(function* (
  options: StatusOptions,
  policy: RetryPolicy
) {
  const { window, store, staging } = yield* planRun(options, policy)
  const now = yield* Effect.flatMap(Clock, (clock) => clock.now)

  const stateOf = (hour: Hour, objects: ReadonlyArray<HourObject>): HourState => {
    if (objects.length > 0) return stateOfObjects(objects)
    if (!isOverSince(hour, options.lagHours, now)) return "open"
    return isOverSince(hour, options.settleHours, now) ? "gap" : "pending"
  }
  const standing = window.hours.flatMap((hour) => store.inventory.get(hour) ?? [])
  const known = Array.groupBy(
    yield* withOrigin(store.store, standing, policy),
    (object) => object.hour
  )
  const hours = window.hours.map((hour) => {
    const objects = known[hour] ?? []
    return {
      hour,
      state: stateOf(hour, objects),
      staged: staging.inventory.has(hour),
      size: objects.reduce((sum, { size }) => sum + size, 0),
      keys: objects.map(({ key }) => key)
    }
  })
  const count = (state: HourState) => hours.filter((it) => it.state === state).length
  return new Status({
    window: { first: window.first, last: window.last },
    hours,
    totals: {
      landed: count("landed"),
      empty: count("empty"),
      unverified: count("unverified"),
      pending: count("pending"),
      open: count("open"),
      gap: count("gap")
    },
    exitCode: count("gap") === 0 ? 0 : 3
  })
})

function stateOfObjects(objects: ReadonlyArray<HourObject>): HourState {
  if (objects.some(({ form, hasMetadata }) => form === "parts" || hasMetadata === false)) {
    return "unverified"
  }
  return objects.every(({ format, size }) => isEmptySize(format, size)) ? "empty" : "landed"
}
