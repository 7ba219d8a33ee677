/**
 * The library entry: programs, the services that they need, and their results. It imports no layer,
 * so importing it loads no SDK. Import layers one by one, such as
 * `amplitude-lake/layers/ObjectStorageFileSystem`.
 *
 * @module
 */
export {
  allHours,
  archivedHours,
  fetchHours,
  planHours,
  recheckWindow,
  type RunOptions,
  syncHours
} from "./programs/runPipeline.ts"
export { type Status, statusOfHours, type StatusOptions } from "./programs/inspect/statusOfHours.ts"
export {
  type Verification,
  verifyHours,
  type VerifyOptions
} from "./programs/inspect/verifyHours.ts"
export {
  compareLakes,
  type CompareOptions,
  type LakeComparison
} from "./programs/inspect/compareLakes.ts"
export {
  backfillHours,
  type BackfillOptions,
  planBackfill
} from "./programs/fleet/backfillHours.ts"
export {
  backfillByFleet,
  type FleetBackfillOptions,
  stopBackfill
} from "./programs/fleet/backfillByFleet.ts"
export { landWindow } from "./programs/fleet/landWindow.ts"
export {
  type WorkersLake,
  type WorkerStanding,
  workFleet,
  type WorkOptions
} from "./programs/fleet/workFleet.ts"
export { copyLake, type CopyOptions } from "./programs/copy/copyLake.ts"
export { CopySummary } from "./programs/copy/CopySummary.ts"
export { exportTables, type ExportOptions } from "./programs/export/exportTables.ts"
export { ExportError } from "./programs/export/ExportError.ts"
export { ExportSummary } from "./programs/export/ExportSummary.ts"
export { relandHours, type RelandOptions } from "./programs/reland/relandHours.ts"
export { redactPeople, type RedactOptions } from "./programs/redact/redactPeople.ts"
export { type People, readPeople } from "./programs/redact/People.ts"
export { RedactionSummary } from "./programs/redact/RedactionSummary.ts"
export { Snapshot } from "./programs/snapshot/Snapshot.ts"
export { type SnapshotOptions, takeSnapshot } from "./programs/snapshot/takeSnapshot.ts"
export { RelandSummary } from "./programs/reland/RelandSummary.ts"
export { loadHours, type LoadOptions } from "./programs/load/loadHours.ts"
export {
  type LandAndLoadOptions,
  type LandedAndLoaded,
  landAndLoad
} from "./programs/load/landAndLoad.ts"
export { buildModels, type ModelOptions, ModelSummary } from "./programs/answer/buildModels.ts"
export { ModelError } from "./programs/answer/ModelError.ts"
export { queryWarehouse, type QueryOptions } from "./programs/answer/queryWarehouse.ts"
export { readReport } from "./programs/report/readReport.ts"
export { Report } from "./programs/report/Report.ts"
export { ReportError } from "./programs/report/ReportError.ts"
export { LoadError } from "./programs/load/LoadError.ts"
export { LoadSummary } from "./programs/load/LoadSummary.ts"
export { type GapList, listGaps } from "./programs/inspect/listGaps.ts"
export {
  type AcceptedGaps,
  acceptGaps,
  type AcceptGapsOptions
} from "./programs/resolve/acceptGaps.ts"
export {
  resolveConflict,
  type ResolvedConflict,
  type ResolveOptions
} from "./programs/resolve/resolveConflict.ts"
export { type WithdrawnGaps, withdrawGaps } from "./programs/resolve/withdrawGaps.ts"
export { checkSetup, type SetupChecks } from "./programs/inspect/checkSetup.ts"
export {
  type Cleaning,
  cleanLeftovers,
  type CleanOptions
} from "./programs/clean/cleanLeftovers.ts"
export {
  type BucketReport,
  setupBucket,
  type SetupBucketOptions
} from "./programs/setup/setupBucket.ts"
export {
  describeWarehouse,
  setupWarehouse,
  type SetupWarehouseOptions,
  type WarehouseReport,
  warehouseScript
} from "./programs/setup/setupWarehouse.ts"
export { readerPolicy, readerTrust, writerPolicy } from "./programs/setup/iamPolicies.ts"

export type { Standing } from "./programs/plan/inventory.ts"
export type { Plan } from "./programs/plan/planRun.ts"
export { Shard } from "./programs/plan/Shard.ts"
export { ExitCode, exitCodes } from "./programs/run/exitCode.ts"
export type { RunError } from "./programs/run/failureKind.ts"
export { LandingError } from "./programs/run/LandingError.ts"
export { ResolveError } from "./programs/resolve/ResolveError.ts"
export { Summary } from "./programs/run/Summary.ts"

export { Amplitude, AmplitudeError, ReferenceStream } from "./services/Amplitude.ts"
export { ArchiveFiles } from "./services/ArchiveFiles.ts"
export { ArchiveError, ArchiveFolder } from "./services/ArchiveFolder.ts"
export { BucketSetup, BucketSetupError } from "./services/BucketSetup.ts"
export { Clock } from "./services/Clock.ts"
export { CopyTarget } from "./services/CopyTarget.ts"
export {
  type BackfillName,
  Fleet,
  FleetError,
  type FleetLake,
  type FleetLane,
  type FleetStanding,
  type NewBackfill,
  type TakenWindow
} from "./services/Fleet.ts"
export {
  ExportFolder,
  ExportManifest,
  FolderError,
  Folders,
  type OpenExport,
  type StandingExport
} from "./services/Folders.ts"
export { Hour } from "./services/Hour.ts"
export { Format, Layout } from "./services/HourKey.ts"
export { HourMetadata } from "./services/HourMetadata.ts"
export type { LinesDigest } from "./services/LinesDigest.ts"
export { ObjectStorage, ObjectStorageError } from "./services/ObjectStorage.ts"
export { Progress } from "./services/Progress.ts"
export { Spool, SpoolError } from "./services/Spool.ts"
export { Staging } from "./services/Staging.ts"
export { Unpacker, UnpackerError } from "./services/Unpacker.ts"
export {
  type Answer,
  type CalendarHour,
  type Cell,
  type HoursTogether,
  type HourToLoad,
  type IpRange,
  LoadedHour,
  type Model,
  NewLoad,
  type OpenWarehouse,
  ReferenceList,
  type StoredHour,
  Warehouse,
  WarehouseError,
  type WarehouseHealth,
  type WarehouseLake
} from "./services/Warehouse.ts"
export {
  type Properties,
  type StoreAccess,
  type WarehousePart,
  WarehouseSetup
} from "./services/WarehouseSetup.ts"
export { Webhook, WebhookError } from "./services/Webhook.ts"
export { Window } from "./services/Window.ts"
