import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { generateKeyPairSync } from "node:crypto"
import { join } from "node:path"
import { inspect } from "node:util"
import { it } from "@effect/vitest"
import { Cause, Effect, Option, Redacted, Stream } from "effect"
import { describe } from "vitest"
import {
  type CommandName,
  commandEntries,
  commands,
  declaredBy
} from "../../src/cli/settings/table.ts"
import * as AmplitudeHttp from "../../src/layers/http/AmplitudeHttp.ts"
import * as ObjectStorageAzure from "../../src/layers/azure/ObjectStorageAzure.ts"
import * as ObjectStorageS3 from "../../src/layers/s3/ObjectStorageS3.ts"
import * as WarehouseSnowflake from "../../src/layers/snowflake/WarehouseSnowflake.ts"
import { Hour } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"
import * as AzureServer from "../fixtures/servers/azureServer.ts"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { isLong } from "../fixtures/long.ts"
import { otlpReceiver } from "../fixtures/servers/otlpReceiver.ts"
import { type ProgramOptions, run, startSimulator } from "../fixtures/process/program.ts"
import * as S3Server from "../fixtures/s3/s3Server.ts"
import { answer, raw, scriptedServer, type Step } from "../fixtures/servers/scriptedServer.ts"
import { selfSigned } from "../fixtures/servers/selfSigned.ts"

const AMPLITUDE = { AMP_API_KEY: "canary/api+K%C3?1", AMP_SECRET_KEY: "canary=secret&$#2" }
const S3 = { id: "AKIACANARY333", secret: "canary/s3+secret=4", token: "canary/session+token=5" }
const PROXY = { user: "canary-user-6", password: "canary:p@ss/word+7" }
const HOOK = "canary/T0/B0/webhook+token=8"
const HEART = "canary-heartbeat/0b5d-9"
const COLLECTOR = "canary/collector+token=9"
const AWS = {
  AWS_ACCESS_KEY_ID: S3.id,
  AWS_SECRET_ACCESS_KEY: S3.secret,
  AWS_SESSION_TOKEN: S3.token,
  AWS_REGION: "eu-west-2",
  AWS_EC2_METADATA_DISABLED: "true"
}
const AZURE = {
  key: Buffer.from("canary of an account's key, number 8: 64 bytes in base64, as ever").toString(
    "base64"
  ),
  signature: "canary/sas+signature=9",
  password: "canary~password-10"
}
const SNOWFLAKE = {
  token: "canary/oauth+token=11",
  passphrase: "canary passphrase+12",
  key: generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
}
const KEY_FILE = SNOWFLAKE.key
  .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: SNOWFLAKE.passphrase })
  .toString()
/** A private key shows by any of its lines, encrypted or not. */
const KEY_LINES = [KEY_FILE, SNOWFLAKE.key.export({ type: "pkcs8", format: "pem" }).toString()]
  .flatMap((pem) => pem.split("\n"))
  .filter((line) => line.length > 60)
const SAS = `sv=2024-11-04&sp=rcwl&se=2099-01-01T00%3A00%3A00Z&sr=c&sig=${encodeURIComponent(AZURE.signature)}`
const basic = `${AMPLITUDE.AMP_API_KEY}:${AMPLITUDE.AMP_SECRET_KEY}`

/** Every form in which a secret may show: as it is, escaped for a URL or JSON, and as base64 in whole. */
function formsOf(secret: string): ReadonlyArray<string> {
  const bytes = Buffer.from(secret)
  const base64 = bytes.toString("base64").replace(/=+$/, "")
  return [
    secret,
    bytes.toString("latin1"),
    encodeURIComponent(secret),
    encodeURIComponent(secret).toLowerCase(),
    encodeURI(secret),
    JSON.stringify(secret).slice(1, -1),
    base64,
    encodeURIComponent(base64),
    bytes.toString("base64url"),
    bytes.toString("hex")
  ]
}

const CANARIES = [
  ...Object.values(AMPLITUDE),
  basic,
  S3.secret,
  S3.token,
  `${S3.id}:${S3.secret}`,
  HOOK,
  HEART,
  ...Object.values(AZURE),
  COLLECTOR,
  SNOWFLAKE.token,
  SNOWFLAKE.passphrase,
  PROXY.password,
  `${PROXY.user}:${PROXY.password}`
]
  .flatMap(formsOf)
  .concat(KEY_LINES)
/** Any JWT: each is signed for the moment. */
const JWT = /eyJ[\w-]{8,}\.eyJ[\w-]+/

function assertNoCanary(text: string, where: string): void {
  assert.doesNotMatch(text, JWT, where)
  for (const canary of CANARIES) {
    assert.ok(!text.includes(canary), `${canary} is in ${where}: ${text}`)
  }
}

const assertNoCanaryBelow = (folder: string) =>
  Effect.flatMap(
    pathsBelow(folder),
    Effect.forEach((path) =>
      Effect.promise(async () => {
        assertNoCanary(path, "a file's name")
        const isFile = (await fs.stat(join(folder, path))).isFile()
        // The env file is where they belong.
        if (!isFile || path === ".env") return
        assertNoCanary(await fs.readFile(join(folder, path), "latin1"), path)
        assertNoCanary(await fs.readFile(join(folder, path), "utf8"), path)
      })
    )
  )

/** An error's every face. */
function assertSilent(error: unknown): void {
  const faces = [
    inspect(error, { depth: 10 }),
    inspect(error, { depth: 10, showHidden: true }),
    JSON.stringify(error),
    JSON.stringify(error, Object.getOwnPropertyNames(error)),
    String(error),
    Cause.pretty(Cause.fail(error), { renderErrorCause: true })
  ]
  for (const face of faces) assertNoCanary(face, "an error")
}

const LEVELS = ["debug", "info", "warning", "error", "none"] as const
const FORMATS = ["pretty", "logfmt", "json"] as const
const LOGS = LEVELS.flatMap((level) =>
  FORMATS.map((format) => ["--log-level", level, "--log-format", format] as const)
)
const EVERY_LEVEL = LEVELS.map((_, index) => LOGS[index * FORMATS.length + (index % 3)] ?? [])
/** The levels at which no warning is shown. */
const ABOVE_WARNINGS = ["error", "none"]
/** A file of the log a run, which `fails` looks through with everything else below the folder. */
const LOG_DIR = ["--log-dir", "logs"]
let turn = 0

/** All ways to log, or the next one of those that say the most. */
function logs(): ReadonlyArray<ReadonlyArray<string>> {
  if (isLong) return LOGS
  turn += 1
  return [LOGS[turn % FORMATS.length] ?? []]
}

/** A command that fails with an exit code, whatever it logs, and shows no canary anywhere. */
const fails = Effect.fnUntraced(function* (
  code: number,
  args: ReadonlyArray<string>,
  options: ProgramOptions,
  said: RegExp = /./,
  ways = logs(),
  silent: ReadonlyArray<string> = ["none"]
) {
  for (const log of ways) {
    const ended = yield* run([...args, ...log, ...LOG_DIR], options)
    const printed = `${ended.stdout}\n${ended.stderr}`
    assertNoCanary(printed, `what ${args[0]} ${log.join(" ")} prints`)
    assert.equal(ended.code, code, printed)
    if (!log.some((it: string) => silent.includes(it))) assert.match(printed, said)
  }
  yield* assertNoCanaryBelow(options.folder)
})

/** As `fails`, in a folder with the key's file, which is where the key belongs. */
const failsWithKey = Effect.fnUntraced(function* (
  code: number,
  args: ReadonlyArray<string>,
  options: ProgramOptions
) {
  for (const log of logs()) {
    const ended = yield* run([...args, ...log, ...LOG_DIR], options)
    assertNoCanary(`${ended.stdout}\n${ended.stderr}`, `what ${args[0]} prints`)
    assert.equal(ended.code, code, ended.stderr)
  }
  yield* Effect.promise(() => fs.rm(join(options.folder, "key.p8"), { force: true }))
  yield* assertNoCanaryBelow(options.folder)
})

const HOURS = ["--start-date", "2025-11-10T20", "--end-date", "2025-11-10T21"]
const ONCE = ["--retries", "0", "--retry-base-ms", "1"]
const all = (origin: string) => ["all", "--dev", "--amplitude-url", origin, ...HOURS, ...ONCE]

const told = (origin: string) => [...all(origin), "--metrics-file", "lake.prom"]

const here = (
  env: Readonly<Record<string, string>> = AMPLITUDE,
  nodeArguments?: ReadonlyArray<string>
) => Effect.map(temporaryFolder, (folder): ProgramOptions => ({ folder, env, nodeArguments }))

/** Answers with what it was sent, in every form. */
function echo(status: number, type: "json" | "html"): Step {
  return (socket, request) => {
    const { authorization = "" } = request.headers
    const token = authorization.replace(/^Basic /, "")
    const user = Buffer.from(token, "base64").toString()
    const said = [
      authorization,
      token.replace(/=+$/, ""),
      encodeURIComponent(token),
      user,
      encodeURIComponent(user)
    ].join(" | ")
    const body =
      type === "json"
        ? JSON.stringify({ error: { http_code: status, message: said } })
        : `<html><title>${said}</title></html>`
    return answer(status, {
      headers: { "Content-Type": type === "json" ? "application/json" : "text/html" },
      body
    })(socket, request)
  }
}

/** Answers as Snowflake does, with the token in the message, and ends the connection: the body is not read. */
function echoToken(status: number): Step {
  return (socket, { headers: { authorization = "" } }) => {
    const message = `token ${authorization} (${authorization.replace("Bearer ", "")}) is invalid`
    const body = JSON.stringify({ code: "390303", message })
    return answer(status, {
      headers: { "Content-Type": "application/json" },
      body,
      ending: "end"
    })(socket, { authorization } as never)
  }
}

/** Leads back to itself, and says where that is. */
const moved: Step = (socket, request) =>
  answer(307, { headers: { Location: request.target }, body: request.target })(socket, request)

/** Lets node throw a defect that holds the keys. */
const BROKEN = [
  `--import=data:text/javascript,${encodeURIComponent(`
    import crypto from "node:crypto"
    import { syncBuiltinESMExports } from "node:module"
    crypto.createHmac = (_, key) => {
      const headers = { authorization: "Basic " + btoa(unescape(encodeURIComponent(process.env.AMP_API_KEY + ":" + key))) }
      throw Object.assign(new TypeError("a defect"), { key, request: { headers }, cause: new Error(key) })
    }
    syncBuiltinESMExports()`)}`
]

const times = (step: Step) => Array.from({ length: 200 }, () => step)
const proxyUrl = (port: number) =>
  `http://${PROXY.user}:${encodeURIComponent(PROXY.password)}@127.0.0.1:${port}`

/** Refuses, and says back what it was sent. */
const refusingProxy: Step = (socket, request) =>
  raw(`HTTP/1.1 407 ${request.headers["proxy-authorization"]}\r\nContent-Length: 0\r\n\r\n`, "end")(
    socket,
    request
  )

/** What a source answers, and what the program then exits with. */
const SOURCES: ReadonlyArray<readonly [name: string, code: number, step: Step]> = [
  ["401 that echoes the header", 7, echo(401, "json")],
  ["403 that echoes the header", 7, echo(403, "html")],
  ["400 that echoes the header", 3, echo(400, "json")],
  ["500 that echoes the header", 5, echo(500, "html")],
  ["200 that echoes the header", 8, echo(200, "html")],
  [
    "redirect to itself with the keys in it",
    3,
    (socket, request) =>
      answer(302, {
        headers: {
          Location: `http://${encodeURIComponent(basic)}@127.0.0.2/?${request.headers["authorization"]}`
        }
      })(socket, request)
  ]
]

/** What an S3 answers to whatever is asked. */
const STORES: ReadonlyArray<readonly [name: string, code: number, fault: S3Server.S3Fault]> = [
  [
    "SignatureDoesNotMatch",
    7,
    {
      do: "answer",
      status: 403,
      code: "SignatureDoesNotMatch",
      message: "The request signature we calculated does not match the signature you provided."
    }
  ],
  ["AccessDenied", 7, { do: "answer", status: 403, code: "AccessDenied" }],
  ["ExpiredToken", 7, { do: "answer", status: 400, code: "ExpiredToken" }],
  ["500", 5, { do: "answer", status: 500, code: "InternalError" }],
  ["reset", 5, { do: "reset", after: 0 }]
]

/** What Azure answers to whatever is asked. */
const AZURES: ReadonlyArray<readonly [name: string, code: number, fault: AzureServer.AzureFault]> =
  [
    [
      "AuthenticationFailed",
      7,
      {
        do: "answer",
        status: 403,
        code: "AuthenticationFailed",
        message: "Server failed to authenticate the request."
      }
    ],
    [
      "PermissionMismatch",
      7,
      { do: "answer", status: 403, code: "AuthorizationPermissionMismatch" }
    ],
    ["500", 5, { do: "answer", status: 500, code: "InternalError" }],
    ["reset", 5, { do: "reset", after: 0 }]
  ]

/** Everyone who Azure may be asked as, by the environment. */
const azureIdentities = (url: string): ReadonlyArray<Readonly<Record<string, string>>> => [
  {
    AZURE_STORAGE_ACCOUNT: AzureServer.ACCOUNT,
    AZURE_STORAGE_KEY: AZURE.key,
    AZURE_STORAGE_SERVICE_ENDPOINT: url
  },
  {
    AZURE_STORAGE_ACCOUNT: AzureServer.ACCOUNT,
    AZURE_STORAGE_SAS_TOKEN: SAS,
    AZURE_STORAGE_SERVICE_ENDPOINT: url
  },
  {
    AZURE_STORAGE_CONNECTION_STRING: `AccountName=${AzureServer.ACCOUNT};AccountKey=${AZURE.key};BlobEndpoint=${url}`
  }
]

/** Everyone who Snowflake may be asked as, by the environment. */
const SNOWFLAKES: ReadonlyArray<Readonly<Record<string, string>>> = [
  { SNOWFLAKE_TOKEN: SNOWFLAKE.token },
  {
    SNOWFLAKE_USER: "loader",
    SNOWFLAKE_PRIVATE_KEY_PATH: "key.p8",
    SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: SNOWFLAKE.passphrase
  }
]

/** A folder with the key's file, and the environment of one of them. */
const snowflakeHere = (identity: Readonly<Record<string, string>>, host: string) =>
  Effect.tap(
    here({
      ...identity,
      SNOWFLAKE_ACCOUNT: "myorg-lake",
      SNOWFLAKE_WAREHOUSE: "LOADING",
      SNOWFLAKE_DATABASE: "LAKE",
      SNOWFLAKE_SCHEMA: "AMPLITUDE",
      SNOWFLAKE_HOST: host,
      ...AWS,
      AWS_BUCKET_NAME: "lake"
    }),
    ({ env = {}, folder }) =>
      "SNOWFLAKE_USER" in env
        ? Effect.promise(() => fs.writeFile(join(folder, "key.p8"), KEY_FILE, { mode: 0o600 }))
        : Effect.void
  )

/** What Snowflake, or a proxy before it, answers to whatever is asked, and what the program then exits with. */
const SNOWFLAKE_ANSWERS: ReadonlyArray<readonly [name: string, code: number, step: Step]> = [
  ["401 that echoes the token", 7, echoToken(401)],
  ["403 that echoes the token", 7, echoToken(403)],
  ["422 that echoes the token", 2, echoToken(422)],
  ["503 that echoes the token", 5, echoToken(503)],
  ["200 that is no result", 5, echo(200, "html")]
]

const inAzure = ["--store", "azure", "--container", "lake"]

/** Every call's error has no canary in it. */
const assertAzureSilent = (endpoint: string) =>
  Effect.gen(function* () {
    for (const credentials of [
      { accountKey: Redacted.make(AZURE.key) },
      { sasToken: Redacted.make(SAS) }
    ]) {
      const store = yield* ObjectStorageAzure.make({
        account: AzureServer.ACCOUNT,
        container: "lake",
        endpoint,
        credentials
      })
      const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
        store.check,
        Stream.runDrain(store.list),
        store.put({ ...object, sha256 }),
        store.head(object.key),
        Stream.runDrain(store.get(object.key))
      ]
      for (const call of calls) assertSilent(yield* Effect.flip(call))
    }
  })

const s3Options = (endpoint: string): Parameters<typeof ObjectStorageS3.make>[0] => ({
  bucket: "lake",
  prefix: "python-import/",
  region: "eu-west-2",
  endpoint,
  credentials: {
    accessKeyId: S3.id,
    secretAccessKey: Redacted.make(S3.secret),
    sessionToken: Redacted.make(S3.token)
  }
})

const object = { key: "2025-11-10_20.jsonl", size: 0, metadata: {}, body: Stream.empty }
const sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/** Every call's error has no canary in it. */
const assertStoreSilent = (endpoint: string) =>
  Effect.gen(function* () {
    const store = yield* ObjectStorageS3.make(s3Options(endpoint))
    const calls: ReadonlyArray<Effect.Effect<unknown, unknown>> = [
      store.check,
      Stream.runDrain(store.list),
      store.put({ ...object, sha256 }),
      store.head(object.key),
      Stream.runDrain(store.get(object.key))
    ]
    for (const call of calls) assertSilent(yield* Effect.flip(call))
  })

const IN_S3 = ["--bucket", "lake"]

/** Every command, as it is told to reach a store and a source that refuse it, and its exit code. */
const COMMANDS: {
  readonly [C in CommandName]: readonly [code: number, ...args: ReadonlyArray<string>]
} = {
  fetch: [7, ...IN_S3, ...HOURS, ...ONCE],
  sync: [7, ...IN_S3, ...ONCE],
  all: [7, ...IN_S3, ...HOURS, ...ONCE],
  backfill: [7, ...IN_S3, ...HOURS, ...ONCE],
  // It has no database.
  worker: [2, ...IN_S3, ...ONCE],
  load: [7, ...IN_S3, ...ONCE],
  model: [2, ...ONCE],
  report: [7, "--build", ...IN_S3, ...ONCE],
  sql: [2, "select 1", "--retries", "0"],
  status: [7, ...IN_S3, ...ONCE],
  gaps: [7, ...IN_S3, ...ONCE],
  "gaps accept": [7, ...HOURS, "--reason", "lost", ...ONCE],
  "gaps withdraw": [7, "2025-11-10T20--2025-11-10T21--1", ...ONCE],
  resolve: [7, "2025-11-10T20", "--keep", "store", ...ONCE],
  list: [7, ...IN_S3, ...ONCE],
  check: [7, ...IN_S3],
  verify: [7, ...IN_S3, ...ONCE],
  copy: [7, ...IN_S3, "--to-prefix", "copy/", ...ONCE],
  export: [2, "--to", "parquet", "--retries", "0"],
  reland: [7, ...IN_S3, ...HOURS, ...ONCE],
  redact: [7, ...IN_S3, "--user-id", "ada", ...ONCE],
  snapshot: [7, ...IN_S3, ...ONCE],
  clean: [7, ...IN_S3, ...ONCE],
  "setup bucket": [7, ...IN_S3, ...ONCE],
  "setup iam": [0, ...IN_S3],
  // Of Snowflake nothing is set.
  "setup snowflake": [2, ...IN_S3, ...ONCE],
  simulate: [0, "--dump", "dump", ...HOURS],
  config: [0, ...IN_S3]
}
/** Other ways of a command, with flags of their own. */
const MORE: ReadonlyArray<readonly [CommandName, number, ...ReadonlyArray<string>]> = [
  ["all", 7, ...IN_S3, ...HOURS, ...ONCE, "--recheck"],
  ["verify", 7, ...IN_S3, ...ONCE, "--sample", "3", "--json"]
]

const exportOnce = (origin: string) =>
  Effect.gen(function* () {
    const amplitude = yield* AmplitudeHttp.make({
      origin,
      apiKey: Redacted.make(AMPLITUDE.AMP_API_KEY),
      secretKey: Redacted.make(AMPLITUDE.AMP_SECRET_KEY)
    })
    assertNoCanary(amplitude.identity, "the identity")
    const hour = Hour.make("2025-11-10T20")
    const { archive } = yield* amplitude.export(new Window({ first: hour, last: hour }))
    return yield* Stream.runDrain(Option.getOrThrow(archive).bytes)
  })

describe("K1 no canary of a key", { timeout: isLong ? 600_000 : 60_000 }, () => {
  for (const [name, code, step] of SOURCES) {
    it.scopedLive.runIf(isLong || name.startsWith("401") || code === 8)(
      `is shown or kept after a ${name}`,
      () =>
        Effect.gen(function* () {
          const server = yield* scriptedServer(times(step))
          yield* fails(code, all(server.origin), yield* here())
          assert.ok(server.requests.length > 0)
          if (code !== 8) assertSilent(yield* Effect.flip(exportOnce(server.origin)))
        })
    )
  }

  it.scopedLive.runIf(isLong)(
    "is shown or kept by any command that is refused by source and store",
    () =>
      Effect.gen(function* () {
        assert.deepEqual(Object.keys(COMMANDS), Object.keys(commands))
        const [[, , denied] = []] = STORES
        const s3 = yield* S3Server.make({ buckets: { lake: "eu-west-2" }, plan: () => denied })
        const source = yield* scriptedServer(times(echo(401, "json")))
        const hook = yield* scriptedServer(times(echo(403, "json")))
        const env = {
          ...AMPLITUDE,
          ...AWS,
          AWS_BUCKET_NAME: "lake",
          AWS_ENDPOINT_URL_S3: s3.url,
          NOTIFY_WEBHOOK_URL: `${hook.origin}/${HOOK}`
        }
        const ways = [
          ...commandEntries.map(([command]) => [command, ...COMMANDS[command]] as const),
          ...MORE
        ]
        yield* Effect.forEach(
          ways,
          ([command, code, ...args]) =>
            Effect.gen(function* () {
              const asks = declaredBy(command).includes("amplitudeUrl")
              const from = asks ? ["--amplitude-url", source.origin] : []
              const told = [...command.split(" "), ...args, ...from]
              yield* fails(code, told, yield* here(env))
            }),
          { concurrency: 2, discard: true }
        )
        assert.ok(s3.requests.length >= ways.length - 3)
      })
  )

  it.scopedLive("is shown at any level or in any format of the log", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(times(echo(401, "json")))
      const options = yield* here()
      const ways = isLong ? LOGS : EVERY_LEVEL
      yield* fails(7, all(server.origin), options, /401|error/i, ways)
      const logs = yield* pathsBelow(join(options.folder, "logs"))
      assert.equal(logs.length, ways.length)
    })
  )

  it.scopedLive("is shown or kept of a webhook, whatever becomes of the post", () =>
    Effect.gen(function* () {
      const hook = yield* scriptedServer([moved, echo(403, "json")])
      const source = yield* scriptedServer(times(echo(401, "json")))
      for (const origin of [hook.origin, hook.origin, "http://127.0.0.1:9"]) {
        const env = { ...AMPLITUDE, NOTIFY_WEBHOOK_URL: `${origin}/${HOOK}` }
        const warning = /Cannot post to the webhook at 127/
        yield* fails(7, all(source.origin), yield* here(env), warning, logs(), ABOVE_WARNINGS)
      }
      assert.ok(hook.requests.every(({ target }) => target === `/${HOOK}`))
      assert.ok(hook.requests.length >= 2)
      const plain = { ...AMPLITUDE, NOTIFY_WEBHOOK_URL: `http://hooks.test/${HOOK}` }
      yield* fails(2, all(source.origin), yield* here(plain), /NOTIFY_WEBHOOK_URL in .*https/)
    })
  )

  it.scopedLive("is shown or kept of a heartbeat, whatever becomes of it", () =>
    Effect.gen(function* () {
      const monitor = yield* scriptedServer([moved, echo(403, "json")])
      const source = yield* scriptedServer(times(echo(401, "json")))
      for (const origin of [monitor.origin, monitor.origin, "http://127.0.0.1:9"]) {
        const env = { ...AMPLITUDE, HEARTBEAT_URL: `${origin}/${HEART}` }
        const warning = /Cannot send the heartbeat to 127/
        yield* fails(7, all(source.origin), yield* here(env), warning, logs(), ABOVE_WARNINGS)
      }
      assert.ok(monitor.requests.every(({ target }) => target === `/${HEART}/fail`))
      assert.ok(monitor.requests.length >= 2)
      const plain = { ...AMPLITUDE, HEARTBEAT_URL: `http://monitor.test/${HEART}` }
      yield* fails(2, all(source.origin), yield* here(plain), /HEARTBEAT_URL in .*https/)
    })
  )

  it.scopedLive.runIf(isLong)(
    "is sent to a collector or left in a metrics file, nor the collector's own shown",
    () =>
      Effect.gen(function* () {
        const collector = yield* otlpReceiver()
        const source = yield* scriptedServer(times(echo(401, "json")))
        const garbled = yield* scriptedServer(times(echo(200, "html")))
        const proxy = yield* scriptedServer(times(refusingProxy))
        const options = (endpoint: string, nodeArguments?: ReadonlyArray<string>) =>
          here(
            {
              ...AMPLITUDE,
              HTTPS_PROXY: proxyUrl(proxy.port),
              OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
              OTEL_EXPORTER_OTLP_HEADERS: `x-token=${encodeURIComponent(COLLECTOR)}`
            },
            nodeArguments
          )
        const defective = yield* options(collector.origin, BROKEN)
        yield* fails(7, told(source.origin), yield* options(collector.origin))
        yield* fails(8, told(garbled.origin), yield* options(collector.origin))
        yield* fails(3, told("https://amplitude.test"), yield* options(collector.origin))
        yield* fails(1, told(source.origin), defective, /a defect/)
        assert.ok((yield* pathsBelow(defective.folder)).includes("lake.prom"))
        assert.ok(collector.spans().length >= 4)
        for (const { body, headers } of collector.posts) {
          assert.equal(headers["x-token"], COLLECTOR)
          assertNoCanary(body.toString("latin1"), "what the collector is told")
          assertNoCanary(body.toString(), "what the collector is told")
        }

        const refusing = yield* scriptedServer(times(echo(403, "json")))
        const unheard = ["http://127.0.0.1:9", "https://otel.test"]
        for (const endpoint of [refusing.origin, ...(isLong ? unheard : [])]) {
          yield* fails(
            7,
            told(source.origin),
            yield* options(endpoint),
            /Cannot send telemetry to /,
            logs(),
            ABOVE_WARNINGS
          )
        }
        const plain = yield* options("http://otel.test")
        const warning = /No telemetry is sent: .*must be https/
        yield* fails(7, told(source.origin), plain, warning, logs(), ABOVE_WARNINGS)
      })
  )

  it.scopedLive("is shown or kept if the certificate is not trusted", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(times(echo(200, "html")), selfSigned(["127.0.0.1"]))
      yield* fails(3, all(server.origin), yield* here(), /certificate/)
      assertSilent(yield* Effect.flip(exportOnce(server.origin)))
      assert.equal(server.requests.length, 0)
    })
  )

  it.scopedLive("is shown or kept after a proxy refused with 407, or is no URL", () =>
    Effect.gen(function* () {
      const proxy = yield* scriptedServer(times(refusingProxy))
      const env = { ...AMPLITUDE, HTTPS_PROXY: proxyUrl(proxy.port) }
      yield* fails(3, all("https://amplitude.test"), yield* here(env), /407/)
      assert.ok(proxy.requests.length > 0)
      const broken = {
        ...AMPLITUDE,
        HTTPS_PROXY: `http://${PROXY.user}:${encodeURIComponent(PROXY.password)}@[`
      }
      yield* fails(2, all("https://amplitude.test"), yield* here(broken))

      const list = ["list", "--bucket", "lake", ...ONCE]
      const toS3 = { ...AWS, AWS_ENDPOINT_URL_S3: "https://s3.lake.test" }
      yield* fails(2, list, yield* here({ ...toS3, HTTPS_PROXY: env.HTTPS_PROXY }))
      yield* fails(2, list, yield* here({ ...toS3, HTTPS_PROXY: broken.HTTPS_PROXY }))
    })
  )

  for (const [name, code, fault] of STORES) {
    it.scopedLive.runIf(isLong || name === "SignatureDoesNotMatch")(
      `is shown or kept after S3 answered ${name}`,
      () =>
        Effect.gen(function* () {
          const server = yield* S3Server.make({ buckets: { lake: "eu-west-2" }, plan: () => fault })
          const options = yield* here({ ...AWS, AWS_ENDPOINT_URL_S3: server.url })
          yield* fails(code, ["list", "--bucket", "lake", ...ONCE], options)
          yield* assertStoreSilent(server.url)
        })
    )
  }

  it.scopedLive(
    "is shown or kept where S3 knows other keys, or its certificate is not trusted",
    () =>
      Effect.gen(function* () {
        const buckets = { lake: "eu-west-2" }
        const other = { ...AWS, AWS_ENDPOINT_URL_S3: (yield* S3Server.make({ buckets })).url }
        const users = { [S3.id]: { secret: "another" } }
        const wrong = yield* S3Server.make({ buckets, users })
        const secure = yield* S3Server.make({ buckets, tls: selfSigned(["127.0.0.1"]) })
        const run = ["all", "--source", "synthetic", "--bucket", "lake", ...HOURS, ...ONCE]
        yield* fails(7, run, yield* here(other))
        yield* fails(7, run, yield* here({ ...AWS, AWS_ENDPOINT_URL_S3: wrong.url }))
        yield* fails(2, run, yield* here({ ...AWS, AWS_ENDPOINT_URL_S3: secure.url }))
        for (const { url } of [wrong, secure]) yield* assertStoreSilent(url)
      })
  )

  for (const [name, code, fault] of AZURES) {
    it.scopedLive.runIf(AzureServer.isInstalled && (isLong || name === "AuthenticationFailed"))(
      `is shown or kept after Azure answered ${name}`,
      () =>
        Effect.gen(function* () {
          const server = yield* AzureServer.make({ plan: () => fault })
          for (const identity of azureIdentities(server.url)) {
            const list = ["list", ...inAzure, ...ONCE]
            yield* fails(code, list, yield* here({ ...identity, AZURE_LOG_LEVEL: "verbose" }))
          }
          yield* assertAzureSilent(server.url)
        })
    )
  }

  it.scopedLive.skipIf(!AzureServer.isInstalled)(
    "is shown or kept where Azure knows another key, or its certificate is not trusted",
    () =>
      Effect.gen(function* () {
        const server = yield* AzureServer.make()
        for (const identity of azureIdentities(server.url)) {
          const run = ["all", "--source", "synthetic", ...inAzure, ...HOURS, ...ONCE]
          yield* fails(7, run, yield* here(identity))
        }
        yield* assertAzureSilent(server.url)
        const asked = inspect(server.requests, { depth: 10, maxStringLength: null })
        assert.ok(!asked.includes(AZURE.key), "the key is sent to nobody")
        const secure = yield* AzureServer.make({ tls: selfSigned(["127.0.0.1"]) })
        for (const identity of azureIdentities(secure.url)) {
          yield* fails(2, ["list", ...inAzure, ...ONCE], yield* here(identity), /certificate/)
        }
      })
  )

  it.scopedLive("is repeated of settings for Azure that are wrong", () =>
    Effect.gen(function* () {
      const { key } = AZURE
      for (const identity of [
        { AZURE_STORAGE_ACCOUNT: key, AZURE_STORAGE_KEY: `${key}!` },
        { AZURE_STORAGE_ACCOUNT: "lake", AZURE_STORAGE_KEY: key, AZURE_STORAGE_SAS_TOKEN: SAS },
        { AZURE_STORAGE_ACCOUNT: "lake", AZURE_STORAGE_SAS_TOKEN: AZURE.signature },
        { AZURE_STORAGE_CONNECTION_STRING: key },
        {
          AZURE_STORAGE_CONNECTION_STRING: `AccountName=lake;AccountKey=${key};SharedAccessSignature=${SAS}`
        },
        {
          AZURE_STORAGE_CONNECTION_STRING: `AccountName=lake;AccountKey=${key};BlobEndpoint=http://x:${AZURE.password}@a.test`
        }
      ]) {
        yield* fails(2, ["list", ...inAzure], yield* here(identity))
        const options = yield* here({})
        const lines = Object.entries(identity).map(([name, value]) => `${name}='${value}'`)
        yield* writeEnv(options.folder, lines.join("\n"))
        yield* fails(2, ["list", ...inAzure], options)
      }
    })
  )

  for (const [name, code, step] of SNOWFLAKE_ANSWERS) {
    it.scopedLive.runIf(isLong || name.startsWith("403"))(
      `is shown or kept after Snowflake answered ${name}`,
      () =>
        Effect.gen(function* () {
          for (const identity of SNOWFLAKES) {
            const server = yield* scriptedServer(times(step))
            const options = yield* snowflakeHere(identity, server.origin)
            yield* failsWithKey(code, ["load", "--warehouse", "snowflake", ...ONCE], options)
            assert.ok(server.requests.length > 0)
            assert.ok(server.requests[0]?.headers["authorization"]?.startsWith("Bearer "))
          }
          for (const credentials of [
            { token: Redacted.make(SNOWFLAKE.token) },
            {
              user: "loader",
              privateKey: Redacted.make(KEY_FILE),
              passphrase: Redacted.make(SNOWFLAKE.passphrase)
            }
          ]) {
            const server = yield* scriptedServer(times(step))
            const warehouse = yield* WarehouseSnowflake.make({
              account: "myorg-lake",
              credentials,
              origin: server.origin,
              warehouse: "LOADING",
              database: "LAKE",
              schema: "AMPLITUDE"
            })
            assertSilent(warehouse)
            assertSilent(yield* Effect.flip(Effect.scoped(warehouse.open("load"))))
          }
        })
    )
  }

  it.scopedLive("is repeated of settings for Snowflake that are wrong", () =>
    Effect.gen(function* () {
      const [token = {}, key = {}] = SNOWFLAKES
      for (const identity of [
        { ...token, ...key },
        { ...key, SNOWFLAKE_PRIVATE_KEY_PASSPHRASE: `${SNOWFLAKE.passphrase}!` },
        { ...key, SNOWFLAKE_USER: "" },
        { ...token, SNOWFLAKE_ACCOUNT: SNOWFLAKE.token },
        { ...token, SNOWFLAKE_HOST: `https://x:${SNOWFLAKE.token}@a.test` }
      ]) {
        const options = yield* snowflakeHere(identity, "http://127.0.0.1:9")
        const env = { ...options.env, ...identity }
        yield* failsWithKey(2, ["load", "--warehouse", "snowflake", ...ONCE], { ...options, env })
      }
    })
  )

  it.scopedLive.runIf(isLong)("is in the spool, in staging or in an object's metadata", () =>
    Effect.gen(function* () {
      const options = yield* here()
      const simulator = yield* startSimulator(["--events-per-hour", "20"], yield* here())
      const s3 = yield* S3Server.make({
        buckets: { lake: "eu-west-2" },
        users: { [S3.id]: { secret: S3.secret } },
        plan: ({ key, operation }) =>
          operation === "PutObject" && key.endsWith(".jsonl")
            ? { do: "answer", status: 503, code: "SlowDown" }
            : undefined
      })
      const env = { ...AMPLITUDE, ...AWS, AWS_ENDPOINT_URL_S3: s3.url }
      const lake = { ...options, env }
      const from = ["--bucket", "lake", "--amplitude-url", simulator.origin, ...HOURS, ...ONCE]
      yield* fails(5, ["all", ...from], lake)
      const spooled = yield* pathsBelow(join(options.folder, ".amplitude-lake"))
      assert.ok(
        spooled.some((path) => path.endsWith(".zip")),
        spooled.join()
      )
      assert.equal((yield* run(["fetch", ...from], lake)).code, 0)
      yield* fails(5, ["sync", "--bucket", "lake", ...ONCE], lake)
      assert.ok((yield* pathsBelow(join(options.folder, "data"))).length > 0)

      s3.setPlan(() => undefined)
      const landed = yield* run(["all", ...from, "--json"], lake)
      assert.equal(landed.code, 0, landed.stderr)
      const objects = [...(s3.buckets.get("lake")?.objects ?? [])]
      assert.ok(objects.length >= 2)
      assertNoCanary(inspect(objects, { depth: 10, maxStringLength: null }), "the objects")
      for (const [, { bytes }] of objects)
        assertNoCanary(Buffer.from(bytes).toString(), "an object")
      assertNoCanary(inspect(s3.requests, { depth: 10 }), "what S3 was asked")
      yield* assertNoCanaryBelow(options.folder)
    })
  )

  it.scopedLive.runIf(isLong)("is shown by a defect, whatever the error holds", () =>
    Effect.gen(function* () {
      yield* fails(1, all("http://127.0.0.1:9"), yield* here(AMPLITUDE, BROKEN), /a defect/)
    })
  )

  it.scopedLive("is repeated of a misused command line", () =>
    Effect.gen(function* () {
      const options = yield* here()
      const secret = AMPLITUDE.AMP_SECRET_KEY
      const misuses = [
        [`--api-key=${secret}`],
        [`-k=${secret}`],
        ["--secret-key", secret],
        ["--amplitude-url", `https://${encodeURIComponent(basic)}@amplitude.com`],
        [secret]
      ]
      for (const misuse of misuses) {
        const { code, stderr, stdout } = yield* run(["all", "--dev", ...misuse], options)
        assert.equal(code, 2)
        assertNoCanary(stdout + stderr, `what ${misuse[0]} is answered`)
      }
      yield* assertNoCanaryBelow(options.folder)
    })
  )

  it.scopedLive("is repeated of a bad env file", () =>
    Effect.gen(function* () {
      const { AMP_API_KEY: api, AMP_SECRET_KEY: secret } = AMPLITUDE
      const files = [
        `AMP_API_KEY='${api}'\n`,
        `API_TOKEN='${api}'\nAMP_SECRET_KEY='${secret}'\n`,
        `AMP_API_KEY='${api}'\nAMP_SECRET_KEY='${secret}'\nAMPLITUDE_URL='https://x:${secret}@a.test'\n`,
        `AMP_API_KEY='${api}'\nAMP_SECRET_KEY='${secret}'\nDEFAULT_LOOKBACK_DAYS=0\nAMP_SECRET_KEY\n='${secret}'\n`
      ]
      for (const file of files) {
        const options = yield* here({})
        yield* writeEnv(options.folder, file)
        yield* fails(2, ["all", "--dev", ...HOURS], options)
      }
      const options = yield* here({})
      yield* writeEnv(options.folder, `AWS_SECRET_KEY='${S3.secret}'\nAWS_ACCESS_KEY=\n`)
      yield* fails(2, ["list", "--bucket", "lake"], options, /without/)
      yield* writeEnv(options.folder, `AWS_ENDPOINT_URL='http://x:${S3.secret}@a.test'\n`)
      yield* fails(2, ["list", "--bucket", "lake"], options, /https/)
    })
  )
})

const writeEnv = (folder: string, text: string, mode = 0o600) =>
  Effect.promise(async () => {
    await fs.writeFile(join(folder, ".env"), text)
    await fs.chmod(join(folder, ".env"), mode)
  })

describe("K2 an env file", () => {
  it.scopedLive("that others can read is warned about, and one of its owner's alone is not", () =>
    Effect.gen(function* () {
      const options = yield* here({})
      const warned = /is readable by other users of this machine.*chmod 600/
      for (const mode of isLong ? [0o644, 0o640, 0o604, 0o622] : [0o644, 0o640]) {
        yield* writeEnv(options.folder, `AMP_API_KEY='${AMPLITUDE.AMP_API_KEY}'\n`, mode)
        const { code, stderr, stdout } = yield* run(["list", "--dev"], options)
        assert.equal(code, 0, stderr)
        assert.match(stderr, warned)
        assertNoCanary(stdout + stderr, "the warning")
      }
      yield* writeEnv(options.folder, "AMP_API_KEY=x\n")
      assert.doesNotMatch((yield* run(["list", "--dev"], options)).stderr, warned)
    })
  )
})

describe("K3 a setting that would expose the keys", () => {
  const refused = Effect.fnUntraced(function* (
    args: ReadonlyArray<string>,
    options: ProgramOptions,
    said: RegExp
  ) {
    const before = yield* pathsBelow(options.folder)
    const { code, stderr, stdout } = yield* run(args, options)
    assert.equal(code, 2, stderr)
    assert.equal(stdout, "")
    const problems = stderr.split("\n").filter((line) => line.startsWith("  "))
    assert.equal(problems.length, 1, stderr)
    assert.match(problems[0] ?? "", said)
    assert.deepEqual(yield* pathsBelow(options.folder), before)
  })

  it.scopedLive("NODE_TLS_REJECT_UNAUTHORIZED=0 is refused before anything is asked", () =>
    Effect.gen(function* () {
      const server = yield* scriptedServer(times(echo(200, "html")), selfSigned(["127.0.0.1"]))
      const env = { ...AMPLITUDE, NODE_TLS_REJECT_UNAUTHORIZED: "0" }
      yield* refused(all(server.origin), yield* here(env), /NODE_TLS_REJECT_UNAUTHORIZED=0/)
      yield* refused(["list", "--dev"], yield* here(env), /NODE_TLS_REJECT_UNAUTHORIZED=0/)
      assert.equal(server.requests.length, 0)
      const strict = { ...AMPLITUDE, NODE_TLS_REJECT_UNAUTHORIZED: "1" }
      yield* fails(3, all(server.origin), yield* here(strict), /certificate/)
    })
  )

  it.scopedLive("plain http to Amplitude is refused but on loopback", () =>
    Effect.gen(function* () {
      const said = /https, or plain http on loopback/
      yield* refused(all("http://amplitude.com"), yield* here(), said)
      const env = { ...AMPLITUDE, AMPLITUDE_URL: "http://127.0.0.1.test" }
      yield* refused(["all", "--dev"], yield* here(env), said)
    })
  )

  it.scopedLive("plain http to S3 is refused but on loopback, wherever it is named", () =>
    Effect.gen(function* () {
      const list = ["list", "--bucket", "lake", ...ONCE]
      const http = "http://s3.lake.test:9000"
      const said = /AWS_ENDPOINT_URL\w* in .* must be an https URL, or plain http on loopback/
      yield* refused(list, yield* here({ ...AWS, AWS_ENDPOINT_URL_S3: http }), said)
      const options = yield* here(AWS)
      yield* writeEnv(options.folder, `AWS_ENDPOINT_URL=${http}\n`)
      yield* refused(list, options, said)
      const { url } = yield* S3Server.make({
        buckets: { lake: "eu-west-2" },
        users: { [S3.id]: { secret: S3.secret } }
      })
      const landing = yield* run(list, yield* here({ ...AWS, AWS_ENDPOINT_URL_S3: url }))
      assert.equal(landing.code, 0, landing.stderr)
    })
  )

  it.scopedLive("plain http to Azure is refused but on loopback, wherever it is named", () =>
    Effect.gen(function* () {
      const said = /AZURE_STORAGE_\w+ in .* must lead to an https URL, or to plain http/
      const list = ["list", ...inAzure, ...ONCE]
      for (const identity of azureIdentities("http://lake.test:10000")) {
        yield* refused(list, yield* here(identity), said)
      }
      const options = yield* here({})
      const fields = `DefaultEndpointsProtocol=http;AccountName=lake;AccountKey=${AZURE.key}`
      yield* writeEnv(options.folder, `AZURE_STORAGE_CONNECTION_STRING='${fields}'\n`)
      yield* refused(list, options, said)
    })
  )

  it("an install script of a dependency is one of them: .npmrc refuses all", async () => {
    const npmrc = await fs.readFile(new URL("../../.npmrc", import.meta.url), "utf8")
    assert.match(npmrc, /^ignore-scripts=true$/m)
  })
})
