import assert from "node:assert/strict"
import { Either, Redacted } from "effect"
import { describe, it } from "vitest"
import { resolveAzure } from "../../../src/cli/settings/azureEnvironment.ts"

type Variables = Readonly<Record<string, string>>

const KEY = Buffer.alloc(64, "geheim").toString("base64")
const SAS = "?sv=2024-11-04&sp=rcwl&sig=geheim%3D"
const account = { AZURE_STORAGE_ACCOUNT: "lake" }
const connection = (fields: string) => ({ AZURE_STORAGE_CONNECTION_STRING: fields })
const usual = connection(
  `DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=${KEY};EndpointSuffix=core.windows.net`
)

const settled = (environment: Variables, file: Variables = {}) => {
  const found = Either.getOrThrowWith(
    resolveAzure(environment, file, "keys.env"),
    (problems) => new Error(problems.join("\n"))
  )
  const { credentials = {} } = found
  const [[kind, secret] = []] = Object.entries(credentials)
  return { ...found, kind, secret: secret && Redacted.value(secret as Redacted.Redacted) }
}

const problems = (environment: Variables, file: Variables = {}) => {
  const found = Either.getOrElse(Either.flip(resolveAzure(environment, file, "keys.env")), () => [])
  assert.doesNotMatch(found.join("\n"), /geheim|Z2VoZWlt/)
  return found
}

describe("resolveAzure()", () => {
  it("leaves credentials to DefaultAzureCredential if only the account is named", () => {
    const { account: name, credentials, endpoint } = settled(account)
    assert.deepEqual([name, credentials, endpoint], ["lake", undefined, undefined])
  })

  it("takes a key, a SAS token or a connection string, from the environment or the env file", () => {
    for (const [given, kind, secret] of [
      [{ ...account, AZURE_STORAGE_KEY: KEY }, "accountKey", KEY],
      [{ ...account, AZURE_STORAGE_SAS_TOKEN: SAS }, "sasToken", SAS],
      [usual, "accountKey", KEY]
    ] as const) {
      for (const found of [settled(given), settled({}, given)]) {
        assert.deepEqual([found.account, found.kind, found.secret], ["lake", kind, secret])
      }
    }
  })

  it("reads every form of a connection string", () => {
    const sas =
      "BlobEndpoint=https://lake.blob.core.windows.net/;SharedAccessSignature=sp=r&sig=geheim"
    for (const [fields, name, endpoint] of [
      [`AccountName=lake;AccountKey=${KEY}`, "lake", undefined],
      [
        `DefaultEndpointsProtocol=https;AccountName=lake;AccountKey=${KEY};EndpointSuffix=core.chinacloudapi.cn;`,
        "lake",
        "https://lake.blob.core.chinacloudapi.cn"
      ],
      [sas, "lake", "https://lake.blob.core.windows.net/"],
      ["UseDevelopmentStorage=true", "devstoreaccount1", "http://127.0.0.1:10000/devstoreaccount1"]
    ] as const) {
      const found = settled(connection(fields))
      assert.deepEqual([found.account, found.endpoint], [name, endpoint])
    }
  })

  it("takes a SAS token with an endpoint alone, as the portal generates it", () => {
    const sas = "SharedAccessSignature=sp=rcwl&sig=geheim"
    for (const [endpoint, account] of [
      ["https://lake.blob.core.windows.net/", "lake"],
      ["http://127.0.0.1:10000/devstoreaccount1", "devstoreaccount1"],
      ["https://blobs.corp.example/", "blobs.corp.example"]
    ] as const) {
      const found = settled(connection(`BlobEndpoint=${endpoint};${sas}`))
      assert.deepEqual([found.account, found.endpoint], [account, endpoint])
    }
  })

  it("says what is wrong with a connection string, and repeats none of it", () => {
    for (const [fields, why] of [
      ["geheim", /has no AccountName/],
      ["AccountName=lake", /either an AccountKey or a SharedAccessSignature/],
      [`AccountName=lake;AccountKey=${KEY};SharedAccessSignature=sig=geheim`, /either/],
      ["AccountName=lake;AccountKey=geheim!", /AccountKey is not base64/],
      ["AccountName=lake;SharedAccessSignature=geheim", /has no sig=/]
    ] as const) {
      const found = problems(connection(fields))
      assert.equal(found.length, 1, found.join())
      assert.match(found.join(), why)
    }
  })

  it("refuses plain http except on loopback, and does not repeat the URL", () => {
    const key = { ...account, AZURE_STORAGE_KEY: KEY }
    for (const address of [
      "http://lake.test:10000",
      "http://user:geheim@127.0.0.1",
      "http://127.0.0.1.geheim.test",
      "ftp://127.0.0.1",
      "lake.geheim.test",
      "https://lake.test/?sig=geheim"
    ]) {
      const said = /must lead to an https URL, or to plain http on loopback/
      for (const given of [
        { ...key, AZURE_STORAGE_SERVICE_ENDPOINT: address },
        connection(`AccountName=lake;AccountKey=${KEY};BlobEndpoint=${address}`)
      ]) {
        for (const found of [problems(given), problems({}, given)]) {
          assert.equal(found.length, 1, found.join())
          assert.match(found.join(), said)
        }
      }
    }
    const http = `DefaultEndpointsProtocol=http;AccountName=lake;AccountKey=${KEY}`
    assert.equal(problems(connection(http)).length, 1)
    for (const endpoint of [
      "https://lake.test",
      "http://127.0.0.1:10000/lake",
      "http://localhost"
    ]) {
      assert.equal(settled({ ...key, AZURE_STORAGE_SERVICE_ENDPOINT: endpoint }).endpoint, endpoint)
    }
  })

  it("names everything that contradicts, with its place", () => {
    assert.deepEqual(
      problems({ ...account, AZURE_STORAGE_KEY: KEY, AZURE_STORAGE_SAS_TOKEN: SAS }),
      [
        "AZURE_STORAGE_KEY in the environment and AZURE_STORAGE_SAS_TOKEN in the environment contradict each other: keep only one"
      ]
    )
    const found = problems(
      { AZURE_STORAGE_ACCOUNT: "other", AZURE_STORAGE_SERVICE_ENDPOINT: "https://lake.test" },
      { ...usual, AZURE_STORAGE_KEY: KEY }
    )
    assert.deepEqual(
      found.map((it) => /keep.*/.exec(it)?.[0]),
      ["keep only one", "keep only one", "keep only one"]
    )
    assert.match(found.join(), /AZURE_STORAGE_CONNECTION_STRING in keys\.env/)
  })

  it("prefers credentials in the environment to those in the env file", () => {
    const file = { ...account, AZURE_STORAGE_KEY: KEY }
    assert.equal(settled({ AZURE_STORAGE_SAS_TOKEN: SAS }, file).kind, "sasToken")
    const mine = usual.AZURE_STORAGE_CONNECTION_STRING.replace("lake", "mine")
    assert.equal(settled(connection(mine), { ...file, ...account }).account, "mine")
    assert.equal(settled({ AZURE_STORAGE_ACCOUNT: "mine" }, file).account, "mine")
  })

  it("names a missing account, and an invalid name, key or token", () => {
    assert.match(problems({}).join(), /^the storage account is missing: set AZURE_STORAGE_ACCOUNT/)
    assert.match(problems({ AZURE_STORAGE_ACCOUNT: "My-Lake" }).join(), /3 to 24 lowercase letters/)
    assert.match(problems({ ...account, AZURE_STORAGE_KEY: "geheim!" }).join(), /base64/)
    assert.match(problems({ ...account, AZURE_STORAGE_SAS_TOKEN: "geheim" }).join(), /sig=/)
    assert.equal(problems({ AZURE_STORAGE_KEY: "geheim!" }).length, 2)
  })

  it("passes on an identity from the env file whole or not at all, and removes blank variables", () => {
    const file = { ...account, AZURE_CLIENT_ID: "id", AZURE_CLIENT_SECRET: "geheim", OTHER: "x" }
    const identity = { AZURE_CLIENT_ID: "id", AZURE_CLIENT_SECRET: "geheim" }
    assert.deepEqual(settled({}, file).variables, identity)
    assert.deepEqual(settled({ AZURE_TENANT_ID: "mine" }, file).variables, {})
    assert.deepEqual(settled({ AZURE_TENANT_ID: " " }, file).variables, {
      ...identity,
      AZURE_TENANT_ID: undefined
    })
  })
})
