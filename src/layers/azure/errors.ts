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

const KEYS = "check the account's name and its key, or the SAS token and its expiry"
const CONTAINER = "create the container or use another"
const ENDPOINT = "check the account's name, the container and the endpoint"
const LATER = "try again later"
const OTHER_BYTES = "the data was corrupted in transit"

const told: Readonly<Record<string, Diagnosis>> = {
  AuthenticationFailed: { reason: "AccessDenied", advice: KEYS },
  AuthorizationFailure: {
    reason: "AccessDenied",
    advice: `${KEYS}, and the networks that the account allows`
  },
  InvalidAuthenticationInfo: { reason: "AccessDenied", advice: KEYS },
  NoAuthenticationInformation: { reason: "AccessDenied", advice: KEYS },
  PublicAccessNotPermitted: { reason: "AccessDenied", advice: KEYS },
  KeyBasedAuthenticationNotPermitted: {
    reason: "AccessDenied",
    advice:
      "the account does not accept keys; set the account's name only and sign in with an identity"
  },
  AccountIsDisabled: { reason: "Misconfigured", advice: "the account is disabled" },
  ContainerNotFound: { reason: "NotFound", advice: CONTAINER },
  ContainerBeingDeleted: { reason: "Unavailable", advice: "the container is being removed" },
  ContainerDisabled: { reason: "Misconfigured", advice: "the container is disabled" },
  ResourceNotFound: { reason: "NotFound", advice: CONTAINER },
  BlobNotFound: { reason: "NotFound", advice: "there is no such object" },
  InvalidResourceName: { reason: "Misconfigured", advice: "use another container name" },
  InvalidHeaderValue: {
    reason: "Misconfigured",
    advice: "the service may be too old for this program; Azurite needs --skipApiVersionCheck"
  },
  BlobArchived: { reason: "Misconfigured", advice: "the object is in the archive tier" },
  BlobImmutableDueToPolicy: {
    reason: "AccessDenied",
    advice: "a policy makes the object immutable"
  },
  InvalidBlockList: {
    reason: "Unavailable",
    advice: "the blocks are gone; try again"
  },
  ServerBusy: { reason: "Unavailable", advice: LATER },
  OperationTimedOut: { reason: "Unavailable", advice: LATER },
  InternalError: { reason: "Unavailable", advice: LATER },
  Md5Mismatch: { reason: "Corrupt", advice: OTHER_BYTES },
  InvalidMd5: { reason: "Corrupt", advice: OTHER_BYTES },
  ...connection
}

const NO_CREDENTIALS =
  "No Azure credentials found: set AZURE_STORAGE_CONNECTION_STRING, AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, " +
  "or sign in with an identity that DefaultAzureCredential finds, for example by az login"

/**
 * Errors of @azure/identity. Their messages can quote the output of a command, so only their codes
 * are shown.
 */
const UNAVAILABLE =
  /^(CredentialUnavailableError|AggregateAuthenticationError|AuthenticationRequiredError)$/
const UNREACHED = /\b(endpoints_resolution_error|network_error|request_timeout)\b/
const SIGN_IN_CODES =
  /\b(AADSTS\d+|endpoints_resolution_error|network_error|request_timeout|invalid_client|invalid_grant|unauthorized_client)\b/g

/** Why the identity could not sign in. */
function signInFailure(message: string): Diagnosis {
  const codes = [...new Set(message.match(SIGN_IN_CODES))].join(", ")
  const said = codes === "" ? "" : ` (${codes})`
  if (UNREACHED.test(message)) {
    return { reason: "Unavailable", advice: `Could not reach Entra to sign in${said}` }
  }
  const advice = `The Azure identity could not sign in${said}: check AZURE_TENANT_ID, AZURE_CLIENT_ID and the variables that go with them`
  return { reason: "AccessDenied", advice }
}

function byCode(code: string, status: number | undefined): Diagnosis {
  if (status === 409 && told[code] === undefined) {
    return { reason: "Unavailable", advice: "another operation on it is in progress; try again" }
  }
  return told[code] ?? byStatus(status, ENDPOINT)
}

/**
 * Converts what the SDK threw. Keeps only text, because the thrown object holds the request with
 * its headers.
 */
export function toFailure(attempt: StoreAttempt, cause: unknown): StoreFailure {
  const found: unknown = Reflect.get(Object(cause), "statusCode")
  const status = typeof found === "number" ? found : undefined
  const details: unknown = Reflect.get(Object(cause), "details")
  const name = text(cause, "name") ?? "Error"
  // The answer to a HEAD has no body, so the code is in a header.
  const code = text(details, "errorCode") ?? text(cause, "code") ?? name
  const message = firstLine(text(cause, "message") ?? "")
  const make = (reason: Diagnosis["reason"], detail: string): StoreFailure => ({
    code,
    status,
    error: failed(attempt, reason, detail)
  })

  if (UNAVAILABLE.test(name)) return make("AccessDenied", NO_CREDENTIALS)
  if (name === "AuthenticationError") {
    const { advice, reason } = signInFailure(text(cause, "message") ?? "")
    return make(reason, advice)
  }
  const said = `${code}${status === undefined ? "" : `, HTTP ${status}`}${
    message === "" || message === code ? "" : `: ${message}`
  }`
  if (NETWORK.test(code) && status === undefined) {
    return make(
      "Unavailable",
      `The store is unreachable or stopped responding; check the account's name (${said})`
    )
  }
  if (name === "AbortError" || message.startsWith("Data corruption failure: received less")) {
    return make("Unavailable", "The connection was lost before the whole object was read")
  }
  if (/date header too old/i.test(text(details, "authenticationErrorDetail") ?? "")) {
    return make(
      "Misconfigured",
      `Azure answered ${said}; this machine's clock is wrong, synchronize it`
    )
  }
  if (code === "InvalidOperation" && /contentMD5/i.test(message)) {
    return make("Corrupt", `Azure answered ${said}; ${OTHER_BYTES}`)
  }
  const { advice, reason } = byCode(code, status)
  if (reason === "AccessDenied" && advice === "") {
    return make(reason, `Allow ${attempt.permission} (${said})`)
  }
  const heard = status === undefined ? said : `Azure answered ${said}`
  return make(reason, advice === "" ? heard : `${heard}; ${advice}`)
}
