/**
 * Chooses the layer of each service from the settings. A layer's module is loaded when it is first
 * needed.
 *
 * @module
 */
import { availableParallelism } from "node:os"
import { Effect, Layer, Option, type Redacted } from "effect"
import * as ClockFixed from "../layers/clock/ClockFixed.ts"
import * as ClockSystem from "../layers/clock/ClockSystem.ts"
import type { WarehouseDuckDbOptions } from "../layers/duckdb/WarehouseDuckDb.ts"
import type { Amplitude } from "../services/Amplitude.ts"
import type { ArchiveFiles } from "../services/ArchiveFiles.ts"
import type { BucketSetup } from "../services/BucketSetup.ts"
import type { Clock } from "../services/Clock.ts"
import type { Fleet } from "../services/Fleet.ts"
import { CopyTarget } from "../services/CopyTarget.ts"
import type { ExportFolder, Folders } from "../services/Folders.ts"
import type { Heartbeat } from "../services/Heartbeat.ts"
import { ObjectStorage } from "../services/ObjectStorage.ts"
import type { Spool } from "../services/Spool.ts"
import { Staging } from "../services/Staging.ts"
import type { Unpacker } from "../services/Unpacker.ts"
import type { Warehouse } from "../services/Warehouse.ts"
import type { WarehouseSetup } from "../services/WarehouseSetup.ts"
import type { Webhook } from "../services/Webhook.ts"
import type { AskedSource, SettingsOf, Store } from "./settings/settingsOf.ts"
import type { Values } from "./settings/table.ts"
import { version } from "../programs/run/version.ts"

/** The settings that a layer reads. */
type Has<Name extends keyof Values> = Pick<Omit<Values, "store"> & { readonly store: Store }, Name>

function lazily<Module, A>(
  load: () => Promise<Module>,
  layer: (module: Module) => Layer.Layer<A>
): Layer.Layer<A> {
  return Layer.unwrapEffect(Effect.map(Effect.promise(load), layer))
}

export function sourceLayer(source: AskedSource): Layer.Layer<Amplitude> {
  switch (source._tag) {
    case "Amplitude":
      return lazily(
        () => import("../layers/http/AmplitudeHttp.ts"),
        (AmplitudeHttp) => AmplitudeHttp.layer({ ...source, version })
      )
    case "Synthetic":
      return lazily(
        () => import("../layers/synthetic/AmplitudeSynthetic.ts"),
        (AmplitudeSynthetic) => AmplitudeSynthetic.layer(syntheticOptions(source))
      )
  }
}

export function storeLayer({ store }: Has<"store">): Layer.Layer<ObjectStorage> {
  switch (store._tag) {
    case "S3":
      return lazily(
        () => import("../layers/s3/ObjectStorageS3.ts"),
        (ObjectStorageS3) =>
          ObjectStorageS3.layer({
            ...store,
            credentials: Option.getOrUndefined(store.credentials)
          })
      )
    case "Azure":
      return lazily(
        () => import("../layers/azure/ObjectStorageAzure.ts"),
        (ObjectStorageAzure) => ObjectStorageAzure.layer(store)
      )
    case "Local":
      return lazily(
        () => import("../layers/disk/ObjectStorageFileSystem.ts"),
        (ObjectStorageFileSystem) =>
          ObjectStorageFileSystem.layer({ root: store.folder, prefix: store.prefix })
      )
    case "Memory":
      return lazily(
        () => import("../layers/memory/ObjectStorageMemory.ts"),
        (ObjectStorageMemory) => ObjectStorageMemory.layer({ prefix: store.prefix })
      )
  }
}

/** Where a lake is copied to, or the lake that it is compared with. */
export function targetLayer({
  target
}: Pick<SettingsOf<"copy">, "target">): Layer.Layer<CopyTarget> {
  return Layer.effect(CopyTarget, ObjectStorage).pipe(Layer.provide(storeLayer({ store: target })))
}

/** The options of the synthetic events. */
export function syntheticOptions({
  brokenLines,
  eventsPerHour,
  project,
  seed
}: Has<"seed" | "eventsPerHour" | "project"> & Partial<Has<"brokenLines">>) {
  return { seed, eventsPerHour, project: String(project), brokenLines }
}

/** The system's clock, or a fixed one if `--now` is set. */
export function clockLayer({ now }: Has<"now">): Layer.Layer<Clock> {
  return now === undefined ? ClockSystem.layer() : ClockFixed.layer(now)
}

export function stagingLayer({ dataDir }: Has<"dataDir">): Layer.Layer<Staging> {
  return Layer.unwrapScoped(
    Effect.map(
      Effect.promise(() => import("../layers/disk/ObjectStorageFileSystem.ts")),
      (ObjectStorageFileSystem) =>
        Layer.scoped(Staging, ObjectStorageFileSystem.make({ root: dataDir }))
    )
  )
}

export function unpackerLayer({ inflate }: Partial<Has<"inflate">> = {}): Layer.Layer<Unpacker> {
  return lazily(
    () => import("../layers/unpack/UnpackerWorkers.ts"),
    (UnpackerWorkers) => UnpackerWorkers.layer({ inflate })
  )
}

/** A file, or Snowflake if its settings are there. */
export function warehouseLayer({
  snowflake,
  store,
  warehouseFile
}: Has<"warehouseFile" | "store"> &
  Partial<Pick<SettingsOf<"load">, "snowflake">>): Layer.Layer<Warehouse> {
  if (snowflake === undefined) return duckDbLayer({ file: warehouseFile })
  return lazily(
    () => import("../layers/snowflake/WarehouseSnowflake.ts"),
    (WarehouseSnowflake) =>
      WarehouseSnowflake.layer({ ...snowflake, prefix: store.prefix, version })
  )
}

/** The parts of a lake in Snowflake; without an account they can only be shown. */
export function warehouseSetupLayer({
  awsRoleArn = "",
  azureTenant = "",
  snowflake,
  store,
  target,
  ...settings
}: SettingsOf<"setup snowflake">): Layer.Layer<WarehouseSetup> {
  return lazily(
    () => import("../layers/snowflake/WarehouseSetupSnowflake.ts"),
    (WarehouseSetupSnowflake) =>
      WarehouseSetupSnowflake.layer({
        ...target,
        url: snowflakeUrl(store),
        provider:
          store._tag === "Azure"
            ? { name: "AZURE", tenant: azureTenant }
            : { name: "S3", roleArn: awsRoleArn },
        integration: settings.integration,
        loaderRole: settings.loaderRole,
        readerRole: settings.readerRole,
        pipe: settings.pipe,
        queueIntegration: settings.queueIntegration,
        connection: snowflake === undefined ? undefined : { ...snowflake, version }
      })
  )
}

/** A store's URL with its prefix, as Snowflake writes it. */
function snowflakeUrl(store: Store): string {
  switch (store._tag) {
    case "S3":
      return `s3://${store.bucket}/${store.prefix}`
    case "Azure": {
      const host =
        store.endpoint === undefined
          ? `${store.account}.blob.core.windows.net`
          : new URL(store.endpoint).host
      return `azure://${host}/${store.container}/${store.prefix}`
    }
    case "Local":
    case "Memory":
      throw new Error("Snowflake reads S3 and Azure alone")
  }
}

/** Takes more of a machine than a load does, and not all of it. */
export function answeringLayer({
  exportsTo,
  warehouseFile
}: Has<"warehouseFile"> & { readonly exportsTo?: string }): Layer.Layer<Warehouse> {
  const options = {
    file: warehouseFile,
    memoryLimit: "700MB",
    threads: Math.min(4, availableParallelism())
  }
  if (exportsTo === undefined) return Layer.suspend(() => duckDbLayer(options))
  return lazily(
    () => import("../layers/disk/ExportFolderFileSystem.ts"),
    ({ stagingOf }) => duckDbLayer({ ...options, exportsTo: stagingOf(exportsTo) })
  )
}

/** Where tables are exported to. */
export function exportFolderLayer({
  to
}: Pick<SettingsOf<"export">, "to">): Layer.Layer<ExportFolder> {
  return lazily(
    () => import("../layers/disk/ExportFolderFileSystem.ts"),
    (ExportFolderFileSystem) => ExportFolderFileSystem.layer({ folder: to })
  )
}

function duckDbLayer(options: WarehouseDuckDbOptions): Layer.Layer<Warehouse> {
  return lazily(
    () => import("../layers/duckdb/WarehouseDuckDb.ts"),
    (WarehouseDuckDb) => WarehouseDuckDb.layer(options)
  )
}

/** Keeps archives in a folder, or provides nothing if none is named. */
export function archiveFolderLayer({ archiveDir }: Has<"archiveDir">): Layer.Layer<never> {
  return archiveDir === undefined
    ? Layer.empty
    : lazily(
        () => import("../layers/disk/ArchiveFolderFileSystem.ts"),
        (ArchiveFolderFileSystem) => ArchiveFolderFileSystem.layer({ root: archiveDir })
      )
}

export function archiveFilesLayer(): Layer.Layer<ArchiveFiles> {
  return lazily(
    () => import("../layers/disk/ArchiveFilesFileSystem.ts"),
    (ArchiveFilesFileSystem) => ArchiveFilesFileSystem.layer()
  )
}

/** What the machines of a fleet share. */
export function fleetLayer({
  databaseUrl: url
}: {
  readonly databaseUrl: Redacted.Redacted
}): Layer.Layer<Fleet> {
  return lazily(
    () => import("../layers/postgres/FleetPostgres.ts"),
    (FleetPostgres) => FleetPostgres.layer({ url })
  )
}

/** The folders that a run uses. */
export function foldersLayer({
  archiveDir,
  dataDir,
  workDir
}: Has<"workDir" | "dataDir" | "archiveDir">): Layer.Layer<Folders> {
  return lazily(
    () => import("../layers/disk/FoldersFileSystem.ts"),
    (FoldersFileSystem) =>
      FoldersFileSystem.layer({
        folders: { work: workDir, data: dataDir, archives: archiveDir }
      })
  )
}

/** The bucket to set up. */
export function bucketSetupLayer({
  bucket,
  credentials
}: Pick<SettingsOf<"setup bucket">, "bucket" | "credentials">): Layer.Layer<BucketSetup> {
  return lazily(
    () => import("../layers/s3/BucketSetupS3.ts"),
    (BucketSetupS3) =>
      BucketSetupS3.layer({ bucket, credentials: Option.getOrUndefined(credentials) })
  )
}

export function spoolLayer({ workDir }: Has<"workDir">): Layer.Layer<Spool> {
  return lazily(
    () => import("../layers/disk/SpoolFileSystem.ts"),
    (SpoolFileSystem) => SpoolFileSystem.layer({ root: `${workDir}/spool` })
  )
}

export function webhookLayer(url: Redacted.Redacted): Layer.Layer<Webhook> {
  return lazily(
    () => import("../layers/http/WebhookHttp.ts"),
    (WebhookHttp) => WebhookHttp.layer({ url, version })
  )
}

export function heartbeatLayer(url: Redacted.Redacted): Layer.Layer<Heartbeat> {
  return lazily(
    () => import("../layers/http/HeartbeatHttp.ts"),
    (HeartbeatHttp) => HeartbeatHttp.layer({ url, version })
  )
}
