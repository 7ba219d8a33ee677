/**
 * The least that each side needs in AWS, as policies that `aws iam` and a bucket take.
 *
 * @module
 */

/** A statement of a policy, in AWS's own names. */
export interface PolicyStatement {
  readonly Sid?: string
  readonly Effect: "Allow" | "Deny"
  readonly Principal?: string | Readonly<Record<string, string>>
  readonly Action: string | ReadonlyArray<string>
  readonly Resource: string | ReadonlyArray<string>
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface PolicyDocument {
  readonly Version: "2012-10-17"
  readonly Statement: ReadonlyArray<
    Omit<PolicyStatement, "Resource"> & { readonly Resource?: PolicyStatement["Resource"] }
  >
}

export interface IamOptions {
  readonly bucket: string
  /** Ends in a slash. Defaults to the whole bucket. */
  readonly prefix?: string | undefined
  /** ARN of the key that encrypts the bucket's objects. */
  readonly kmsKey?: string | undefined
}

/** Who may take the reader's role. */
export interface TrustOptions {
  /** ARN of the user or role that takes it: Snowflake's `STORAGE_AWS_IAM_USER_ARN`. */
  readonly trustedArn: string
  /** What that one has to say each time: Snowflake's `STORAGE_AWS_EXTERNAL_ID`. */
  readonly externalId: string
}

function bucketArn({ bucket }: Pick<IamOptions, "bucket">): string {
  return `arn:aws:s3:::${bucket}`
}

function objectsArn({ bucket, prefix = "" }: Pick<IamOptions, "bucket" | "prefix">): string {
  return `arn:aws:s3:::${bucket}/${prefix}*`
}

function listing(options: IamOptions): PolicyStatement {
  const { prefix = "" } = options
  return {
    Effect: "Allow",
    Action: "s3:ListBucket",
    Resource: bucketArn(options),
    ...(prefix === "" ? {} : { Condition: { StringLike: { "s3:prefix": `${prefix}*` } } })
  }
}

function keyUse({ kmsKey }: IamOptions, Action: PolicyStatement["Action"]) {
  return kmsKey === undefined ? [] : [{ Effect: "Allow", Action, Resource: kmsKey } as const]
}

/** All that landing hours needs; nothing is ever removed. */
export function writerPolicy(options: IamOptions): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      listing(options),
      {
        Effect: "Allow",
        Action: [
          "s3:GetObject",
          "s3:PutObject",
          "s3:AbortMultipartUpload",
          "s3:ListMultipartUploadParts"
        ],
        Resource: objectsArn(options)
      },
      ...keyUse(options, ["kms:GenerateDataKey", "kms:Decrypt"])
    ]
  }
}

/** All that loading from the bucket needs, as Snowflake documents it. */
export function readerPolicy(options: IamOptions): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      listing(options),
      // Apart, for a request of it has no prefix, so that a condition on one would never hold.
      { Effect: "Allow", Action: "s3:GetBucketLocation", Resource: bucketArn(options) },
      {
        Effect: "Allow",
        Action: ["s3:GetObject", "s3:GetObjectVersion"],
        Resource: objectsArn(options)
      },
      ...keyUse(options, "kms:Decrypt")
    ]
  }
}

/**
 * Who may take the reader's role: one user, and only with the external id, so that nobody else can
 * have it act for them.
 */
export function readerTrust({ externalId, trustedArn }: TrustOptions): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: trustedArn },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "sts:ExternalId": externalId } }
      }
    ]
  }
}

/**
 * A bucket policy's statement: whoever it is, what is put must carry If-None-Match. The beginning
 * of a multipart upload and its parts cannot carry it and create no object, so that its completion
 * is what must.
 */
export function conditionalPuts(
  options: Pick<IamOptions, "bucket" | "prefix">
): PolicyStatement & { readonly Sid: string } {
  return {
    Sid: "AmplitudeLakeRequireIfNoneMatch",
    Effect: "Deny",
    Principal: "*",
    Action: "s3:PutObject",
    Resource: objectsArn(options),
    Condition: {
      Null: { "s3:if-none-match": "true" },
      Bool: { "s3:ObjectCreationOperation": "true" }
    }
  }
}
