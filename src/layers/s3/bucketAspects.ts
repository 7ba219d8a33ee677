import type {
  PutBucketEncryptionCommandInput,
  PutBucketLifecycleConfigurationCommandInput,
  PutBucketNotificationConfigurationCommandInput,
  S3Client
} from "@aws-sdk/client-s3"
import { Effect } from "effect"
import {
  type BucketAspect,
  BucketSetupError,
  type EncryptionRule,
  type Lifecycle,
  type Notifications,
  type PublicAccess
} from "../../services/BucketSetup.ts"
import type { StoreFailure } from "../cloud/failure.ts"

type Sdk = typeof import("@aws-sdk/client-s3")
type Run<A> = (
  client: S3Client,
  sdk: Sdk,
  options: { readonly abortSignal: AbortSignal }
) => Promise<A>

/** A bucket, and how to call it with a permission. */
export interface AspectCalls {
  readonly Bucket: string
  readonly attempt: <A>(action: string, run: Run<A>) => Effect.Effect<A, StoreFailure>
}

/** S3's errors for an aspect that is not set. */
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

/** One aspect of a bucket's configuration. */
interface Aspect<A> {
  /** The action's name after `s3:Get` and `s3:Put`. */
  readonly action: string
  /** The value if it is not set. */
  readonly absent: A
  readonly read: Run<A>
  readonly write: (value: A) => Run<unknown>
}

function aspect<A>(
  { attempt }: AspectCalls,
  { absent, action, read, write }: Aspect<A>
): BucketAspect<A> {
  return {
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
  }
}

export function publicAccess(calls: AspectCalls): BucketAspect<PublicAccess> {
  const { Bucket } = calls
  return aspect(calls, {
    action: "BucketPublicAccessBlock",
    absent: {
      BlockPublicAcls: false,
      IgnorePublicAcls: false,
      BlockPublicPolicy: false,
      RestrictPublicBuckets: false
    },
    read: async (client, { GetPublicAccessBlockCommand }, options) => {
      const answer = await client.send(new GetPublicAccessBlockCommand({ Bucket }), options)
      const found = answer.PublicAccessBlockConfiguration ?? {}
      return {
        BlockPublicAcls: found.BlockPublicAcls === true,
        IgnorePublicAcls: found.IgnorePublicAcls === true,
        BlockPublicPolicy: found.BlockPublicPolicy === true,
        RestrictPublicBuckets: found.RestrictPublicBuckets === true
      }
    },
    write:
      (PublicAccessBlockConfiguration) =>
      (client, { PutPublicAccessBlockCommand }, options) => {
        const input = { Bucket, PublicAccessBlockConfiguration }
        return client.send(new PutPublicAccessBlockCommand(input), options)
      }
  })
}

/** Read as an empty text if the store does not support it. */
export function ownership(calls: AspectCalls): BucketAspect<string | undefined> {
  const { Bucket } = calls
  return aspect<string | undefined>(calls, {
    action: "BucketOwnershipControls",
    absent: undefined,
    read: async (client, { GetBucketOwnershipControlsCommand }, options) => {
      const answer = await client.send(new GetBucketOwnershipControlsCommand({ Bucket }), options)
      return answer.OwnershipControls?.Rules?.[0]?.ObjectOwnership ?? ""
    },
    write:
      (value) =>
      (client, { PutBucketOwnershipControlsCommand }, options) => {
        const Rules = [{ ObjectOwnership: value as "BucketOwnerEnforced" }]
        const input = { Bucket, OwnershipControls: { Rules } }
        return client.send(new PutBucketOwnershipControlsCommand(input), options)
      }
  })
}

export function encryption(calls: AspectCalls): BucketAspect<ReadonlyArray<EncryptionRule>> {
  const { Bucket } = calls
  return aspect<ReadonlyArray<EncryptionRule>>(calls, {
    action: "EncryptionConfiguration",
    absent: [],
    read: async (client, { GetBucketEncryptionCommand }, options) => {
      const answer = await client.send(new GetBucketEncryptionCommand({ Bucket }), options)
      return answer.ServerSideEncryptionConfiguration?.Rules ?? []
    },
    write:
      (Rules) =>
      (client, { PutBucketEncryptionCommand }, options) => {
        const input = { Bucket, ServerSideEncryptionConfiguration: { Rules } }
        return client.send(
          new PutBucketEncryptionCommand(input as PutBucketEncryptionCommandInput),
          options
        )
      }
  })
}

export function lifecycle(calls: AspectCalls): BucketAspect<Lifecycle> {
  const { Bucket } = calls
  return aspect<Lifecycle>(calls, {
    action: "LifecycleConfiguration",
    absent: { Rules: [] },
    read: async (client, { GetBucketLifecycleConfigurationCommand }, options) => {
      const command = new GetBucketLifecycleConfigurationCommand({ Bucket })
      const { Rules = [], TransitionDefaultMinimumObjectSize } = await client.send(command, options)
      return { Rules, TransitionDefaultMinimumObjectSize }
    },
    write:
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
  })
}

export function notifications(calls: AspectCalls): BucketAspect<Notifications> {
  const { Bucket } = calls
  return aspect<Notifications>(calls, {
    action: "BucketNotification",
    absent: {},
    read: async (client, { GetBucketNotificationConfigurationCommand }, options) => {
      const command = new GetBucketNotificationConfigurationCommand({ Bucket })
      const { $metadata: _, ...found } = await client.send(command, options)
      return found
    },
    write:
      (NotificationConfiguration) =>
      (client, { PutBucketNotificationConfigurationCommand }, options) => {
        const input = { Bucket, NotificationConfiguration }
        const command = new PutBucketNotificationConfigurationCommand(
          input as PutBucketNotificationConfigurationCommandInput
        )
        return client.send(command, options)
      }
  })
}

export function policy(calls: AspectCalls): BucketAspect<string | undefined> {
  const { Bucket } = calls
  return aspect<string | undefined>(calls, {
    action: "BucketPolicy",
    absent: undefined,
    read: async (client, { GetBucketPolicyCommand }, options) => {
      const answer = await client.send(new GetBucketPolicyCommand({ Bucket }), options)
      return answer.Policy === "" ? undefined : answer.Policy
    },
    write:
      (Policy) =>
      (client, { PutBucketPolicyCommand }, options) =>
        client.send(new PutBucketPolicyCommand({ Bucket, Policy }), options)
  })
}
