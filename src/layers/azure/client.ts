import * as http from "node:http"
import * as https from "node:https"
import type { Duplex } from "node:stream"
import type { ContainerClient, StoragePipelineOptions } from "@azure/storage-blob"
import { Duration, Effect, Redacted, type Scope } from "effect"
import { toFailure } from "./errors.ts"
import { type Call, connectOnce } from "../cloud/connect.ts"
import { CONNECTING } from "../../network/connecting.ts"
import { makeProxyAgent } from "../cloud/proxyAgent.ts"
import { loadSdk } from "../cloud/sdk.ts"

export type AzureCredentials =
  /** One of the account's two keys, in base64. */
  | { readonly accountKey: Redacted.Redacted }
  /** A shared access signature, with or without the leading question mark. */
  | { readonly sasToken: Redacted.Redacted }

export interface AzureClientOptions {
  /** The storage account's name. */
  readonly account: string
  readonly container: string
  /** URL of the account's blobs. Defaults to `https://ACCOUNT.blob.core.windows.net`. */
  readonly endpoint?: string | undefined
  /** Defaults to `DefaultAzureCredential` of @azure/identity. */
  readonly credentials?: AzureCredentials | undefined
  /**
   * How long a call may receive no bytes before it fails as `Unavailable`. Defaults to 2 minutes.
   */
  readonly idleTimeout?: Duration.DurationInput | undefined
}

function watch(socket: Duplex | null | undefined): void {
  socket?.on("timeout", () =>
    socket.destroy(Object.assign(new Error("No byte came for too long"), { code: "ETIMEDOUT" }))
  )
}

/**
 * Closes a connection that is idle for the agent's timeout. The SDK can only limit the duration of
 * a whole answer.
 */
function cutIdle(agent: http.Agent): http.Agent {
  const connect = agent.createConnection.bind(agent)
  agent.createConnection = (options, done) => {
    const socket = connect(options, (error, made) => {
      watch(made)
      done?.(error, made)
    })
    watch(socket)
    return socket
  }
  return agent
}

function makeAgent(endpoint: string, timeout: number): http.Agent {
  // More than are ever used at once, because waiting for a socket must not count as silence.
  const options = { keepAlive: true, maxSockets: 128, timeout, ...CONNECTING }
  if (new URL(endpoint).protocol === "http:") return cutIdle(new http.Agent(options))
  // Set here, so NODE_TLS_REJECT_UNAUTHORIZED=0 does not affect these connections.
  const secure = { ...options, rejectUnauthorized: true }
  return cutIdle(makeProxyAgent(secure) ?? new https.Agent(secure))
}

async function open(options: AzureClientOptions) {
  const { account, container, credentials, idleTimeout = "2 minutes" } = options
  const endpoint = options.endpoint ?? `https://${account}.blob.core.windows.net`
  const sdk = await loadSdk("@azure/storage-blob@12", () => import("@azure/storage-blob"))
  const agent = makeAgent(endpoint, Duration.toMillis(idleTimeout))
  // The programs retry, because they know what can be repeated. Redirects are not followed.
  const pipelineOptions: StoragePipelineOptions & { agent: unknown; redirectOptions: unknown } = {
    retryOptions: { maxTries: 1 },
    redirectOptions: { maxRetries: 0 },
    agent
  }
  const url = `${endpoint.replace(/\/$/, "")}/${encodeURIComponent(container)}`
  const connect = (
    ...[credential, query = ""]: readonly [Parameters<typeof sdk.newPipeline>[0], string?]
  ) => ({
    agent,
    container: new sdk.ContainerClient(url + query, sdk.newPipeline(credential, pipelineOptions))
  })
  if (credentials === undefined) {
    const identity = await loadSdk("@azure/identity@4", () => import("@azure/identity"))
    return connect(new identity.DefaultAzureCredential())
  }
  if ("sasToken" in credentials) {
    const token = Redacted.value(credentials.sasToken).replace(/^\?/, "")
    return connect(undefined, `?${token}`)
  }
  const key = Redacted.value(credentials.accountKey)
  return connect(new sdk.StorageSharedKeyCredential(account, key))
}

/** A client that is loaded by its first call and closed with the scope. */
export const make = Effect.fnUntraced(function* (
  options: AzureClientOptions
): Effect.fn.Return<Call<ContainerClient>, never, Scope.Scope> {
  const call = yield* connectOnce({
    open: () => open(options),
    close: ({ agent }) => agent.destroy(),
    toFailure
  })
  return (attempt, run) =>
    call(attempt, ({ container }, abortSignal) => run(container, abortSignal))
})
