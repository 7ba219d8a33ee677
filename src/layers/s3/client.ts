import { homedir } from "node:os"
import type { S3Client, S3ClientConfig } from "@aws-sdk/client-s3"
import { Duration, Effect, Redacted, type Scope } from "effect"
import { asCredentialsFailure, bucketRegionOf, toFailure } from "./errors.ts"
import { connectOnce } from "../cloud/connect.ts"
import type { StoreAttempt, StoreFailure } from "../cloud/failure.ts"
import { CONNECTING } from "../../network/connecting.ts"
import { makeProxyAgent } from "../cloud/proxyAgent.ts"
import { loadSdk } from "../cloud/sdk.ts"

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: Redacted.Redacted
  readonly sessionToken?: Redacted.Redacted | undefined
}

export interface S3ClientOptions {
  readonly bucket: string
  /** Defaults to the SDK's own sources, then to the bucket's region. */
  readonly region?: string | undefined
  /**
   * URL of an S3-compatible store. Defaults to `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or the
   * profile's, otherwise AWS.
   */
  readonly endpoint?: string | undefined
  /** Defaults to the SDK's default chain. */
  readonly credentials?: S3Credentials | (() => Promise<S3Credentials>) | undefined
  /**
   * `endpoint/bucket/key` instead of `bucket.endpoint/key`. Defaults to `true` if an endpoint is
   * set.
   */
  readonly forcePathStyle?: boolean | undefined
  /**
   * How long a call may receive no bytes before it fails as `Unavailable`. Defaults to 2 minutes.
   */
  readonly idleTimeout?: Duration.DurationInput | undefined
}

type Sdk = typeof import("@aws-sdk/client-s3")

/** Makes one attempt at a call. Interrupting it closes the connection. */
export type Call = <A>(
  attempt: StoreAttempt,
  run: (client: S3Client, sdk: Sdk, options: { readonly abortSignal: AbortSignal }) => Promise<A>
) => Effect.Effect<A, StoreFailure>

const FALLBACK_REGION = "us-east-1"

// More than are ever used at once, because waiting for a socket counts as connecting and times out
// like it.
const SOCKETS = { keepAlive: true, maxSockets: 128, ...CONNECTING }
// Set here, so NODE_TLS_REJECT_UNAUTHORIZED=0 does not affect these connections.
const TLS_SOCKETS = { ...SOCKETS, rejectUnauthorized: true }

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

function toIdentity(credentials: S3Credentials): {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
} {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  return {
    accessKeyId,
    secretAccessKey: Redacted.value(secretAccessKey),
    ...(sessionToken === undefined ? {} : { sessionToken: Redacted.value(sessionToken) })
  }
}

function baseConfig(options: S3ClientOptions): S3ClientConfig {
  const { credentials } = options
  return {
    // The programs retry, because they know what can be repeated.
    maxAttempts: 1,
    // Proxies and stores refuse "Expect: 100-continue" with 417, or never answer it. The SDK would
    // also open a new connection for each such request.
    expectContinueHeader: false,
    // The SDK's own log would appear in the terminal among ours.
    logger: silent,
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: Duration.toMillis(options.idleTimeout ?? "2 minutes"),
      httpAgent: SOCKETS,
      httpsAgent: makeProxyAgent(TLS_SOCKETS) ?? TLS_SOCKETS,
      logger: silent
    },
    ...(credentials === undefined
      ? {}
      : {
          credentials:
            typeof credentials === "function"
              ? () => credentials().then(toIdentity)
              : toIdentity(credentials)
        })
  }
}

/** Signs what the SDK leaves unsigned. */
function amendRequests(client: S3Client): S3Client {
  client.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> }
      const sha256 = headers["x-amz-checksum-sha256"]
      // Signing the hash makes every S3 refuse a different body, even without support for
      // checksums.
      if (sha256 !== undefined) {
        headers["x-amz-content-sha256"] = Buffer.from(sha256, "base64").toString("hex")
      }
      return next(args)
    },
    { step: "build", priority: "low", name: "amendRequests" }
  )
  return client
}

/** The region that the bucket reports. A store that reports none accepts any. */
async function findRegion(
  sdk: Sdk,
  client: S3Client,
  bucket: string,
  abortSignal: AbortSignal
): Promise<string> {
  try {
    const answer = await client.send(new sdk.HeadBucketCommand({ Bucket: bucket }), { abortSignal })
    return answer.BucketRegion ?? FALLBACK_REGION
  } catch (cause) {
    const region = bucketRegionOf(cause)
    if (region !== undefined) return region
    // A refusal without a region is left to the next call, which reports the reason.
    const status = cause instanceof sdk.S3ServiceException ? cause.$metadata.httpStatusCode : 500
    if (status !== undefined && status < 500) return FALLBACK_REGION
    throw cause
  }
}

/**
 * Without `HOME` and an entry for the user, as in a container with a user ID of its own, the SDK
 * fails while it looks for profile files. There are none then.
 */
function provideHome(): void {
  try {
    homedir()
  } catch {
    process.env["HOME"] = "/"
  }
}

async function open(options: S3ClientOptions, abortSignal: AbortSignal) {
  // Read when a client is created. Otherwise the SDK's warning reaches the terminal through the
  // process.
  process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true"
  provideHome()
  const sdk = await loadSdk("@aws-sdk/client-s3@3", () => import("@aws-sdk/client-s3"))
  const draft = new sdk.S3Client(baseConfig(options))
  const endpoint = options.endpoint ?? (await draft.config.serviceConfiguredEndpoint?.())
  const named =
    options.region ?? (await Promise.resolve(draft.config.region()).catch(() => undefined))
  // Loaded here, so problems with the credentials are not mistaken for problems with the bucket.
  const { credentials } = draft.config
  await credentials().catch((cause: unknown) => {
    throw asCredentialsFailure(cause)
  })
  draft.destroy()

  // Each client closes its sockets, so they cannot be shared.
  const config = (): S3ClientConfig => ({
    ...baseConfig(options),
    credentials,
    ...(endpoint === undefined ? {} : { endpoint }),
    forcePathStyle: options.forcePathStyle ?? endpoint !== undefined
  })
  const connect = (region: string) => ({
    sdk,
    client: amendRequests(new sdk.S3Client({ ...config(), region }))
  })
  if (named !== undefined) return connect(named)
  const asking = new sdk.S3Client({ ...config(), region: FALLBACK_REGION })
  try {
    return connect(await findRegion(sdk, asking, options.bucket, abortSignal))
  } finally {
    asking.destroy()
  }
}

/** A client that is loaded and connected by its first call, and closed with the scope. */
export const make = Effect.fnUntraced(function* (
  options: S3ClientOptions
): Effect.fn.Return<Call, never, Scope.Scope> {
  const call = yield* connectOnce({
    open: (abortSignal) => open(options, abortSignal),
    close: ({ client }) => client.destroy(),
    toFailure
  })
  return (attempt, run) =>
    call(attempt, ({ client, sdk }, abortSignal) => run(client, sdk, { abortSignal }))
})
