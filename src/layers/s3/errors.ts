import {
  byStatus,
  connection,
  failed,
  firstLine,
  NETWORK,
  type StoreAttempt,
  type StoreFailure,
  text,
  type Diagnosis
} from "../cloud/failure.ts"

const KEYS = "check the access key, the secret key and the session token"
const EXPIRED = "the credentials have expired; renew them"
const CONCURRENT = "another write of this object is in progress; try again"
const ENDPOINT = "check the bucket, the region and the endpoint"

const told: Readonly<Record<string, Diagnosis>> = {
  InvalidAccessKeyId: { reason: "AccessDenied", advice: KEYS },
  SignatureDoesNotMatch: { reason: "AccessDenied", advice: KEYS },
  InvalidToken: { reason: "AccessDenied", advice: KEYS },
  ExpiredToken: { reason: "AccessDenied", advice: EXPIRED },
  ExpiredTokenException: { reason: "AccessDenied", advice: EXPIRED },
  TokenRefreshRequired: { reason: "AccessDenied", advice: EXPIRED },
  NoSuchBucket: { reason: "NotFound", advice: "create the bucket or use another" },
  ConditionalRequestConflict: { reason: "Unavailable", advice: CONCURRENT },
  ConcurrentModification: { reason: "Unavailable", advice: CONCURRENT },
  OperationAborted: { reason: "Unavailable", advice: CONCURRENT },
  NoSuchUpload: { reason: "Unavailable", advice: "the upload is gone; try again" },
  NoSuchKey: { reason: "NotFound", advice: "there is no such object" },
  BucketAlreadyExists: {
    reason: "Misconfigured",
    advice: "the name is taken by someone else; choose another"
  },
  InvalidBucketAclWithObjectOwnership: {
    reason: "Misconfigured",
    advice:
      "the bucket's ACL grants access to others; move that to a policy, then run aws s3api put-bucket-acl --acl private"
  },
  InvalidBucketName: { reason: "Misconfigured", advice: "use another bucket name" },
  PermanentRedirect: { reason: "Misconfigured", advice: ENDPOINT },
  AuthorizationHeaderMalformed: { reason: "Misconfigured", advice: ENDPOINT },
  IllegalLocationConstraintException: { reason: "Misconfigured", advice: ENDPOINT },
  RequestTimeTooSkewed: {
    reason: "Misconfigured",
    advice: "this machine's clock is wrong; synchronize it"
  },
  QuotaExceeded: { reason: "NoSpace", advice: "the quota is used up" },
  SlowDown: { reason: "Unavailable", advice: "try again later" },
  InternalError: { reason: "Unavailable", advice: "try again later" },
  RequestTimeout: { reason: "Unavailable", advice: "try again later" },
  IncompleteBody: { reason: "Unavailable", advice: "the upload was interrupted; try again" },
  Throttling: { reason: "Unavailable", advice: "try again later" },
  ThrottlingException: { reason: "Unavailable", advice: "try again later" },
  BadDigest: { reason: "Corrupt", advice: "the data was corrupted in transit" },
  InvalidDigest: { reason: "Corrupt", advice: "the data was corrupted in transit" },
  XAmzContentSHA256Mismatch: { reason: "Corrupt", advice: "the data was corrupted in transit" },
  XAmzContentChecksumMismatch: { reason: "Corrupt", advice: "the data was corrupted in transit" },
  InvalidPart: { reason: "Corrupt", advice: "the store lost a chunk of the upload" },
  InvalidPartOrder: { reason: "Corrupt", advice: "the store mixed up the order of the chunks" },
  EntityTooSmall: { reason: "Corrupt", advice: "a chunk arrived shorter than it was sent" },
  ...connection
}

const NO_CREDENTIALS =
  "No AWS credentials found in the environment, the profile, SSO, web identity, container or instance metadata: " +
  "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"

// Providers can run commands and quote their output. Only messages with these beginnings are known
// to contain no secrets.
const SAFE_PROVIDER_WORDS =
  /^(Could not resolve credentials using profile|Profile |Token is expired)/

function statusOf(cause: unknown): number | undefined {
  const metadata: unknown =
    typeof cause === "object" && cause !== null ? Reflect.get(cause, "$metadata") : undefined
  const status: unknown =
    typeof metadata === "object" && metadata !== null
      ? Reflect.get(metadata, "httpStatusCode")
      : undefined
  return typeof status === "number" ? status : undefined
}

/** The bucket's own region from an answer: `x-amz-bucket-region`. */
export function bucketRegionOf(cause: unknown): string | undefined {
  const response: unknown =
    typeof cause === "object" && cause !== null ? Reflect.get(cause, "$response") : undefined
  const headers: unknown =
    typeof response === "object" && response !== null ? Reflect.get(response, "headers") : undefined
  return text(headers, "x-amz-bucket-region")
}

const CREDENTIALS_FAILED = "CredentialsFailed"

/** Marks a failure to get credentials, as opposed to a refusal by the store. */
export function asCredentialsFailure(cause: unknown): unknown {
  const name = text(cause, "name")
  const code = text(cause, "code") ?? text(cause, "Code") ?? name ?? "Error"
  if (name === "CredentialsProviderError" || name === "TokenProviderError" || NETWORK.test(code)) {
    return cause
  }
  const message = firstLine(text(cause, "message") ?? "")
  return Object.assign(new Error(`${code}: ${message}`), { name: CREDENTIALS_FAILED })
}

/** Converts what the SDK threw. Keeps only text, because the thrown object holds headers. */
export function toFailure(attempt: StoreAttempt, cause: unknown): StoreFailure {
  const status = statusOf(cause)
  const name = text(cause, "name") ?? "Error"
  const code = text(cause, "code") ?? text(cause, "Code") ?? name
  const message = firstLine(text(cause, "message") ?? "")
  const make = (reason: Diagnosis["reason"], detail: string): StoreFailure => ({
    code,
    status,
    error: failed(attempt, reason, detail)
  })

  if (name === "CredentialsProviderError" || name === "TokenProviderError") {
    const said = SAFE_PROVIDER_WORDS.test(message) ? ` (${message})` : ""
    return make("AccessDenied", `${NO_CREDENTIALS}${said}`)
  }
  if (name === CREDENTIALS_FAILED) {
    return make("AccessDenied", `Could not obtain AWS credentials (${message})`)
  }
  const said = `${code}${status === undefined || code === String(status) ? "" : `, HTTP ${status}`}${
    message === "" || message === code || message === "UnknownError" ? "" : `: ${message}`
  }`
  if (NETWORK.test(code) || name === "TimeoutError") {
    return make("Unavailable", `The store is unreachable or stopped responding (${said})`)
  }
  if (/^(Checksum mismatch|Connection lost or stream closed)/.test(message)) {
    return message.startsWith("Checksum")
      ? make("Corrupt", "The bytes that were read do not match the store's own checksum")
      : make("Unavailable", "The connection was lost before the whole object was read")
  }
  const region = bucketRegionOf(cause)
  if (
    (region !== undefined && byStatus(status, ENDPOINT).reason === "Misconfigured") ||
    code === "AuthorizationHeaderMalformed"
  ) {
    return make(
      "Misconfigured",
      `The bucket is in the region ${region ?? "that S3 names here"}; set AWS_REGION to it (${said})`
    )
  }
  if (code.startsWith("KMS.") || (code === "InvalidArgument" && /kms/i.test(message))) {
    return make("Misconfigured", `The KMS key cannot be used (${said})`)
  }
  const lacks = lackOf(attempt, status, code, `${text(cause, "Header") ?? ""} ${message}`)
  if (lacks !== undefined) return make("Misconfigured", `This store ${lacks} (${said})`)
  if (/with an explicit deny/.test(message) && attempt.replaces === true) {
    return make(
      "AccessDenied",
      `A policy denies puts that replace an object (If-Match): that of a role that may only create objects, or the bucket's statement AmplitudeLakeRequireIfNoneMatch of an older version (${said})`
    )
  }
  if (/with an explicit deny/.test(message)) {
    return make(
      "AccessDenied",
      `A policy denies it, which no permission overrides; the policy may require an encryption header on puts (${said})`
    )
  }
  // A refused HEAD has no body with the reason.
  const isMute = status === 400 && code === "Unknown"
  const { advice, reason }: Diagnosis = isMute
    ? { reason: "AccessDenied", advice: `most likely ${EXPIRED}` }
    : (told[code] ?? byStatus(status, ENDPOINT))
  if (reason === "AccessDenied" && advice === "") {
    const permission = /\bkms\b/i.test(message)
      ? `${attempt.permission}, and kms:GenerateDataKey and kms:Decrypt on the key`
      : attempt.permission
    return make(reason, `Allow ${permission} (${said})`)
  }
  const heard = status === undefined ? said : `S3 answered ${said}`
  return make(reason, advice === "" ? heard : `${heard}; ${advice}`)
}

/** What a store lacks that every put needs, as its refusal says; `undefined` for any other refusal. */
function lackOf(
  { method }: StoreAttempt,
  status: number | undefined,
  code: string,
  said: string
): string | undefined {
  const isUnsupported = code === "NotImplemented" || status === 501
  const isPut = method === "put" || method === "check"
  if (/x-amz-(sdk-)?checksum/i.test(said) && (isUnsupported || status === 400)) {
    return "refuses the header x-amz-checksum-sha256, which every put carries; docs/stores.md lists stores that accept it"
  }
  if (!isUnsupported) return undefined
  return isPut
    ? "does not accept If-None-Match on puts, without which two runs could overwrite each other; docs/stores.md lists stores that do"
    : "does not support a required operation; docs/stores.md lists stores that do"
}
