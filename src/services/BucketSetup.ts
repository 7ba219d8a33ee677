/**
 * How an S3 bucket is set up. What is carried is named as S3's API names it, so that what this
 * program does not know of goes back as it came.
 *
 * @module
 */
import { Context, type Effect, Schema } from "effect"

/** Why something of a bucket could not be read or changed. */
export class BucketSetupError extends Schema.TaggedError<BucketSetupError>()("BucketSetupError", {
  reason: Schema.Literal("AccessDenied", "NotFound", "Misconfigured", "Unavailable", "Failed"),
  /** The bucket. */
  path: Schema.String,
  detail: Schema.String
}) {
  /** True when the same call may succeed later, unchanged. */
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

/** How objects are encrypted whose put does not say. */
export interface EncryptionRule {
  readonly ApplyServerSideEncryptionByDefault?:
    | { readonly SSEAlgorithm?: string | undefined; readonly KMSMasterKeyID?: string | undefined }
    | undefined
  readonly BucketKeyEnabled?: boolean | undefined
}

export interface LifecycleRule {
  readonly ID?: string | undefined
  readonly Status?: string | undefined
  /** In the place of `Filter`, by an older form; no bucket has both. */
  readonly Prefix?: string | undefined
  readonly Filter?: { readonly Prefix?: string | undefined } | undefined
  readonly AbortIncompleteMultipartUpload?:
    | { readonly DaysAfterInitiation?: number | undefined }
    | undefined
}

export interface Lifecycle {
  readonly Rules: ReadonlyArray<LifecycleRule>
  /**
   * How small an object may be to be moved to another storage class; a put without it would reset
   * it.
   */
  readonly TransitionDefaultMinimumObjectSize?: string | undefined
}

/** One thing of a bucket: read as a whole, and written as a whole. */
export interface BucketAspect<A> {
  readonly read: Effect.Effect<A, BucketSetupError>
  readonly write: (value: A) => Effect.Effect<void, BucketSetupError>
}

export class BucketSetup extends Context.Tag("amplitude-lake/BucketSetup")<
  BucketSetup,
  {
    /** The bucket, named to a person. */
    readonly place: string

    /**
     * Whether the bucket is there, and its region; of one that is not, the region it would be made
     * in, where one is named.
     */
    readonly find: Effect.Effect<
      { readonly exists: boolean; readonly region: string | undefined },
      BucketSetupError
    >

    /**
     * Makes the bucket in a region, with ACLs disabled; nothing happens when it is there and the
     * caller's own.
     */
    readonly create: (region: string) => Effect.Effect<void, BucketSetupError>

    readonly publicAccess: BucketAspect<PublicAccess>

    /** Whose objects are, as `BucketOwnerEnforced`; `undefined` where nothing is set. */
    readonly ownership: BucketAspect<string | undefined>

    /** No rules where nothing is set. */
    readonly encryption: BucketAspect<ReadonlyArray<EncryptionRule>>

    /** No rules where nothing is set. */
    readonly lifecycle: BucketAspect<Lifecycle>

    /** The bucket policy's JSON; `undefined` where there is none. */
    readonly policy: BucketAspect<string | undefined>
  }
>() {}
