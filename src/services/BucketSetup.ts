/**
 * The configuration of an S3 bucket. Values have the names of S3's API, so anything this program
 * does not know is written back unchanged.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"

/** Why the configuration of a bucket could not be read or changed. */
export class BucketSetupError extends Schema.TaggedError<BucketSetupError>()("BucketSetupError", {
  reason: Schema.Literal("AccessDenied", "NotFound", "Misconfigured", "Unavailable", "Failed"),
  /** The bucket. */
  path: Schema.String,
  detail: Schema.String
}) {
  /** True if the same call may succeed later. */
  get isTransient(): boolean {
    return this.reason === "Unavailable"
  }
  override get message(): string {
    return `Cannot set up "${this.path}": ${this.reason}: ${this.detail}`
  }
}

/** Which kinds of public access are blocked. */
export interface PublicAccess {
  readonly BlockPublicAcls: boolean
  readonly IgnorePublicAcls: boolean
  readonly BlockPublicPolicy: boolean
  readonly RestrictPublicBuckets: boolean
}

/** How objects are encrypted by default. */
export interface EncryptionRule {
  readonly ApplyServerSideEncryptionByDefault?:
    | { readonly SSEAlgorithm?: string | undefined; readonly KMSMasterKeyID?: string | undefined }
    | undefined
  readonly BucketKeyEnabled?: boolean | undefined
}

export interface LifecycleRule {
  readonly ID?: string | undefined
  readonly Status?: string | undefined
  /** An older form of `Filter`; no rule has both. */
  readonly Prefix?: string | undefined
  readonly Filter?: { readonly Prefix?: string | undefined } | undefined
  readonly AbortIncompleteMultipartUpload?:
    | { readonly DaysAfterInitiation?: number | undefined }
    | undefined
}

export interface Lifecycle {
  readonly Rules: ReadonlyArray<LifecycleRule>
  /**
   * How small an object may be to move to another storage class. A put without it would reset it.
   */
  readonly TransitionDefaultMinimumObjectSize?: string | undefined
}

/** A queue that is told of objects. */
export interface QueueNotification {
  readonly Id?: string | undefined
  readonly QueueArn?: string | undefined
  /** Such as `s3:ObjectCreated:*`. */
  readonly Events?: ReadonlyArray<string> | undefined
  readonly Filter?:
    | {
        readonly Key?:
          | {
              readonly FilterRules?:
                | ReadonlyArray<{
                    readonly Name?: string | undefined
                    readonly Value?: string | undefined
                  }>
                | undefined
            }
          | undefined
      }
    | undefined
}

/** Who is told of what happens to objects. Topics, functions and EventBridge are there as well. */
export interface Notifications {
  readonly QueueConfigurations?: ReadonlyArray<QueueNotification> | undefined
}

/** One aspect of a bucket, read and written as a whole. */
export interface BucketAspect<A> {
  readonly read: Effect.Effect<A, BucketSetupError>
  readonly write: (value: A) => Effect.Effect<void, BucketSetupError>
}

export class BucketSetup extends Context.Tag("amplitude-lake/BucketSetup")<
  BucketSetup,
  {
    /** The bucket, for messages. */
    readonly place: string

    /**
     * Whether the bucket exists, and its region; if it does not exist, the region it would be
     * created in, if configured.
     */
    readonly find: Effect.Effect<
      { readonly exists: boolean; readonly region: string | undefined },
      BucketSetupError
    >

    /**
     * Creates the bucket in a region, with ACLs disabled. Does nothing if the caller owns it
     * already.
     */
    readonly create: (region: string) => Effect.Effect<void, BucketSetupError>

    readonly publicAccess: BucketAspect<PublicAccess>

    /** Object ownership, such as `BucketOwnerEnforced`; `undefined` if not set. */
    readonly ownership: BucketAspect<string | undefined>

    /** Empty if not set. */
    readonly encryption: BucketAspect<ReadonlyArray<EncryptionRule>>

    /** Empty if not set. */
    readonly lifecycle: BucketAspect<Lifecycle>

    /** The bucket policy as JSON; `undefined` if there is none. */
    readonly policy: BucketAspect<string | undefined>

    /** Empty if nobody is told of anything. */
    readonly notifications: BucketAspect<Notifications>
  }
>() {}
