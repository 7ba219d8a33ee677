/**
 * The library entry: services and programs. It names no layer, so importing it loads no SDK; layers are imported one by
 * one, as `amplitude-lake/layers/ObjectStorageFileSystem`.
 *
 * @module
 */
export * from "./services/Amplitude.ts"
export * from "./services/ArchiveFiles.ts"
export * from "./services/ArchiveFolder.ts"
export * from "./services/Clock.ts"
export * from "./services/Hour.ts"
export * from "./services/HourKey.ts"
export * from "./services/HourMetadata.ts"
export * from "./services/ObjectStorage.ts"
export * from "./services/Spool.ts"
export * from "./services/Staging.ts"
export * from "./services/Unpacker.ts"
export * from "./services/Window.ts"

export * from "./programs/exportApi.ts"
export * from "./programs/exportHours.ts"
export * from "./programs/failureKind.ts"
export * from "./programs/handOver.ts"
export * from "./programs/HourOutcome.ts"
export * from "./programs/inventory.ts"
export * from "./programs/landArchives.ts"
export * from "./programs/LandingError.ts"
export * from "./programs/landMissing.ts"
export * from "./programs/landObject.ts"
export * from "./programs/planRequests.ts"
export * from "./programs/planRun.ts"
export * from "./programs/planWindow.ts"
export * from "./programs/recheckHours.ts"
export * from "./programs/retryPolicy.ts"
export * from "./programs/runPipeline.ts"
export * from "./programs/statusOfHours.ts"
export * from "./programs/Summary.ts"
export * from "./programs/syncStaged.ts"
