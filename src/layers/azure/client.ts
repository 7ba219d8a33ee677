import * as http from "node:http"
import * as https from "node:https"
import type { Duplex } from "node:stream"
import type { ContainerClient, StoragePipelineOptions } from "@azure/storage-blob"
import { Effect, Redacted, type Scope } from "effect"
import { toFailure } from "./errors.ts"
import { makeProxyAgent } from "../cloud/proxyAgent.ts"
import type { StoreAttempt, StoreFailure } from "../cloud/failure.ts"

export type AzureCredentials =
  /** One of the account's two keys, in base64. */
  | { readonly accountKey: Redacted.Redacted }
  /** A shared access signature, with or without its question mark. */
  | { readonly sasToken: Redacted.Redacted }

export interface AzureClientOptions {
  /** The storage account's name. */
  readonly account: string
  readonly container: string
  /** Where the account's blobs are asked for. Defaults to `https://ACCOUNT.blob.core.windows.net`. */
  readonly endpoint?: string | undefined
  /** Defaults to whoever `DefaultAzureCredential` of @azure/identity finds. */
  readonly credentials?: AzureCredentials | undefined
  /** Milliseconds without a byte, after which a call fails as `Unavailable`. Defaults to 2 minutes. */
  readonly idleTimeout?: number | undefined
}

/** Makes one attempt at one call; interrupting it cuts the connection. */
export type Call = <A>(
  attempt: StoreAttempt,
  run: (container: ContainerClient, abortSignal: AbortSignal) => Promise<A>
) => Effect.Effect<A, StoreFailure>

function watch(socket: Duplex | null | undefined): void {
  socket?.on("timeout", () =>
    socket.destroy(Object.assign(new Error("No byte came for too long"), { code: "ETIMEDOUT" }))
  )
}

/** Cuts a connection that its agent's timeout finds idle: the SDK only knows how long a whole answer may take. */
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
  // More than may ever be asked for at once: waiting for a socket must not count as silence.
  const options = { keepAlive: true, maxSockets: 128, timeout }
  if (new URL(endpoint).protocol === "http:") return cutIdle(new http.Agent(options))
  // Said here, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not reach these connections.
  const secure = { ...options, rejectUnauthorized: true }
  return cutIdle(makeProxyAgent(secure) ?? new https.Agent(secure))
}

async function open(options: AzureClientOptions) {
  const { account, container, credentials, idleTimeout = 120_000 } = options
  const endpoint = options.endpoint ?? `https://${account}.blob.core.windows.net`
  const sdk = await import("@azure/storage-blob")
  const agent = makeAgent(endpoint, idleTimeout)
  // Retries belong to the programs, which know what may be repeated; a redirect is followed nowhere.
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
    const { DefaultAzureCredential } = await import("@azure/identity")
    return connect(new DefaultAzureCredential())
  }
  if ("sasToken" in credentials) {
    const token = Redacted.value(credentials.sasToken).replace(/^\?/, "")
    return connect(undefined, `?${token}`)
  }
  const key = Redacted.value(credentials.accountKey)
  return connect(new sdk.StorageSharedKeyCredential(account, key))
}

/** A client that is loaded by its first call, and closed with the scope. */
export const make = Effect.fnUntraced(function* (
  options: AzureClientOptions
): Effect.fn.Return<Call, never, Scope.Scope> {
  const one = yield* Effect.makeSemaphore(1)
  let opened: Awaited<ReturnType<typeof open>> | undefined
  yield* Effect.addFinalizer(() => Effect.sync(() => opened?.agent.destroy()))

  const connect = (attempt: StoreAttempt) =>
    Effect.suspend(() =>
      opened === undefined
        ? Effect.tryPromise({
            try: () => open(options),
            catch: (cause) => toFailure(attempt, cause)
          }).pipe(Effect.tap((connection) => Effect.sync(() => (opened = connection))))
        : Effect.succeed(opened)
    ).pipe(one.withPermits(1))
  return (attempt, run) =>
    Effect.flatMap(connect(attempt), ({ container }) =>
      Effect.tryPromise({
        try: (abortSignal) => run(container, abortSignal),
        catch: (cause) => toFailure(attempt, cause)
      })
    )
})
