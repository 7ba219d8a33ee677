/**
 * Which layer stands behind each service, by the settings. A layer is loaded when it is first needed.
 *
 * @module
 */
import { Effect, Layer, Option, Redacted } from "effect"
import * as ClockFixed from "../layers/clock/ClockFixed.ts"
import * as ClockSystem from "../layers/clock/ClockSystem.ts"
import type { Amplitude } from "../services/Amplitude.ts"
import type { ArchiveFiles } from "../services/ArchiveFiles.ts"
import type { BucketSetup } from "../services/BucketSetup.ts"
import type { Clock } from "../services/Clock.ts"
import type { Folders } from "../services/Folders.ts"
import type { ObjectStorage } from "../services/ObjectStorage.ts"
import type { Spool } from "../services/Spool.ts"
import { Staging } from "../services/Staging.ts"
import type { Unpacker } from "../services/Unpacker.ts"
import type { Webhook } from "../services/Webhook.ts"
import type { Settings } from "./settings/table.ts"
import { storeOf } from "./settings/resolve.ts"
import { version } from "./version.ts"

function lazily<Module, A>(
  load: () => Promise<Module>,
  layer: (module: Module) => Layer.Layer<A>
): Layer.Layer<A> {
  return Layer.unwrapEffect(Effect.map(Effect.promise(load), layer))
}

const sources = {
  amplitude: (settings: Settings) =>
    lazily(
      () => import("../layers/http/AmplitudeHttp.ts"),
      (AmplitudeHttp) =>
        AmplitudeHttp.layer({
          region: settings.region,
          origin: settings.amplitudeUrl,
          apiKey: settings.apiKey ?? Redacted.make(""),
          secretKey: settings.secretKey ?? Redacted.make(""),
          version
        })
    ),
  synthetic: (settings: Settings) =>
    lazily(
      () => import("../layers/synthetic/AmplitudeSynthetic.ts"),
      (AmplitudeSynthetic) => AmplitudeSynthetic.layer(syntheticOptions(settings))
    )
} as const satisfies Record<Settings["source"], (settings: Settings) => Layer.Layer<Amplitude>>

const stores = {
  s3: ({ bucket = "", prefix, sseKmsKeyId, s3 }: Settings) =>
    lazily(
      () => import("../layers/s3/ObjectStorageS3.ts"),
      (ObjectStorageS3) =>
        ObjectStorageS3.layer({
          bucket,
          prefix,
          sseKmsKeyId,
          credentials: Option.getOrUndefined(s3.credentials)
        })
    ),
  azure: ({ azure, container = "", prefix }: Settings) =>
    lazily(
      () => import("../layers/azure/ObjectStorageAzure.ts"),
      (ObjectStorageAzure) =>
        ObjectStorageAzure.layer({
          container,
          prefix,
          account: azure.account,
          endpoint: azure.endpoint,
          credentials: azure.credentials
        })
    ),
  local: ({ localDir, prefix }: Settings) =>
    lazily(
      () => import("../layers/disk/ObjectStorageFileSystem.ts"),
      (ObjectStorageFileSystem) => ObjectStorageFileSystem.layer({ root: localDir, prefix })
    ),
  memory: () =>
    lazily(
      () => import("../layers/memory/ObjectStorageMemory.ts"),
      (ObjectStorageMemory) => ObjectStorageMemory.layer()
    )
} as const satisfies Record<Settings["store"], (settings: Settings) => Layer.Layer<ObjectStorage>>

/** What the synthetic events are made by. */
export function syntheticOptions({ seed, eventsPerHour, project }: Settings) {
  return { seed, eventsPerHour, project: String(project) }
}

/** The system's clock, or the one that `--now` stands for. */
export function clockLayer({ now }: Settings): Layer.Layer<Clock> {
  return now === undefined ? ClockSystem.layer() : ClockFixed.layer(now)
}

export function storeLayer(settings: Settings): Layer.Layer<ObjectStorage> {
  return stores[storeOf(settings)](settings)
}

export function stagingLayer({ dataDir }: Settings): Layer.Layer<Staging> {
  return Layer.unwrapScoped(
    Effect.map(
      Effect.promise(() => import("../layers/disk/ObjectStorageFileSystem.ts")),
      (ObjectStorageFileSystem) =>
        Layer.scoped(Staging, ObjectStorageFileSystem.make({ root: dataDir }))
    )
  )
}

export function unpackerLayer(): Layer.Layer<Unpacker> {
  return lazily(
    () => import("../layers/unpack/UnpackerWorkers.ts"),
    (UnpackerWorkers) => UnpackerWorkers.layer()
  )
}

/** Where archives are kept; nowhere, unless a folder is named. */
export function archiveFolderLayer({ archiveDir }: Settings): Layer.Layer<never> {
  return archiveDir === undefined
    ? Layer.empty
    : lazily(
        () => import("../layers/disk/ArchiveFolderFileSystem.ts"),
        (ArchiveFolderFileSystem) => ArchiveFolderFileSystem.layer({ root: archiveDir })
      )
}

/** Everything that lands what archives in files have; it needs no keys. */
export function archivesLayer(
  settings: Settings
): Layer.Layer<ArchiveFiles | Clock | ObjectStorage | Staging | Unpacker> {
  return Layer.mergeAll(
    clockLayer(settings),
    storeLayer(settings),
    stagingLayer(settings),
    unpackerLayer(),
    lazily(
      () => import("../layers/disk/ArchiveFilesFileSystem.ts"),
      (ArchiveFilesFileSystem) => ArchiveFilesFileSystem.layer()
    )
  )
}

/** Everything that a run would need, to be tried out. */
export function setupLayer(
  settings: Settings
): Layer.Layer<Amplitude | Clock | Folders | ObjectStorage> {
  return Layer.mergeAll(
    sources[settings.source](settings),
    clockLayer(settings),
    storeLayer(settings),
    lazily(
      () => import("../layers/disk/FoldersFileSystem.ts"),
      (FoldersFileSystem) =>
        FoldersFileSystem.layer({
          folders: {
            work: settings.workDir,
            data: settings.dataDir,
            archives: settings.archiveDir
          }
        })
    )
  )
}

/** The bucket that is to be set up. */
export function bucketSetupLayer({ bucket = "", s3 }: Settings): Layer.Layer<BucketSetup> {
  return lazily(
    () => import("../layers/s3/BucketSetupS3.ts"),
    (BucketSetupS3) =>
      BucketSetupS3.layer({ bucket, credentials: Option.getOrUndefined(s3.credentials) })
  )
}

export function spoolLayer({ workDir }: Settings): Layer.Layer<Spool> {
  return lazily(
    () => import("../layers/disk/SpoolFileSystem.ts"),
    (SpoolFileSystem) => SpoolFileSystem.layer({ root: `${workDir}/spool` })
  )
}

export function webhookLayer({ webhook }: Settings): Layer.Layer<Webhook> {
  return lazily(
    () => import("../layers/http/WebhookHttp.ts"),
    (WebhookHttp) => WebhookHttp.layer({ url: webhook ?? Redacted.make(""), version })
  )
}

/** Everything that asks Amplitude and lands what it says. */
export function pipelineLayer(
  settings: Settings
): Layer.Layer<Amplitude | Clock | ObjectStorage | Spool | Staging | Unpacker> {
  return Layer.mergeAll(
    sources[settings.source](settings),
    clockLayer(settings),
    storeLayer(settings),
    stagingLayer(settings),
    unpackerLayer(),
    archiveFolderLayer(settings),
    spoolLayer(settings)
  )
}
