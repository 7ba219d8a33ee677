import { Config, type ConfigError, Effect, Layer, type Scope } from "effect"
import { type BucketAspect, BucketSetup, BucketSetupError } from "../../services/BucketSetup.ts"
import * as Aspects from "./bucketAspects.ts"
import * as S3Client from "./client.ts"

export type BucketSetupS3Options = S3Client.S3ClientOptions

/**
 * A bucket of S3 or an S3-compatible store. The SDK, `@aws-sdk/client-s3` version 3, is an optional
 * peer dependency and is loaded by the first call.
 */
export const make = Effect.fnUntraced(function* (
  options: BucketSetupS3Options
): Effect.fn.Return<BucketSetup["Type"], never, Scope.Scope> {
  const { bucket: Bucket } = options
  const call = yield* S3Client.make(options)
  const place = `s3://${Bucket}`
  const calls: Aspects.AspectCalls = {
    Bucket,
    attempt: (action, run) => {
      const permission = `${action} on arn:aws:s3:::${Bucket}`
      return call({ method: "check", path: place, permission }, run)
    }
  }
  return BucketSetup.of({
    place,
    find: find(calls, options),
    create: (region) => create(calls, region),
    publicAccess: Aspects.publicAccess(calls),
    ownership: knownOwnership(Aspects.ownership(calls), place),
    encryption: Aspects.encryption(calls),
    lifecycle: Aspects.lifecycle(calls),
    policy: Aspects.policy(calls),
    notifications: Aspects.notifications(calls)
  })
})

/**
 * The configuration of an S3 bucket. Needs `@aws-sdk/client-s3`.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import * as BucketSetupS3 from "amplitude-lake/layers/BucketSetupS3"
 * import { BucketSetup } from "amplitude-lake"
 *
 * const program = Effect.flatMap(BucketSetup, (bucket) => bucket.find)
 *
 * Effect.runPromise(
 *   Effect.provide(program, BucketSetupS3.layer({ bucket: "lake", region: "eu-west-1" }))
 * )
 * ```
 */
export function layer(options: BucketSetupS3Options): Layer.Layer<BucketSetup> {
  return Layer.scoped(BucketSetup, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<BucketSetupS3Options>
): Layer.Layer<BucketSetup, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

function find({ attempt, Bucket }: Aspects.AspectCalls, options: BucketSetupS3Options) {
  return attempt("s3:ListBucket", async (client, { HeadBucketCommand }, callOptions) => {
    const answer = await client.send(new HeadBucketCommand({ Bucket }), callOptions)
    return { exists: true, region: answer.BucketRegion ?? (await client.config.region()) }
  }).pipe(
    Effect.catchIf(
      ({ status }) => status === 404,
      () => Effect.map(namedRegion(options), (region) => ({ exists: false, region }))
    ),
    Effect.mapError(Aspects.toError),
    Effect.withSpan("BucketSetupS3.find")
  )
}

/** The region from the options, otherwise from the environment or the profile. */
function namedRegion({ region }: BucketSetupS3Options): Effect.Effect<string | undefined> {
  return Effect.promise(async () => {
    if (region !== undefined) return region
    const { S3Client } = await import("@aws-sdk/client-s3")
    const draft = new S3Client({})
    return await Promise.resolve(draft.config.region()).then(
      (found): string | undefined => found,
      () => undefined
    )
  })
}

const create = Effect.fn("BucketSetupS3.create")(function* (
  { attempt, Bucket }: Aspects.AspectCalls,
  region: string
) {
  // S3 refuses this region, its first, as a location constraint.
  const named =
    region === "us-east-1"
      ? {}
      : { CreateBucketConfiguration: { LocationConstraint: region as "eu-west-1" } }
  yield* attempt("s3:CreateBucket", (client, { CreateBucketCommand }, options) =>
    client.send(
      new CreateBucketCommand({ Bucket, ObjectOwnership: "BucketOwnerEnforced", ...named }),
      options
    )
  ).pipe(
    Effect.catchIf(
      ({ code }) => code === "BucketAlreadyOwnedByYou",
      () => Effect.void
    ),
    Effect.mapError(Aspects.toError)
  )
})

/** Ownership; fails if the store does not support it. */
function knownOwnership(
  ownership: BucketAspect<string | undefined>,
  path: string
): BucketAspect<string | undefined> {
  const detail =
    "this store does not support ownership controls; see its documentation for how to disable ACLs"
  const read = ownership.read.pipe(
    Effect.filterOrFail(
      (it) => it !== "",
      () => new BucketSetupError({ reason: "Misconfigured", path, detail })
    )
  )
  return { ...ownership, read }
}
