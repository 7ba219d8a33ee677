/**
 * Reads an Azure account, its endpoint and its credentials from a connection string.
 *
 * @module
 */
import { Either, Redacted } from "effect"
import type { AzureCredentials } from "../../layers/azure/ObjectStorageAzure.ts"

export interface AzureAccount {
  readonly account: string
  /** Absent for Azure's public cloud. */
  readonly endpoint?: string | undefined
  readonly credentials: AzureCredentials
}

const EMULATOR: AzureAccount = {
  account: "devstoreaccount1",
  endpoint: "http://127.0.0.1:10000/devstoreaccount1",
  credentials: {
    // Not a secret: every Azurite has this key, and its documentation prints it.
    accountKey: Redacted.make(
      "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    )
  }
}

/** Whether a text looks like an account key: base64 of 64 bytes, of fewer in emulators. */
export function isAccountKey(key: string): boolean {
  return /^[A-Za-z0-9+/]+={0,2}$/.test(key) && key.length % 4 === 0
}

/** Whether a text looks like a shared access signature. */
export function isSasToken(token: string): boolean {
  return /^\S*(?<![^?&])sig=[^&\s]\S*$/.test(token)
}

/**
 * Reads a connection string as the Azure portal shows it, or says what is wrong without repeating a
 * value.
 */
export function parseConnectionString(text: string): Either.Either<AzureAccount, string> {
  const fields = new Map(
    text.split(";").flatMap((field) => {
      const at = field.indexOf("=")
      return at < 1 ? [] : [[field.slice(0, at).trim(), field.slice(at + 1).trim()] as const]
    })
  )
  const field = (name: string) => fields.get(name) || undefined
  if (field("UseDevelopmentStorage") === "true") return Either.right(EMULATOR)
  const key = field("AccountKey")
  const token = field("SharedAccessSignature")
  const protocol = field("DefaultEndpointsProtocol") ?? "https"
  const suffix = field("EndpointSuffix")
  const named = field("BlobEndpoint")
  const account =
    field("AccountName") ?? accountOf(named) ?? (token && named && accountInPath(named))
  if (account === undefined) return Either.left("it has no AccountName")
  if ((key === undefined) === (token === undefined)) {
    return Either.left("it must contain either an AccountKey or a SharedAccessSignature")
  }
  if (key !== undefined && !isAccountKey(key)) return Either.left("its AccountKey is not base64")
  if (token !== undefined && !isSasToken(token)) {
    return Either.left("its SharedAccessSignature has no sig=")
  }
  const isUsual = protocol === "https" && suffix === undefined
  const usual = `${protocol}://${account}.blob.${suffix ?? "core.windows.net"}`
  return Either.right({
    account,
    endpoint: named ?? (isUsual ? undefined : usual),
    credentials:
      key === undefined
        ? { sasToken: Redacted.make(token ?? "") }
        : { accountKey: Redacted.make(key) }
  })
}

/**
 * The account name at the start of an endpoint's path, as emulators have it; any name for an
 * endpoint of one's own, where a SAS token needs none.
 */
function accountInPath(endpoint: string): string | undefined {
  if (!URL.canParse(endpoint)) return undefined
  const { hostname, pathname } = new URL(endpoint)
  const [, account] = pathname.split("/")
  return account || hostname
}

/** The account name at the start of an endpoint's host. */
function accountOf(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined || !URL.canParse(endpoint)) return undefined
  const [account, service] = new URL(endpoint).hostname.split(".")
  return service === "blob" ? account : undefined
}
