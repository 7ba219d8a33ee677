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
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { failureKind } from "../run/failureKind.ts"
import type { FailureKind } from "../run/HourOutcome.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"

/** One thing of a bucket, and what became of it. */
export class BucketItem extends Schema.Class<BucketItem>("BucketItem")({
  name: Schema.Literal("bucket", "public access", "ownership", "encryption", "uploads", "policy"),
  state: Schema.Literal("same", "would change", "changed", "cannot"),
  /** What it is, or would be; of what cannot be, why, and what to do. */
  message: Schema.String,
  /** What it was, where that is something else. */
  from: Schema.optional(Schema.String),
  /** Class and reason of a failure, as `BucketSetupError.AccessDenied`. */
  error: Schema.optional(Schema.String)
}) {}

export class BucketReport extends Schema.Class<BucketReport>("BucketReport")({
  /** As `s3://bucket`. */
  place: Schema.String,
  items: Schema.Array(BucketItem),
  /**
   * 0 all is as asked for, 2 the bucket itself can be neither looked at nor made, 3 something
   * differs, 5 later, 7 refused.
   */
  exitCode: ExitCode
}) {}

export interface SetupBucketOptions extends BucketPlanOptions, RetryOptions {
  /** Whether to change what differs. Defaults to `false`. */
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
  const item = new BucketItem({ name, state, message, ...(from === undefined ? {} : { from }) })
  return state === "cannot" ? { item, kind: "permanent" } : { item }
}

function failed(name: BucketItem["name"], error: BucketSetupError): Outcome {
  const { _tag, detail, reason } = error
  const item = { name, state: "cannot", message: detail, error: `${_tag}.${reason}` } as const
  return { item: new BucketItem(item), kind: failureKind(error) }
}

/**
 * Holds a bucket against what is asked for and, with `apply`, changes what differs, a thing at a
 * time; each change is read back. A thing that cannot be read or changed keeps none of the others.
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
    // One after the other: S3 refuses changes of one bucket that cross each other.
    outcomes.push(
      yield* applyStep("public access", setup.publicAccess, open, planPublicAccess),
      yield* applyStep("ownership", setup.ownership, undefined, planOwnership),
      yield* applyStep("encryption", setup.encryption, [], (it) => planEncryption(it, options)),
      yield* applyStep("uploads", setup.lifecycle, { Rules: [] }, (it) =>
        planLifecycle(it, options)
      ),
      yield* applyStep("policy", setup.policy, undefined, (it) => planPolicy(it, options))
    )
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
    // The bucket itself is the first of them.
    isTouched: outcomes.length > 1,
    isIncomplete: kinds.size === 0 && states.has("would change")
  })
}

/** The bucket itself; `exists` where what it has can be read. */
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
    const from = "not there"
    if (region === undefined) {
      const what = `${setup.place} is not there, and no region is named to make it in, which cannot be changed later: set AWS_REGION`
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
 * Looks at one thing of a bucket and changes it where it differs: `absent` stands for what a bucket
 * has that is not there yet.
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
      // Of a bucket that is not there, nothing was found.
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
    const detail = "the store took the change and does not show it: run again and look"
    return new BucketSetupError({ reason: "Unavailable", path, detail })
  }
}
