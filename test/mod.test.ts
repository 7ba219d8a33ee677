import assert from "node:assert/strict"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { basename } from "node:path"
import { describe, it } from "@effect/vitest"
import type { Effect } from "effect"
import { expectTypeOf } from "vitest"
import type {
  allHours,
  Amplitude,
  checkSetup,
  cleanLeftovers,
  Clock,
  fetchHours,
  ObjectStorage,
  planHours,
  recheckWindow,
  RunError,
  setupBucket,
  Spool,
  Staging,
  statusOfHours,
  syncHours,
  Unpacker,
  verifyHours
} from "../src/mod.ts"
import { isLong } from "./fixtures/long.ts"

type Needs<Program extends (...args: never) => Effect.Effect<unknown, unknown, unknown>> =
  Effect.Effect.Context<ReturnType<Program>>
type Fails<Program extends (...args: never) => Effect.Effect<unknown, unknown, unknown>> =
  Effect.Effect.Error<ReturnType<Program>>

type Pipeline = Amplitude | Clock | ObjectStorage | Spool | Staging | Unpacker

/** Whether a file below `src/layers` is a layer that an app may provide. */
const isLayer = (path: string) => /^[A-Z]\w+\.ts$/.test(basename(path))

describe("mod", () => {
  it("names what each program needs, and how it may fail", () => {
    expectTypeOf<Needs<typeof allHours>>().toEqualTypeOf<Pipeline>()
    expectTypeOf<Needs<typeof fetchHours>>().toEqualTypeOf<Pipeline>()
    expectTypeOf<Needs<typeof recheckWindow>>().toEqualTypeOf<Pipeline>()
    expectTypeOf<Needs<typeof syncHours>>().toEqualTypeOf<
      Clock | ObjectStorage | Staging | Unpacker
    >()
    expectTypeOf<Needs<typeof planHours>>().toEqualTypeOf<Clock | ObjectStorage | Staging>()
    expectTypeOf<Needs<typeof statusOfHours>>().toEqualTypeOf<Clock | ObjectStorage | Staging>()
    expectTypeOf<Fails<typeof allHours>>().toExtend<RunError>()
  })

  it("has these names to offer, each a promise", async () => {
    assert.deepEqual(Object.keys(await import("../src/mod.ts")).toSorted(), [
      "Amplitude",
      "AmplitudeError",
      "ArchiveError",
      "ArchiveFiles",
      "ArchiveFolder",
      "BucketSetup",
      "BucketSetupError",
      "Clock",
      "CopySummary",
      "CopyTarget",
      "ExitCode",
      "ExportError",
      "ExportFolder",
      "ExportManifest",
      "ExportSummary",
      "Fleet",
      "FleetError",
      "FolderError",
      "Folders",
      "Format",
      "Hour",
      "HourMetadata",
      "LandingError",
      "Layout",
      "LoadError",
      "LoadSummary",
      "LoadedHour",
      "ModelError",
      "ModelSummary",
      "NewLoad",
      "ObjectStorage",
      "ObjectStorageError",
      "Progress",
      "RedactionSummary",
      "ReferenceList",
      "ReferenceStream",
      "RelandSummary",
      "Report",
      "ReportError",
      "ResolveError",
      "Shard",
      "Snapshot",
      "Spool",
      "SpoolError",
      "Staging",
      "Summary",
      "Unpacker",
      "UnpackerError",
      "Warehouse",
      "WarehouseError",
      "WarehouseSetup",
      "Webhook",
      "WebhookError",
      "Window",
      "acceptGaps",
      "allHours",
      "archivedHours",
      "backfillByFleet",
      "backfillHours",
      "buildModels",
      "checkSetup",
      "cleanLeftovers",
      "compareLakes",
      "copyLake",
      "describeWarehouse",
      "exitCodes",
      "exportTables",
      "fetchHours",
      "landAndLoad",
      "landWindow",
      "listGaps",
      "loadHours",
      "planBackfill",
      "planHours",
      "queryWarehouse",
      "readPeople",
      "readReport",
      "readerPolicy",
      "readerTrust",
      "recheckWindow",
      "redactPeople",
      "relandHours",
      "resolveConflict",
      "setupBucket",
      "setupWarehouse",
      "statusOfHours",
      "stopBackfill",
      "syncHours",
      "takeSnapshot",
      "verifyHours",
      "warehouseScript",
      "withdrawGaps",
      "workFleet",
      "writerPolicy"
    ])
  })

  it("needs no option except a bucket's name", () => {
    expectTypeOf<[]>().toExtend<Parameters<typeof allHours>>()
    expectTypeOf<[]>().toExtend<Parameters<typeof planHours>>()
    expectTypeOf<[]>().toExtend<Parameters<typeof statusOfHours>>()
    expectTypeOf<[]>().toExtend<Parameters<typeof verifyHours>>()
    expectTypeOf<[]>().toExtend<Parameters<typeof cleanLeftovers>>()
    expectTypeOf<[]>().toExtend<Parameters<typeof checkSetup>>()
    expectTypeOf<[{ bucket: string }]>().toExtend<Parameters<typeof setupBucket>>()
  })

  it("is published with every layer and service, and no inside of a layer", () => {
    const { exports } = JSON.parse(readFileSync("package.json", "utf8")) as {
      readonly exports: Readonly<Record<string, string>>
    }
    const layers = readdirSync("src/layers", { recursive: true, encoding: "utf8" }).filter(isLayer)
    const expected = [
      ...layers.map((path) => [basename(path, ".ts"), `layers/${path}`] as const),
      ...readdirSync("src/services").map(
        (path) => [basename(path, ".ts"), `services/${path}`] as const
      )
    ].map(([name, path]) => {
      const [part] = path.split("/")
      return [`./${part}/${name}`, `./dist/${path.replace(/\.ts$/, ".js")}`]
    })
    const published = Object.entries(exports).filter(([name]) =>
      /^\.\/(layers|services)\//.test(name)
    )
    assert.deepEqual(published.toSorted(), expected.toSorted())
  })

  it.runIf(isLong)("loads no SDK and no layer", () => {
    const report = `
      const { register } = await import("node:module")
      const hooks = 'export async function resolve(specifier, context, next) {' +
        'const found = await next(specifier, context); console.log(found.url); return found }'
      register("data:text/javascript," + encodeURIComponent(hooks))
      await import("./dist/mod.js")
    `
    const urls = execFileSync(process.execPath, ["--input-type=module", "-e", report], {
      encoding: "utf8"
    }).split("\n")
    assert.ok(urls.some((url) => url.endsWith("/dist/programs/land/landMissing.js")))
    const unwanted =
      /\/layers\/|\/cli\/|undici|yauzl|fflate|commander|platform-node|@aws-sdk|@azure|@duckdb/
    assert.deepEqual(
      urls.filter((url) => unwanted.test(url)),
      []
    )
  })
})
