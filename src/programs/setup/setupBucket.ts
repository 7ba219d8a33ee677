import { Effect, Schema } from "effect"
import { type BucketAspect, BucketSetup, BucketSetupError } from "../../services/BucketSetup.ts"
import {
  type BucketPlanOptions,
  type BucketStep,
  planEncryption,
  planLifecycle,
  planOwnership,
  planPolicy,
  planPublicAccess
} from "./bucketPlan.ts"
import { planNotifications } from "./notificationPlan.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind } from "../run/failureKind.ts"
import type { FailureKind } from "../run/HourOutcome.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"
import { setupItemFields } from "./setupItem.ts"

/** One aspect of a bucket, and what happened to it. */
export const BucketItem = Schema.Struct({
  name: Schema.Literal(
    "bucket",
    "public access",
    "ownership",
    "encryption",
    "uploads",
    "policy",
    "notification"
  ),
  ...setupItemFields
})
export type BucketItem = typeof BucketItem.Type

export class BucketReport extends Schema.Class<BucketReport>("BucketReport")({
  /** The bucket, as `s3://bucket`. */
  place: Schema.String,
  items: Schema.Array(BucketItem),
  /**
   * 0 if everything is as wanted, 2 if the bucket itself can be neither read nor created, 3 if
   * something differs, 5 for later, 7 if refused.
   */
  exitCode: ExitCode
}) {}

export interface SetupBucketOptions extends BucketPlanOptions, RetryOptions {
  /** Change what differs. Defaults to `false`. */
  readonly apply?: boolean | undefined
}

interface Outcome {
  readonly item: BucketItem
  readonly kind?: FailureKind
}

function outcome(
  name: BucketItem["name"],
  state: BucketItem["state"],
  message: string,
  from?: string
): Outcome {
  const item = BucketItem.make({ name, state, message, ...(from === undefined ? {} : { from }) })
  return state === "cannot" ? { item, kind: "permanent" } : { item }
}

function failed(name: BucketItem["name"], error: BucketSetupError): Outcome {
  const item = { name, state: "cannot", message: error.detail, error: errorName(error) } as const
  return { item: BucketItem.make(item), kind: failureKind(error) }
}

/**
 * Compares a bucket with what is wanted and, with `apply`, changes what differs, one aspect at a
 * time; each change is read back. An aspect that cannot be read or changed does not stop the
 * others.
 */
export const setupBucket = Effect.fn("setupBucket")(function* (options: SetupBucketOptions) {
  const { retry } = yield* Run
  const setup = yield* BucketSetup
  const { bucket, exists } = yield* findOrCreate(options)
  const outcomes = [bucket]
  if (bucket.item.state !== "cannot") {
    const applyStep = makeApplyStep(options.apply === true, exists, retry, setup.place)
    const closed = { BlockPublicAcls: false, IgnorePublicAcls: false }
    const open = { ...closed, BlockPublicPolicy: false, RestrictPublicBuckets: false }
    // One at a time: S3 refuses concurrent changes to a bucket.
    outcomes.push(
      yield* applyStep("public access", setup.publicAccess, open, planPublicAccess),
      yield* applyStep("ownership", setup.ownership, undefined, planOwnership),
      yield* applyStep("encryption", setup.encryption, [], (it) => planEncryption(it, options)),
      yield* applyStep("uploads", setup.lifecycle, { Rules: [] }, (it) =>
        planLifecycle(it, options)
      ),
      yield* applyStep("policy", setup.policy, undefined, (it) => planPolicy(it, options))
    )
    if (options.notifyQueue !== undefined) {
      outcomes.push(
        yield* applyStep("notification", setup.notifications, {}, (it) =>
          planNotifications(it, options)
        )
      )
    }
  }
  const items = outcomes.map(({ item }) => item)
  return new BucketReport({ place: setup.place, items, exitCode: exitCodeOfSetup(outcomes) })
}, asRun)

function exitCodeOfSetup(outcomes: ReadonlyArray<Outcome>): ExitCode {
  const kinds = new Set(outcomes.flatMap(({ kind }) => (kind === undefined ? [] : [kind])))
  const states = new Set(outcomes.map(({ item }) => item.state))
  return exitCodeOf({
    kinds,
    isDone: states.has("changed"),
    // The first item is the bucket itself.
    isTouched: outcomes.length > 1,
    isIncomplete: kinds.size === 0 && states.has("would change")
  })
}

/** The bucket itself; `exists` if its aspects can be read. */
const findOrCreate = Effect.fn("setupBucket.bucket")(function* ({
  apply = false
}: SetupBucketOptions) {
  const { retry } = yield* Run
  const setup = yield* BucketSetup
  return yield* Effect.gen(function* () {
    const { exists, region } = yield* retry(setup.find)
    if (exists) {
      return { exists, bucket: outcome("bucket", "same", `${setup.place} in ${region}`) }
    }
    const from = "missing"
    if (region === undefined) {
      const what = `${setup.place} does not exist, and no region is set to create it in; set AWS_REGION (it cannot be changed later)`
      return { exists, bucket: outcome("bucket", "cannot", what) }
    }
    const to = `${setup.place} in ${region}`
    if (!apply) return { exists, bucket: outcome("bucket", "would change", to, from) }
    yield* retry(setup.create(region))
    return { exists: true, bucket: outcome("bucket", "changed", to, from) }
  }).pipe(
    Effect.catchAll((error) => Effect.succeed({ exists: false, bucket: failed("bucket", error) }))
  )
})

/**
 * Compares one aspect of a bucket and changes it if it differs. `absent` is its value in a new
 * bucket.
 */
function makeApplyStep(apply: boolean, exists: boolean, retry: Run["Type"]["retry"], path: string) {
  return <A>(
    name: BucketItem["name"],
    aspect: BucketAspect<A>,
    absent: A,
    plan: (found: A) => BucketStep<A>
  ): Effect.Effect<Outcome> =>
    Effect.gen(function* () {
      const found = exists ? yield* retry(aspect.read) : absent
      const step = plan(found)
      if (step.state === "cannot") return outcome(name, "cannot", step.what)
      if (step.state === "same") return outcome(name, "same", step.is)
      // Nothing was found, because the bucket does not exist.
      if (!exists) return outcome(name, "would change", step.to)
      if (!apply) return outcome(name, "would change", step.to, step.from)
      yield* retry(aspect.write(step.value))
      yield* retry(Effect.filterOrFail(aspect.read, (it) => plan(it).state === "same", unseen))
      return outcome(name, "changed", step.to, step.from)
    }).pipe(
      Effect.catchAll((error) => Effect.succeed(failed(name, error))),
      Effect.withSpan(`setupBucket.${name}`)
    )

  function unseen(): BucketSetupError {
    const detail = "the store accepted the change but does not show it; run again to check"
    return new BucketSetupError({ reason: "Unavailable", path, detail })
  }
}
