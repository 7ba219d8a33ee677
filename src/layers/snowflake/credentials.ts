/**
 * Proves to Snowflake who calls: by a token, or by a JWT that a private key signs.
 *
 * Source: https://docs.snowflake.com/en/developer-guide/sql-api/authenticating
 *
 * @module
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto"
import { Clock, Effect, Either, Redacted } from "effect"

/** Who calls, and how that is proved. */
export type SnowflakeCredentials =
  | {
      readonly user: string
      /** PEM, PKCS#8 or PKCS#1, encrypted or not. */
      readonly privateKey: Redacted.Redacted<string>
      readonly passphrase?: Redacted.Redacted<string> | undefined
    }
  | {
      /** From OAuth, or a programmatic access token. */
      readonly token: Redacted.Redacted<string>
      /** By default Snowflake looks at the token. */
      readonly tokenType?: "OAUTH" | "PROGRAMMATIC_ACCESS_TOKEN" | undefined
    }

/** The headers that prove who calls. */
export interface Authorization {
  readonly headers: Effect.Effect<Readonly<Record<string, string>>>
  /** Makes another token. Absent where nobody but the user can. */
  readonly renew?: Effect.Effect<void>
  /** What must appear in no message. */
  readonly secrets: Effect.Effect<ReadonlyArray<string>>
}

const MINUTE = 60_000
/** Snowflake accepts an hour at most. */
const LIFETIME = 59 * MINUTE
/** A clock may differ by that much. */
const MARGIN = 5 * MINUTE

/** How requests are authorized, or why they cannot be. */
export function authorizationOf(
  account: string,
  credentials: SnowflakeCredentials
): Either.Either<Authorization, string> {
  if ("token" in credentials) {
    const token = Redacted.value(credentials.token).trim()
    return Either.right({
      headers: Effect.succeed({
        authorization: `Bearer ${token}`,
        ...(credentials.tokenType === undefined ? {} : typeOf(credentials.tokenType))
      }),
      secrets: Effect.succeed([token])
    })
  }
  return Either.map(readKey(credentials), (key) => byKey(account, credentials.user, key))
}

function typeOf(type: string) {
  return { "x-snowflake-authorization-token-type": type }
}

function byKey(account: string, user: string, key: KeyObject): Authorization {
  let made: { readonly token: string; readonly until: number } | undefined
  const token = Effect.map(Clock.currentTimeMillis, (now) => {
    if (made === undefined || now > made.until - MARGIN) {
      made = { token: makeJwt({ account, user, key, now }), until: now + LIFETIME }
    }
    return made.token
  })
  return {
    headers: Effect.map(token, (it) => ({
      authorization: `Bearer ${it}`,
      ...typeOf("KEYPAIR_JWT")
    })),
    renew: Effect.sync(() => {
      made = undefined
    }),
    secrets: Effect.sync(() => (made === undefined ? [] : [made.token]))
  }
}

function readKey({
  passphrase,
  privateKey
}: Extract<SnowflakeCredentials, { readonly user: string }>): Either.Either<KeyObject, string> {
  const key = Redacted.value(privateKey)
  const isEncrypted = /-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(key)
  if (isEncrypted && passphrase === undefined) {
    return Either.left("the private key is encrypted, and no passphrase is set")
  }
  return Either.flatMap(
    Either.try({
      try: () =>
        createPrivateKey({
          key,
          ...(passphrase === undefined ? {} : { passphrase: Redacted.value(passphrase) })
        }),
      // The message of the original may hold parts of the key.
      catch: () =>
        isEncrypted
          ? "the private key cannot be decrypted: check the passphrase"
          : "the private key is not a PEM file, such as openssl genrsa writes"
    }),
    (it) =>
      it.asymmetricKeyType === "rsa"
        ? Either.right(it)
        : Either.left("the private key is not an RSA key, which Snowflake requires")
  )
}

/** The digest of a public key, as DESC USER shows it: `SHA256:…`. */
export function fingerprintOf(key: KeyObject): string {
  const der = createPublicKey(key).export({ type: "spki", format: "der" })
  return `SHA256:${createHash("sha256").update(der).digest("base64")}`
}

interface JwtOptions {
  readonly account: string
  readonly user: string
  readonly key: KeyObject
  /** In milliseconds since 1970. */
  readonly now: number
}

export function makeJwt({ account, key, now, user }: JwtOptions): string {
  // A region after the account is no part of its name.
  const [name = ""] = account.toUpperCase().split(".")
  const subject = `${name}.${user.toUpperCase()}`
  const at = Math.floor(now / 1000)
  const claims = {
    iss: `${subject}.${fingerprintOf(key)}`,
    sub: subject,
    iat: at,
    exp: at + LIFETIME / 1000
  }
  const signed = [{ alg: "RS256", typ: "JWT" }, claims]
    .map((it) => Buffer.from(JSON.stringify(it)).toString("base64url"))
    .join(".")
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`
}
