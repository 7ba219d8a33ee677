import { Effect, Layer, type Scope } from "effect"
import { BucketSetup, BucketSetupError } from "../../services/BucketSetup.ts"
import { type Attempt, makeParts, toError } from "./bucketParts.ts"
import * as S3Client from "./client.ts"

export type BucketSetupS3Options = S3Client.S3ClientOptions

/** A bucket of S3, or of another maker's. The SDK is loaded by the first call. */
export const make = Effect.fnUntraced(function* (
  options: BucketSetupS3Options
): Effect.fn.Return<BucketSetup["Type"], never, Scope.Scope> {
  const { bucket: Bucket } = options
  const call = yield* S3Client.make(options)
  const place = `s3://${Bucket}`

  const attempt: Attempt = (action, run) => {
    const permission = `${action} on arn:aws:s3:::${Bucket}`
    return call({ method: "check", path: place, permission }, run)
  }

  const namedRegion = Effect.promise(async () => {
    if (options.region !== undefined) return options.region
    const { S3Client } = await import("@aws-sdk/client-s3")
    const draft = new S3Client({})
    return await Promise.resolve(draft.config.region()).then(
      (region): string | undefined => region,
      () => undefined
    )
  })

  const find = attempt("s3:ListBucket", async (client, { HeadBucketCommand }, options) => {
    const answer = await client.send(new HeadBucketCommand({ Bucket }), options)
    return { exists: true, region: answer.BucketRegion ?? (await client.config.region()) }
  }).pipe(
    Effect.catchIf(
      ({ status }) => status === 404,
      () => Effect.map(namedRegion, (region) => ({ exists: false, region }))
    ),
    Effect.mapError(toError),
    Effect.withSpan("BucketSetupS3.find")
  )

  const create = Effect.fn("BucketSetupS3.create")(function* (region: string) {
    // S3's first region is the one that a request must not name.
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
      Effect.mapError(toError)
    )
  })

  const { ownership, ...parts } = makeParts(Bucket, attempt)
  const known = ownership.read.pipe(
    Effect.filterOrFail(
      (it) => it !== "",
      () => {
        const detail =
          "this store knows no ownership controls: its own documents say how ACLs are disabled there"
        return new BucketSetupError({ reason: "Misconfigured", path: place, detail })
      }
    )
  )
  return BucketSetup.of({
    place,
    find,
    create,
    ...parts,
    ownership: { ...ownership, read: known }
  })
})

export function layer(options: BucketSetupS3Options): Layer.Layer<BucketSetup> {
  return Layer.scoped(BucketSetup, make(options))
}
