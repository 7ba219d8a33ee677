import assert from "node:assert/strict"
import { createPrivateKey, generateKeyPairSync } from "node:crypto"
import { describe, it } from "@effect/vitest"
import { Effect, Either, Redacted, TestClock } from "effect"
import { authorizationOf } from "../../../src/layers/snowflake/credentials.ts"
import * as WarehouseSnowflake from "../../../src/layers/snowflake/WarehouseSnowflake.ts"
import {
  ENCRYPTED_KEY,
  PASSPHRASE,
  PRIVATE_KEY,
  snowflakeAccount,
  USER
} from "../../fixtures/snowflake/account.ts"

const privateKey = Redacted.make(PRIVATE_KEY)
const encrypted = Redacted.make(ENCRYPTED_KEY)
const traditional = Redacted.make(
  createPrivateKey(PRIVATE_KEY)
    .export({ type: "pkcs1", format: "pem", cipher: "aes-256-cbc", passphrase: PASSPHRASE })
    .toString()
)
const TOKEN = "ver:1-hint:2-ETMsDgAAAX"
const token = Redacted.make(TOKEN)

type Options = Partial<WarehouseSnowflake.WarehouseSnowflakeOptions>

const open = (how: Options) =>
  Effect.gen(function* () {
    const { server, warehouse } = yield* snowflakeAccount({ tokens: [TOKEN] }, how)
    yield* Effect.scoped(warehouse.open("load"))
    return server.requests.length
  })

const accepted: Readonly<Record<string, Options>> = {
  "a private key": { credentials: { user: USER, privateKey } },
  "an encrypted private key": {
    credentials: { user: USER, privateKey: encrypted, passphrase: Redacted.make(PASSPHRASE) }
  },
  "an encrypted private key in OpenSSL's own form": {
    credentials: { user: USER, privateKey: traditional, passphrase: Redacted.make(PASSPHRASE) }
  },
  "a user in any case": { credentials: { user: "Loader", privateKey } },
  "an account with its region": { account: "MyOrg-Lake.eu-west-1" },
  "a token": { credentials: { token } },
  "a token of OAuth": { credentials: { token, tokenType: "OAUTH" } },
  "a programmatic access token with a line break": {
    credentials: { token: Redacted.make(`${TOKEN}\n`), tokenType: "PROGRAMMATIC_ACCESS_TOKEN" }
  }
}

const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
const curve = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
const pem = (key: typeof other) =>
  Redacted.make(key.export({ type: "pkcs8", format: "pem" }).toString())

const refused: ReadonlyArray<
  readonly [what: string, Options, reason: string, says: RegExp, isSent: boolean]
> = [
  [
    "a key of somebody else",
    { credentials: { user: USER, privateKey: pem(other) } },
    "AccessDenied",
    /HTTP 401: JWT token is invalid\. \(390144\)/,
    true
  ],
  [
    "an unknown token",
    { credentials: { token: Redacted.make("another-token") } },
    "AccessDenied",
    /HTTP 401/,
    true
  ],
  ["another role", { role: "NOBODY" }, "Failed", /HTTP 400: role is unknown/, true],
  [
    "an encrypted key without a passphrase",
    { credentials: { user: USER, privateKey: encrypted } },
    "Misconfigured",
    /is encrypted, and no passphrase is set$/,
    false
  ],
  [
    "a wrong passphrase",
    {
      credentials: { user: USER, privateKey: encrypted, passphrase: Redacted.make("wrong-words") }
    },
    "Misconfigured",
    /cannot be decrypted: check the passphrase$/,
    false
  ],
  [
    "a text that is no key",
    { credentials: { user: USER, privateKey: Redacted.make("not-a-key") } },
    "Misconfigured",
    /is not a PEM file/,
    false
  ],
  [
    "a key on a curve",
    { credentials: { user: USER, privateKey: pem(curve) } },
    "Misconfigured",
    /is not an RSA key/,
    false
  ],
  [
    "an unencrypted URL",
    { origin: "http://example.com" },
    "Misconfigured",
    /must be https, or plain http on loopback$/,
    false
  ]
]

describe("WarehouseSnowflake's credentials", () => {
  for (const [what, how] of Object.entries(accepted)) {
    it.scopedLive(`take ${what}`, () =>
      Effect.map(open(how), (requests) => assert.ok(requests > 0))
    )
  }

  for (const [what, how, reason, says, isSent] of refused) {
    it.scopedLive(`refuse ${what}, and say so without a secret`, () =>
      Effect.gen(function* () {
        const { server, warehouse } = yield* snowflakeAccount({}, how)
        const error = yield* Effect.flip(Effect.scoped(warehouse.open("load")))
        assert.equal(error.reason, reason)
        assert.match(error.message, says)
        assert.equal(server.requests.length > 0, isSent)
        const text = JSON.stringify(error) + error.message
        assert.doesNotMatch(text, /another-token|wrong-words|not-a-key|BEGIN|eyJ/)
      })
    )
  }

  it.effect("are a JWT of less than an hour, which is renewed before it expires", () =>
    Effect.gen(function* () {
      const { headers } = Either.getOrThrow(
        authorizationOf("myorg-lake", { user: USER, privateKey })
      )
      const claims = Effect.map(headers, ({ authorization = "" }) => {
        const [, part = ""] = authorization.split(".")
        return JSON.parse(Buffer.from(part, "base64url").toString()) as {
          readonly iat: number
          readonly exp: number
        }
      })
      const first = yield* claims
      assert.equal(first.exp - first.iat, 59 * 60)
      yield* TestClock.adjust("53 minutes")
      assert.deepEqual(yield* claims, first)
      yield* TestClock.adjust("2 minutes")
      const second = yield* claims
      assert.equal(second.iat - first.iat, 55 * 60)
    })
  )

  it.scopedLive("appear in no message, even if Snowflake repeats the token", () =>
    Effect.gen(function* () {
      const { server, warehouse } = yield* snowflakeAccount({}, { credentials: { token } })
      server.setPlan(() => ({
        do: "answer",
        status: 403,
        code: "390318",
        message: `OAuth access token ${TOKEN} expired`
      }))
      const error = yield* Effect.flip(Effect.scoped(warehouse.open("read")))
      assert.equal(error.reason, "AccessDenied")
      assert.match(error.detail, /^HTTP 403: OAuth access token \*\*\* expired \(390318\)$/)
    })
  )
})
