import { ObjectStorageError } from "../../services/ObjectStorage.ts"

/** A failed call: the store's own code for decisions, and the service's error for everyone else. */
export interface StoreFailure {
  /** The error code of the store or of Node. */
  readonly code: string
  readonly status: number | undefined
  readonly error: ObjectStorageError
}

/** The attempted call, for error messages. */
export interface StoreAttempt {
  readonly method: ObjectStorageError["method"]
  /** The object, as the store names it. */
  readonly path: string
  /** The permission that it needs, and on what. */
  readonly permission: string
  /** Whether it is to replace an object. Defaults to `false`. */
  readonly replaces?: boolean
}

/** The meaning of a store's answer, and what to do about it. */
export interface Diagnosis {
  readonly reason: ObjectStorageError["reason"]
  readonly advice: string
}

const TLS = "its certificate is not trusted; if you use a private CA, set NODE_EXTRA_CA_CERTS"

/** Connections that Deno, Node's permission model or a local firewall refuse. */
const FORBIDDEN = "it is not permitted here; grant it, or check the firewall"

/** Errors of Node and proxies before the store is reached, which a retry does not fix. */
export const connection: Readonly<Record<string, Diagnosis>> = {
  // The message of `loadSdk` says what to do.
  ERR_MODULE_NOT_FOUND: { reason: "Misconfigured", advice: "" },
  EPROXY: { reason: "Misconfigured", advice: "check HTTPS_PROXY and NO_PROXY" },
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

/** Network errors that may be temporary. */
export const NETWORK =
  /^(E(CONN|PIPE|TIMEDOUT|HOST|NET|AI_AGAIN|NOTFOUND)\w*|\w*Timeout\w*|UND_ERR_\w+)$/

/** A property of an unknown value, if it is a non-empty string. */
export function text(value: unknown, name: string): string | undefined {
  const found: unknown =
    typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined
  return typeof found === "string" && found !== "" ? found : undefined
}

/** A store's message as one short line. */
export function firstLine(message: string): string {
  return (message.split("\n", 1)[0] ?? "").trim().slice(0, 300)
}

/** The meaning of a status alone. `endpoint` is the advice if nothing is found. */
export function byStatus(status: number | undefined, endpoint: string): Diagnosis {
  if (status === 401 || status === 403) return { reason: "AccessDenied", advice: "" }
  if (status === 404) return { reason: "NotFound", advice: endpoint }
  if (status !== undefined && status >= 300 && status < 400) {
    return { reason: "Misconfigured", advice: endpoint }
  }
  if (status === 501)
    return { reason: "Misconfigured", advice: "the store does not support a required operation" }
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

/** The service's error, for callers that do not need the store's code. */
export function errorOf({ error }: StoreFailure): ObjectStorageError {
  return error
}
