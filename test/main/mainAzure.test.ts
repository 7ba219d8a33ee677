import assert from "node:assert/strict"
import { chmod, readFile, writeFile } from "node:fs/promises"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import {
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential
} from "@azure/storage-blob"
import { layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { syntheticHour } from "../../src/layers/synthetic/AmplitudeSynthetic.ts"
import { Hour } from "../../src/services/Hour.ts"
import * as AzureServer from "../fixtures/servers/azureServer.ts"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { run, startSimulator } from "../fixtures/process/program.ts"
import { selfSigned } from "../fixtures/servers/selfSigned.ts"

const { ACCOUNT, ACCOUNT_KEY } = AzureServer
const EVENTS = 20
const HOURS = ["--start-date", "2025-11-10T21", "--end-date", "2025-11-10T23"]

/** One Export API for all tests: its answers are the same whoever asks. */
class Source extends Context.Tag("test/Source")<Source, string>() {}

const source = Layer.scoped(
  Source,
  Effect.gen(function* () {
    const env = { AMP_API_KEY: "amplitude-key", AMP_SECRET_KEY: "amplitude-secret" }
    const folder = yield* temporaryFolder
    return (yield* startSimulator(["--events-per-hour", String(EVENTS)], { folder, env })).origin
  })
)

/** What an identity may do on the container for an hour. */
function sasToken(): string {
  const query = generateBlobSASQueryParameters(
    {
      containerName: "lake",
      permissions: ContainerSASPermissions.parse("rcwl"),
      expiresOn: new Date(Date.now() + 3_600_000)
    },
    new StorageSharedKeyCredential(ACCOUNT, ACCOUNT_KEY)
  )
  return query.toString()
}

/** What an env file says of a server, by who asks. */
const IDENTITIES: Readonly<Record<string, (url: string) => ReadonlyArray<string>>> = {
  "an account's key": (url) => [
    `AZURE_STORAGE_ACCOUNT=${ACCOUNT}`,
    `AZURE_STORAGE_KEY=${ACCOUNT_KEY}`,
    `AZURE_STORAGE_SERVICE_ENDPOINT=${url}`
  ],
  "a SAS token": (url) => [
    `AZURE_STORAGE_ACCOUNT=${ACCOUNT}`,
    `AZURE_STORAGE_SAS_TOKEN='${sasToken()}'`,
    `AZURE_STORAGE_SERVICE_ENDPOINT=${url}`
  ],
  "a connection string": (url) => [
    `AZURE_STORAGE_CONNECTION_STRING="DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${ACCOUNT_KEY};BlobEndpoint=${url};"`
  ],
  "a connection string with a SAS token": (url) => [
    `AZURE_STORAGE_CONNECTION_STRING="BlobEndpoint=${url}/;AccountName=${ACCOUNT};SharedAccessSignature=${sasToken()}"`
  ]
}
const byKey = IDENTITIES["an account's key"] ?? (() => [])

/** A container, and a folder whose env file names it and the Export API. */
const workplace = Effect.fn(function* (
  identity: (url: string) => ReadonlyArray<string>,
  options: AzureServer.AzureServerOptions = {},
  env: Readonly<Record<string, string>> = {}
) {
  const folder = yield* temporaryFolder
  const azure = yield* AzureServer.make(options)
  const lines = [
    "AMP_API_KEY=amplitude-key",
    "AMP_SECRET_KEY=amplitude-secret",
    "AZURE_STORAGE_CONTAINER=lake",
    ...identity(azure.url),
    `AMPLITUDE_URL=${yield* Source}`
  ]
  yield* Effect.promise(async () => {
    await writeFile(join(folder, ".env"), lines.join("\n"))
    await chmod(join(folder, ".env"), 0o600)
  })
  const lake = (args: ReadonlyArray<string>, nodeArguments?: ReadonlyArray<string>) =>
    run([...args, "--store", "azure", "--retry-base-ms", "1"], { folder, env, nodeArguments })
  return { folder, azure, lake }
})

/** The lines that Amplitude has of an hour. */
function linesOf(hour: string): string {
  return [...syntheticHour({ eventsPerHour: EVENTS }, Hour.make(hour))]
    .map(({ lines }) => Buffer.from(lines).toString().replace(/\n?$/, "\n"))
    .join("")
}

const assertLanded = ({ client }: AzureServer.AzureServer) =>
  Effect.promise(async () => {
    for (const clock of ["21", "22", "23"]) {
      const blob = client.getBlobClient(`python-import/2025-11-10_${clock}.jsonl`)
      assert.equal(String(await blob.downloadToBuffer()), linesOf(`2025-11-10T${clock}`))
    }
  })

/** Says on stderr which files of the program are loaded. */
const LOADED = `--import=data:text/javascript,${encodeURIComponent(`
  import { register } from "node:module"
  register("data:text/javascript," + encodeURIComponent(
    'import { writeSync } from "node:fs"; export async function resolve(specifier, context, next) {' +
    'const found = await next(specifier, context); writeSync(2, "\\\\nloaded " + found.url + "\\\\n"); return found }'))
`)}`

/** What only the files of the one or the other package hold. */
const [STORAGE, IDENTITY] = [/azsdk-js-azure-storage-blob/, /AZURE_FEDERATED_TOKEN_FILE/]

const loadedText = (stderr: string) =>
  Effect.promise(async () => {
    const urls = [...stderr.matchAll(/^loaded (file:.*)$/gm)].map(([, url = ""]) => url)
    const texts = await Promise.all(urls.map((url) => readFile(fileURLToPath(url), "utf8")))
    return texts.join("\n")
  })

/** The JSON block of a page that follows a mark. */
const jsonAfter = (page: string, mark: string) =>
  Effect.promise(async () => {
    const text = await readFile(new URL(page, import.meta.url), "utf8")
    const [, json = ""] = /```json\n([\s\S]*?)```/.exec(text.slice(text.indexOf(mark))) ?? []
    return JSON.parse(json) as Readonly<Record<string, ReadonlyArray<string>>>
  })

layer(source)("amplitude-lake with Azure", (it) => {
  for (const [name, identity] of Object.entries(IDENTITIES)) {
    it.scoped.runIf(isLong || name === Object.keys(IDENTITIES)[0])(
      `lands with ${name} from the env file`,
      () =>
        Effect.gen(function* () {
          const { azure, folder, lake } = yield* workplace(identity)
          const ended = yield* lake(["all", ...HOURS])
          assert.equal(ended.code, 0, ended.stderr)
          assert.match(ended.stdout, /azure:\/\/devstoreaccount1\/lake\/python-import\//)
          yield* assertLanded(azure)
          const left = (yield* pathsBelow(folder)).filter((it) => /\.(jsonl|zip|part)$/.test(it))
          assert.deepEqual(left, [])
        })
    )
  }

  it.scoped.runIf(isLong)("lands as a managed identity if only the account is named", () =>
    Effect.gen(function* () {
      const token = "a-token-of-a-managed-identity"
      const asked: Array<string> = []
      const identity = yield* Effect.acquireRelease(
        Effect.async<http.Server>((resume) => {
          const server = http.createServer(({ headers, url = "" }, response) => {
            asked.push(
              `${headers["x-identity-header"]} ${new URL(url, "http://x").searchParams.get("resource")}`
            )
            const expires_on = String(Math.floor(Date.now() / 1000) + 3600)
            response.setHeader("Content-Type", "application/json")
            response.end(JSON.stringify({ access_token: token, expires_on, token_type: "Bearer" }))
          })
          server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const tls = selfSigned(["127.0.0.1"])
      const authority = join(yield* temporaryFolder, "authority.pem")
      yield* Effect.promise(() => writeFile(authority, tls.cert))
      const { azure, lake } = yield* workplace(
        (url) => [`AZURE_STORAGE_ACCOUNT=${ACCOUNT}`, `AZURE_STORAGE_SERVICE_ENDPOINT=${url}`],
        { tls, token },
        {
          NODE_EXTRA_CA_CERTS: authority,
          IDENTITY_ENDPOINT: `http://127.0.0.1:${(identity.address() as AddressInfo).port}/token`,
          IDENTITY_HEADER: "a-header"
        }
      )
      const ended = yield* lake(["all", ...HOURS], [LOADED])
      assert.equal(ended.code, 0, ended.stderr)
      assert.match(yield* loadedText(ended.stderr), IDENTITY)
      assert.deepEqual(asked, ["a-header https://storage.azure.com"])
      yield* assertLanded(azure)
    })
  )

  it.scoped("makes no call beyond the minimum role", () =>
    Effect.gen(function* () {
      const { azure, lake } = yield* workplace(byKey)
      for (const args of [["all", ...HOURS], ["all", ...HOURS], ["status", ...HOURS], ["list"]]) {
        const ended = yield* lake(args)
        assert.equal(ended.code, 0, ended.stderr)
      }
      const role = yield* jsonAfter("../../docs/stores.md", "<!-- role:")
      const asked = azure.requests.map(({ operation }) => AzureServer.dataActionOf(operation))
      assert.deepEqual([...new Set(asked)].sort(), [...(role["DataActions"] ?? [])].sort())
      assert.deepEqual([role["Actions"], role["NotDataActions"]], [[], []])
      const made = azure.requests.filter(({ operation }) => /^Put Blob$|List$/.test(operation))
      assert.ok(made.length > 3)
      assert.ok(made.every(({ headers }) => headers["if-none-match"] === "*"))
    })
  )

  it.scoped.runIf(isLong)(
    "loads the SDK for Azure only, and @azure/identity only where it is needed",
    () =>
      Effect.gen(function* () {
        const { folder, lake } = yield* workplace(byKey)
        const local = yield* run(["list", "--dev"], { folder, nodeArguments: [LOADED] })
        const localText = yield* loadedText(local.stderr)
        assert.match(localText, /amplitude-lake\/ObjectStorage/)
        assert.doesNotMatch(localText, STORAGE)
        assert.doesNotMatch(localText, IDENTITY)
        const azure = yield* loadedText((yield* lake(["list"], [LOADED])).stderr)
        assert.match(azure, STORAGE)
        assert.doesNotMatch(azure, IDENTITY)
      })
  )

  it.scoped("exits 7 before any download if the key is wrong", () =>
    Effect.gen(function* () {
      const other = Buffer.alloc(64, "other").toString("base64")
      const { azure, folder, lake } = yield* workplace((url) =>
        byKey(url).map((line) => line.replace(ACCOUNT_KEY, other))
      )
      const ended = yield* lake(["all", ...HOURS])
      assert.equal(ended.code, 7, ended.stderr)
      assert.match(ended.stderr, /its key, or the SAS token/)
      assert.doesNotMatch(ended.stderr, /Exporting .* from Amplitude/)
      assert.ok((yield* pathsBelow(folder)).every((path) => !path.endsWith(".zip")))
      assert.deepEqual(yield* AzureServer.names(azure), [])
    })
  )

  it.scoped("exits 2 before any download if the container does not exist", () =>
    Effect.gen(function* () {
      const { lake } = yield* workplace(byKey)
      const ended = yield* lake(["all", ...HOURS, "--container", "elsewhere"])
      assert.equal(ended.code, 2, ended.stderr)
      assert.match(ended.stderr, /ContainerNotFound.*create the container/)
      assert.doesNotMatch(ended.stderr, /Exporting .* from Amplitude/)
    })
  )

  it.scoped("exits 2 with everything that contradicts, without a network call", () =>
    Effect.gen(function* () {
      const { azure, lake } = yield* workplace((url) => [
        ...byKey(url),
        `AZURE_STORAGE_SAS_TOKEN='${sasToken()}'`
      ])
      const ended = yield* lake(["all", ...HOURS, "--bucket", "lake"])
      assert.equal(ended.code, 2)
      assert.match(ended.stderr, /--bucket cannot be combined with --store azure/)
      assert.match(ended.stderr, /AZURE_STORAGE_SAS_TOKEN in \.env contradict each other/)
      assert.equal(azure.requests.length, 0)
    })
  )

  it.scoped("loses nothing while the store is unreachable: fetch, sync 5, sync 0", () =>
    Effect.gen(function* () {
      const { azure, folder, lake } = yield* workplace(byKey)
      assert.equal((yield* lake(["fetch", ...HOURS])).code, 0)
      azure.setPlan(() => ({ do: "answer", status: 503, code: "ServerBusy" }))
      assert.equal((yield* lake(["sync", "--retries", "1"])).code, 5)
      const staged = (yield* pathsBelow(join(folder, "data"))).filter((path) =>
        /^[^.].*\.jsonl$/.test(path.replace(`${folder}/data/`, ""))
      )
      assert.equal(staged.length, 3)
      azure.setPlan(() => undefined)
      assert.equal((yield* lake(["sync"])).code, 0)
      yield* assertLanded(azure)
    })
  )
})
