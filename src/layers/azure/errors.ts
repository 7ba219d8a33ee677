import {
  byStatus,
  connection,
  failed,
  firstLine,
  NETWORK,
  type StoreAttempt,
  type StoreFailure,
  text,
  type Told
} from "../cloud/failure.ts"

const KEYS = "look at the account's name and its key, or at the SAS token and how long it is valid"
const CONTAINER = "create the container or name another"
const ENDPOINT = "look at the account's name, the container and the endpoint"
const LATER = "try again later"
const OTHER_BYTES = "other bytes arrived than were sent"

const told: Readonly<Record<string, Told>> = {
  AuthenticationFailed: { reason: "AccessDenied", advice: KEYS },
  AuthorizationFailure: {
    reason: "AccessDenied",
    advice: `${KEYS}, and at the networks that the account lets in`
  },
  InvalidAuthenticationInfo: { reason: "AccessDenied", advice: KEYS },
  NoAuthenticationInformation: { reason: "AccessDenied", advice: KEYS },
  PublicAccessNotPermitted: { reason: "AccessDenied", advice: KEYS },
  KeyBasedAuthenticationNotPermitted: {
    reason: "AccessDenied",
    advice: "the account takes no keys: name the account only, and sign in as an identity"
  },
  AccountIsDisabled: { reason: "Misconfigured", advice: "the account is disabled" },
  ContainerNotFound: { reason: "NotFound", advice: CONTAINER },
  ContainerBeingDeleted: { reason: "Unavailable", advice: "the container is being removed" },
  ContainerDisabled: { reason: "Misconfigured", advice: "the container is disabled" },
  ResourceNotFound: { reason: "NotFound", advice: CONTAINER },
  BlobNotFound: { reason: "NotFound", advice: "there is no such object" },
  InvalidResourceName: { reason: "Misconfigured", advice: "name another container" },
  InvalidHeaderValue: {
    reason: "Misconfigured",
    advice: "the service may be too old for this program; Azurite wants --skipApiVersionCheck"
  },
  BlobArchived: { reason: "Misconfigured", advice: "the object lies in the archive tier" },
  BlobImmutableDueToPolicy: {
    reason: "AccessDenied",
    advice: "a policy keeps the object as it is"
  },
  InvalidBlockList: {
    reason: "Unavailable",
    advice: "the blocks were removed meanwhile: try again"
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
  "or sign in as an identity that DefaultAzureCredential finds, such as by az login"

/**
 * What @azure/identity throws; its words can quote what a command printed, so that only codes are
 * shown.
 */
const UNAVAILABLE =
  /^(CredentialUnavailableError|AggregateAuthenticationError|AuthenticationRequiredError)$/
const UNREACHED = /\b(endpoints_resolution_error|network_error|request_timeout)\b/
const SIGN_IN_CODES =
  /\b(AADSTS\d+|endpoints_resolution_error|network_error|request_timeout|invalid_client|invalid_grant|unauthorized_client)\b/g

/** Why an identity that was found could not sign in. */
function signInFailure(message: string): Told {
  const codes = [...new Set(message.match(SIGN_IN_CODES))].join(", ")
  const said = codes === "" ? "" : ` (${codes})`
  if (UNREACHED.test(message)) {
    return { reason: "Unavailable", advice: `Entra could not be reached to sign in${said}` }
  }
  const advice = `The Azure identity could not sign in${said}: look at AZURE_TENANT_ID, AZURE_CLIENT_ID and what goes with them`
  return { reason: "AccessDenied", advice }
}

function byCode(code: string, status: number | undefined): Told {
  if (status === 409 && told[code] === undefined) {
    return { reason: "Unavailable", advice: "something else is under way there: try again" }
  }
  return told[code] ?? byStatus(status, ENDPOINT)
}

/**
 * Reads what the SDK threw; the error keeps words only, for the thrown object carries the request
 * with its headers.
 */
export function toFailure(attempt: StoreAttempt, cause: unknown): StoreFailure {
  const found: unknown = Reflect.get(Object(cause), "statusCode")
  const status = typeof found === "number" ? found : undefined
  const details: unknown = Reflect.get(Object(cause), "details")
  const name = text(cause, "name") ?? "Error"
  // An answer to HEAD has no body to read a code from: it stands in a header.
  const code = text(details, "errorCode") ?? text(cause, "code") ?? name
  const message = firstLine(text(cause, "message") ?? "")
  const make = (reason: Told["reason"], detail: string): StoreFailure => ({
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
      `The store could not be reached, or went silent: is the account's name right? (${said})`
    )
  }
  if (name === "AbortError" || message.startsWith("Data corruption failure: received less")) {
    return make("Unavailable", "The connection was lost before the whole object was read")
  }
  if (/date header too old/i.test(text(details, "authenticationErrorDetail") ?? "")) {
    return make("Misconfigured", `Azure answered ${said}; set this machine's clock`)
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
