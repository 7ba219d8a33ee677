import { ObjectStorageError } from "../../services/ObjectStorage.ts"

/**
 * A call that a store or the network refused: its own words for a decision, and the service's error
 * for everyone else.
 */
export interface StoreFailure {
  /** The store's error code, or Node's. */
  readonly code: string
  readonly status: number | undefined
  readonly error: ObjectStorageError
}

/** What was being done, for the error's words. */
export interface StoreAttempt {
  readonly method: ObjectStorageError["method"]
  /** The object, as its store names it. */
  readonly path: string
  /** The permission it needs, and on what. */
  readonly permission: string
}

/** What a store's answer means, and what to do about it. */
export interface Told {
  readonly reason: ObjectStorageError["reason"]
  readonly advice: string
}

const TLS =
  "its certificate is not trusted: NODE_EXTRA_CA_CERTS names a file with your own authority"

/** What Deno, Node's permission model and firewalls of this machine do not grant. */
const FORBIDDEN = "it is not permitted here: grant it, or ask the firewall"

/** What Node and proxies say when no store was reached, and trying again does not help. */
export const connection: Readonly<Record<string, Told>> = {
  // The message of `loadSdk` says what to do.
  ERR_MODULE_NOT_FOUND: { reason: "Misconfigured", advice: "" },
  EPROXY: { reason: "Misconfigured", advice: "look at HTTPS_PROXY and NO_PROXY" },
  CERT_HAS_EXPIRED: { reason: "Misconfigured", advice: TLS },
  DEPTH_ZERO_SELF_SIGNED_CERT: { reason: "Misconfigured", advice: TLS },
  SELF_SIGNED_CERT_IN_CHAIN: { reason: "Misconfigured", advice: TLS },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { reason: "Misconfigured", advice: TLS },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { reason: "Misconfigured", advice: TLS },
  ERR_TLS_CERT_ALTNAME_INVALID: { reason: "Misconfigured", advice: TLS },
  NotCapable: { reason: "AccessDenied", advice: FORBIDDEN },
  EPERM: { reason: "AccessDenied", advice: FORBIDDEN },
  EACCES: { reason: "AccessDenied", advice: FORBIDDEN },
  ERR_ACCESS_DENIED: { reason: "AccessDenied", advice: FORBIDDEN }
}

/** Codes of a network that may be better later. */
export const NETWORK =
  /^(E(CONN|PIPE|TIMEDOUT|HOST|NET|AI_AGAIN|NOTFOUND)\w*|\w*Timeout\w*|UND_ERR_\w+)$/

/** A property of a foreign value, where it is text that is not empty. */
export function text(value: unknown, name: string): string | undefined {
  const found: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined
  return typeof found === "string" && found !== "" ? found : undefined
}

/** A store's words on one short line. */
export function firstLine(message: string): string {
  return (message.split("\n", 1)[0] ?? "").trim().slice(0, 300)
}

/** What a status means by itself; `endpoint` is what to look at where nothing is found. */
export function byStatus(status: number | undefined, endpoint: string): Told {
  if (status === 401 || status === 403) return { reason: "AccessDenied", advice: "" }
  if (status === 404) return { reason: "NotFound", advice: endpoint }
  if (status !== undefined && status >= 300 && status < 400) {
    return { reason: "Misconfigured", advice: endpoint }
  }
  if (status === 501)
    return { reason: "Misconfigured", advice: "this store lacks what is needed of it" }
  if (status === 507) return { reason: "NoSpace", advice: "the store is full" }
  if (status === 408 || status === 429 || (status !== undefined && status >= 500)) {
    return { reason: "Unavailable", advice: "try again later" }
  }
  return { reason: "Failed", advice: "" }
}

export function failed(
  { method, path }: StoreAttempt,
  reason: ObjectStorageError["reason"],
  detail: string
): ObjectStorageError {
  return new ObjectStorageError({ reason, method, path, detail })
}

/** For everyone but who decides by the store's own code. */
export function errorOf({ error }: StoreFailure): ObjectStorageError {
  return error
}
