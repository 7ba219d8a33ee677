/**
 * The minimal permissions of each side in AWS, as policies for `aws iam` and the bucket.
 *
 * @module
 */

/** A statement of a policy, named as in AWS. */
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

/** Who may assume the reader's role. */
export interface TrustOptions {
  /** ARN of the user or role that assumes it: Snowflake's `STORAGE_AWS_IAM_USER_ARN`. */
  readonly trustedArn: string
  /** External ID that it must present: Snowflake's `STORAGE_AWS_EXTERNAL_ID`. */
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

/**
 * All permissions needed to land hours. None of them deletes objects, and none replaces one: a put
 * with If-Match is denied.
 */
export function writerPolicy(options: IamOptions): PolicyDocument {
  const { Statement, Version } = maintainerPolicy(options)
  return {
    Version,
    Statement: [
      ...Statement,
      {
        Effect: "Deny",
        Action: "s3:PutObject",
        Resource: objectsArn(options),
        Condition: { Null: { "s3:if-match": "false" } }
      }
    ]
  }
}

/**
 * What the writer may, and replacing one known object: a person needs that to keep our version of a
 * conflict, and to land an hour again that was marked as empty.
 */
export function maintainerPolicy(options: IamOptions): PolicyDocument {
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

/** All permissions needed to load from the bucket, as documented by Snowflake. */
export function readerPolicy(options: IamOptions): PolicyDocument {
  return {
    Version: "2012-10-17",
    Statement: [
      listing(options),
      // Its own statement, because this request has no prefix and a condition on one would never
      // match.
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
 * Lets one user assume the reader's role, and only with the external ID, which prevents a confused
 * deputy.
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
 * A statement of a bucket policy: every put must carry If-None-Match, or If-Match with the ETag
 * of the object that it replaces. The start of a multipart
 * upload and its chunks cannot carry it and create no object, so only completing it must.
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
      Null: { "s3:if-none-match": "true", "s3:if-match": "true" },
      Bool: { "s3:ObjectCreationOperation": "true" }
    }
  }
}
