import type {
  PutBucketEncryptionCommandInput,
  PutBucketLifecycleConfigurationCommandInput,
  S3Client
} from "@aws-sdk/client-s3"
import { Effect } from "effect"
import {
  type BucketPart,
  BucketSetupError,
  type EncryptionRule,
  type Lifecycle
} from "../../services/BucketSetup.ts"
import type { StoreFailure } from "../cloud/failure.ts"

type Sdk = typeof import("@aws-sdk/client-s3")
type Run<A> = (
  client: S3Client,
  sdk: Sdk,
  options: { readonly abortSignal: AbortSignal }
) => Promise<A>

/** One call of the bucket's, by the permission that it needs. */
export type Attempt = <A>(action: string, run: Run<A>) => Effect.Effect<A, StoreFailure>

/** What S3 answers where nothing is set. */
const ABSENT: ReadonlyArray<string> = [
  "NoSuchPublicAccessBlockConfiguration",
  "OwnershipControlsNotFoundError",
  "ServerSideEncryptionConfigurationNotFoundError",
  "NoSuchLifecycleConfiguration",
  "NoSuchBucketPolicy"
]

const REASONS: ReadonlyArray<string> = BucketSetupError.fields.reason.literals

export function toError({ error }: StoreFailure): BucketSetupError {
  const { detail, path } = error
  const reason = REASONS.includes(error.reason) ? error.reason : "Failed"
  return new BucketSetupError({ reason: reason as BucketSetupError["reason"], path, detail })
}

/** What can be set of a bucket. Ownership is read as an empty text from a store that does not know of it. */
export function makeParts(Bucket: string, attempt: Attempt) {
  const part = <A>(
    action: string,
    absent: A,
    read: Run<A>,
    write: (value: A) => Run<unknown>
  ): BucketPart<A> => ({
    read: attempt(`s3:Get${action}`, read).pipe(
      Effect.catchIf(
        ({ code }) => ABSENT.includes(code),
        () => Effect.succeed(absent)
      ),
      Effect.mapError(toError),
      Effect.withSpan(`BucketSetupS3.get${action}`)
    ),
    write: (value) =>
      attempt(`s3:Put${action}`, write(value)).pipe(
        Effect.mapError(toError),
        Effect.asVoid,
        Effect.withSpan(`BucketSetupS3.put${action}`)
      )
  })

  const publicAccess = part(
    "BucketPublicAccessBlock",
    {
      BlockPublicAcls: false,
      IgnorePublicAcls: false,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: false
    },
    async (client, { GetPublicAccessBlockCommand }, options) => {
      const answer = await client.send(new GetPublicAccessBlockCommand({ Bucket }), options)
      const found = answer.PublicAccessBlockConfiguration ?? {}
      return {
        BlockPublicAcls: found.BlockPublicAcls === true,
        IgnorePublicAcls: found.IgnorePublicAcls === true,
        BlockPublicPolicy: found.BlockPublicPolicy === true,
        RestrictPublicBuckets: found.RestrictPublicBuckets === true
      }
    },
    (PublicAccessBlockConfiguration) =>
      (client, { PutPublicAccessBlockCommand }, options) =>
        client.send(
          new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }),
          options
        )
  )

  const ownership = part<string | undefined>(
    "BucketOwnershipControls",
    undefined,
    async (client, { GetBucketOwnershipControlsCommand }, options) => {
      const answer = await client.send(new GetBucketOwnershipControlsCommand({ Bucket }), options)
      return answer.OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? ""
    },
    (value) =>
      (client, { PutBucketOwnershipControlsCommand }, options) => {
        const Rules = [{ ObjectOwnership: value as "BucketOwnerEnforced" }]
        const OwnershipControls = { Rules }
        return client.send(
          new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }),
          options
        )
      }
  )

  const encryption = part<ReadonlyArray<EncryptionRule>>(
    "EncryptionConfiguration",
    [],
    async (client, { GetBucketEncryptionCommand }, options) => {
      const answer = await client.send(new GetBucketEncryptionCommand({ Bucket }), options)
      return answer.ServerSideEncryptionConfiguration?.Rules ?? []
    },
    (Rules) =>
      (client, { PutBucketEncryptionCommand }, options) => {
        const input = { Bucket, ServerSideEncryptionConfiguration: { Rules } }
        return client.send(
          new PutBucketEncryptionCommand(input as PutBucketEncryptionCommandInput),
          options
        )
      }
  )

  const lifecycle = part<Lifecycle>(
    "LifecycleConfiguration",
    { Rules: [] },
    async (client, { GetBucketLifecycleConfigurationCommand }, options) => {
      const command = new GetBucketLifecycleConfigurationCommand({ Bucket })
      const { Rules = [], TransitionDefaultMinimumObjectSize } = await client.send(command, options)
      return { Rules, TransitionDefaultMinimumObjectSize }
    },
    ({ Rules, TransitionDefaultMinimumObjectSize }) =>
      (client, { PutBucketLifecycleConfigurationCommand }, options) => {
        const input = {
          Bucket,
          LifecycleConfiguration: { Rules },
          TransitionDefaultMinimumObjectSize
        }
        const command = new PutBucketLifecycleConfigurationCommand(
          input as PutBucketLifecycleConfigurationCommandInput
        )
        return client.send(command, options)
      }
  )

  const policy = part<string | undefined>(
    "BucketPolicy",
    undefined,
    async (client, { GetBucketPolicyCommand }, options) => {
      const answer = await client.send(new GetBucketPolicyCommand({ Bucket }), options)
      return answer.Policy === "" ? undefined : answer.Policy
    },
    (Policy) =>
      (client, { PutBucketPolicyCommand }, options) =>
        client.send(new PutBucketPolicyCommand({ Bucket, Policy }), options)
  )

  return { publicAccess, ownership, encryption, lifecycle, policy }
}
