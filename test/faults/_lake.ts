/**
 * A lake as a user has it, over real sockets and real files: each run has layers of its own, as each process has.
 *
 * @module
 */
import assert from "node:assert/strict"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { Duration, Effect, Layer, Logger, LogLevel, Redacted, type Scope } from "effect"
import * as AmplitudeHttp from "../../src/layers/http/AmplitudeHttp.ts"
import * as ClockFixed from "../../src/layers/clock/ClockFixed.ts"
import * as ObjectStorageFileSystem from "../../src/layers/disk/ObjectStorageFileSystem.ts"
import * as ObjectStorageS3 from "../../src/layers/s3/ObjectStorageS3.ts"
import * as SpoolFileSystem from "../../src/layers/disk/SpoolFileSystem.ts"
import * as UnpackerZip from "../../src/layers/unpack/UnpackerZip.ts"
import type { RunError } from "../../src/programs/run/failureKind.ts"
import {
  allHours,
  fetchHours,
  recheckWindow,
  type RunOptions,
  syncHours
} from "../../src/programs/runPipeline.ts"
import { summarize, type Summary } from "../../src/programs/run/Summary.ts"
import { Amplitude } from "../../src/services/Amplitude.ts"
import type { Clock } from "../../src/services/Clock.ts"
import { ObjectStorage } from "../../src/services/ObjectStorage.ts"
import type { Spool } from "../../src/services/Spool.ts"
import { Staging } from "../../src/services/Staging.ts"
import type { Unpacker } from "../../src/services/Unpacker.ts"
import { pathsBelow, temporaryFolder } from "../fixtures/disk.ts"
import { permissionOf, type S3Server } from "../fixtures/s3/s3Server.ts"
import {
  answer,
  type RecordedRequest,
  type ScriptedAnswer,
  type Step
} from "../fixtures/servers/scriptedServer.ts"
import { runOptions } from "../fixtures/world.ts"
import { part, zipOf } from "../fixtures/archive/zipCorpus.ts"

export const [H20, H21, H22] = ["2025-11-10T20", "2025-11-10T21", "2025-11-10T22"] as const
export const HOURS = [H20, H21, H22]

/** What Amplitude has, by hour. */
export const LINES: Readonly<Record<string, string>> = {
  [H20]: '{"uuid":"a"}\n',
  [H21]: '{"uuid":"b","n":9007199254740993}\n{"uuid":"c"}\n',
  [H22]: '{"uuid":"d"}\n'
}

/** An archive of hours of 2025-11-10, two parts an hour where there are two lines. */
export function archiveOf(lines: Readonly<Record<string, string>>): Buffer {
  return zipOf({
    entries: Object.entries(lines).flatMap(([hour, text]) =>
      (text.match(/.*\n/g) ?? []).map((line, number) => part(Number(hour.slice(11)), number, line))
    )
  })
}

export const ARCHIVE = archiveOf(LINES)

/** Answers the three hours. */
export const whole = (scripted: ScriptedAnswer = {}) => answer(200, { body: ARCHIVE, ...scripted })

/** The hours of a request. */
export function hoursAsked({ target }: RecordedRequest): ReadonlyArray<string> {
  const query = new URL(target, "http://localhost").searchParams
  const [first, last] = [query.get("start"), query.get("end")].map((text) => Number(text?.slice(9)))
  assert.ok(first !== undefined && last !== undefined)
  return Array.from(
    { length: last - first + 1 },
    (_, index) => `2025-11-10T${String(first + index).padStart(2, "0")}`
  )
}

/** Answers a request with its hours, unless `refuse` has another answer. */
export const bySize =
  (
    refuse: (hours: ReadonlyArray<string>) => Step | undefined = () => undefined,
    lines = LINES
  ): Step =>
  (socket, request) => {
    const hours = hoursAsked(request)
    const asked = Object.fromEntries(hours.map((hour) => [hour, lines[hour] ?? ""]))
    const step = refuse(hours) ?? answer(200, { body: archiveOf(asked) })
    return step(socket, request)
  }

export const KEYS = { api: "canary-api-key", secret: "canary-secret-key" }

export function keyOf(hour: string): string {
  return `${hour.replace("T", "_")}.jsonl`
}

/** The objects that hours should stand as, by key. */
export function objectsOf(lines: Readonly<Record<string, string>> = LINES) {
  return new Map(Object.entries(lines).map(([hour, text]) => [keyOf(hour), text]))
}

/** Regular files below a folder, by path, without names that begin with a dot. */
export const readFiles = (folder: string): Effect.Effect<Map<string, string>> =>
  Effect.promise(async () => {
    const entries = await fs
      .readdir(folder, { recursive: true, withFileTypes: true })
      .catch(() => [])
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
      .filter((path) => !path.split("/").some((name) => name.startsWith(".")))
      .sort()
    const texts = await Promise.all(paths.map((path) => fs.readFile(join(folder, path), "utf8")))
    return new Map(paths.map((path, index) => [path, texts[index] ?? ""]))
  })

export interface LakeOptions {
  /** The URL of Amplitude, or of the server in its place. */
  readonly amplitude: { readonly origin: string } | Amplitude["Type"]
  /** Defaults to the folder `s3_dev` of the lake. */
  readonly store?: Layer.Layer<ObjectStorage> | undefined
  /** Of the lake: `data`, `work` and, without another store, `s3_dev`. Defaults to a new one. */
  readonly folder?: string | undefined
  /** Defaults to a folder below the lake's `work`. */
  readonly spool?: Layer.Layer<Spool> | undefined
  /** Defaults to one without threads. */
  readonly unpacker?: Layer.Layer<Unpacker> | undefined
  readonly dataDir?: string | undefined
  readonly workDir?: string | undefined
  /** Of this machine. Defaults to noon of 2025-11-12. */
  readonly now?: string | undefined
  readonly http?: Partial<AmplitudeHttp.AmplitudeHttpOptions> | undefined
  /** What every run is told beside its hours. Defaults to waits of a millisecond. */
  readonly run?: Partial<RunOptions> | undefined
}

type Services = Amplitude | Clock | ObjectStorage | Spool | Staging | Unpacker

/** A lake that nothing has run in. */
export const makeLake = Effect.fnUntraced(function* (
  options: LakeOptions
): Effect.fn.Return<Lake, never, Scope.Scope> {
  const folder = options.folder ?? (yield* temporaryFolder)
  const dataDir = options.dataDir ?? join(folder, "data")
  const spoolDir = join(options.workDir ?? join(folder, "work"), "spool")
  const storeDir = join(folder, "s3_dev")
  const logs: Array<string> = []
  const logger = Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => {
      logs.push(`${logLevel.label} ${String(message)}`)
    })
  )

  const { amplitude } = options
  const source =
    "export" in amplitude
      ? Layer.succeed(Amplitude, amplitude)
      : AmplitudeHttp.layer({
          origin: amplitude.origin,
          apiKey: Redacted.make(KEYS.api),
          secretKey: Redacted.make(KEYS.secret),
          ...options.http
        })
  const layers = (now: string): Layer.Layer<Services> =>
    Layer.mergeAll(
      source,
      ClockFixed.layer(Date.parse(now)),
      options.store ?? ObjectStorageFileSystem.layer({ root: storeDir, prefix: "python-import/" }),
      Layer.scoped(Staging, ObjectStorageFileSystem.make({ root: dataDir })),
      options.spool ?? SpoolFileSystem.layer({ root: spoolDir }),
      options.unpacker ?? UnpackerZip.layer()
    )

  const run =
    (program: (options: RunOptions) => Effect.Effect<Summary, RunError, Services>) =>
    (first?: string, last = first, more: Partial<RunOptions> & { readonly now?: string } = {}) => {
      const { now = options.now ?? "2025-11-12T12:00:00Z", ...rest } = more
      return program(
        runOptions(first, last, {
          retryBase: Duration.millis(1),
          retries: 3,
          ...options.run,
          ...rest
        })
      ).pipe(
        Effect.provide(layers(now)),
        Effect.catchAll((error) =>
          Effect.succeed(
            summarize({
              window: null,
              outcomes: [],
              isByDate: false,
              error,
              retries: 0,
              durationMs: 0
            })
          )
        ),
        Effect.provide(logger),
        Logger.withMinimumLogLevel(LogLevel.Debug)
      )
    }
  return {
    folder,
    dataDir,
    spoolDir,
    storeDir: join(storeDir, "python-import"),
    logs,
    all: run(allHours),
    fetch: run(fetchHours),
    sync: run(syncHours),
    recheck: run(recheckWindow),
    staged: readFiles(dataDir),
    landed: readFiles(join(storeDir, "python-import")),
    spooled: Effect.map(
      Effect.catchAllDefect(pathsBelow(spoolDir), () => Effect.succeed<Array<string>>([])),
      (paths) => paths.filter((path) => /\.(zip|part)$/.test(path))
    )
  }
})

type Run = (
  first?: string,
  last?: string,
  more?: Partial<RunOptions> & { readonly now?: string }
) => Effect.Effect<Summary>

export interface Lake {
  readonly folder: string
  readonly dataDir: string
  readonly spoolDir: string
  readonly storeDir: string
  /** What the runs said so far, each with its level. */
  readonly logs: ReadonlyArray<string>
  /** A run that ends as a whole gives the summary that the command line prints of it. */
  readonly all: Run
  readonly fetch: Run
  readonly sync: Run
  readonly recheck: Run
  /** The hours in staging, by key. */
  readonly staged: Effect.Effect<Map<string, string>>
  /** The objects of the folder that is the store, by key. */
  readonly landed: Effect.Effect<Map<string, string>>
  /** Archives in the spool, whole or not, whoever holds them. */
  readonly spooled: Effect.Effect<ReadonlyArray<string>>
}

export const BUCKET = "lake"
const PREFIX = "python-import/"

/** The store on an S3 server; parts and thresholds are small, so that small hours go either way. */
export function s3Layer(
  { url }: { readonly url: string },
  more: Partial<ObjectStorageS3.ObjectStorageS3Options> = {}
): Layer.Layer<ObjectStorage> {
  return ObjectStorageS3.layer({
    bucket: BUCKET,
    prefix: PREFIX,
    region: "us-east-1",
    endpoint: url,
    credentials: { accessKeyId: "AKTEST", secretAccessKey: Redacted.make("SKTEST") },
    ...more
  })
}

/** The hours in the bucket, by key. */
export function objectsIn({ buckets }: S3Server): Map<string, string> {
  const objects = buckets.get(BUCKET)?.objects ?? new Map()
  const found = [...objects].filter(([key]) => key !== `${PREFIX}.amplitude-lake-probe`)
  return new Map(
    found
      .map(([key, { bytes }]) => [key.slice(PREFIX.length), String(bytes)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1))
  )
}

/** Nothing on record deletes an object, or makes one without asking for its absence first. */
export function assertGentle({ requests }: S3Server): void {
  for (const { operation, headers, key } of requests) {
    assert.notEqual(operation, "DeleteObject", key)
    if (operation === "PutObject" || operation === "CompleteMultipartUpload") {
      assert.equal(headers["if-none-match"], "*", `${operation} ${key}`)
    }
    assert.ok(permissionOf(operation) !== "s3:DeleteBucket")
  }
}

/** How many requests for hours an operation received, without the probe. */
export function countOf({ requests }: S3Server, operation: string, key = ""): number {
  return requests.filter(
    (it) => it.operation === operation && it.key.includes(key) && !it.key.includes("probe")
  ).length
}
