import { Effect } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { AmplitudeError } from "../../services/Amplitude.ts"
import type { ArchiveError } from "../../services/ArchiveFolder.ts"
import type { BucketSetupError } from "../../services/BucketSetup.ts"
import type { FleetError } from "../../services/Fleet.ts"
import type { FolderError } from "../../services/Folders.ts"
import type { ObjectStorageError } from "../../services/ObjectStorage.ts"
import type { SpoolError } from "../../services/Spool.ts"
import type { UnpackerError } from "../../services/Unpacker.ts"
import type { WarehouseError } from "../../services/Warehouse.ts"
import type { ModelError } from "../answer/ModelError.ts"
import type { ExportError } from "../export/ExportError.ts"
import type { LoadError } from "../load/LoadError.ts"
import type { ReportError } from "../report/ReportError.ts"
import { Failed, type FailureKind, Postponed } from "./HourOutcome.ts"
import type { ResolveError } from "../resolve/ResolveError.ts"
import type { LandingError } from "./LandingError.ts"

/** Every error that can keep an hour from landing, or from being loaded. */
export type RunError =
  | AmplitudeError
  | FleetError
  | UnpackerError
  | SpoolError
  | ArchiveError
  | ObjectStorageError
  | LandingError
  | ResolveError
  | LoadError
  | ModelError
  | ReportError
  | ExportError
  | FolderError
  | WarehouseError

/** An error's class and reason, such as `AmplitudeError.Forbidden`. */
export function errorName(error: { readonly _tag: string; readonly reason: string }): string {
  return `${error._tag}.${error.reason}`
}

/** What an error requires of the operator. */
export function failureKind(error: RunError | BucketSetupError): FailureKind {
  switch (error._tag) {
    case "AmplitudeError":
      if (error.reason === "Unauthorized" || error.reason === "Forbidden") return "refused"
      return error.isTransient ? "temporary" : "permanent"
    case "UnpackerError":
      return error.reason === "Unreadable" ? "temporary" : "integrity"
    case "SpoolError":
    case "ArchiveError":
    case "FolderError":
      if (error.reason === "AccessDenied") return "refused"
      return error.reason === "Misconfigured" ||
        error.reason === "NotFound" ||
        error.reason === "Foreign"
        ? "permanent"
        : "temporary"
    case "ObjectStorageError":
      if (error.reason === "AccessDenied") return "refused"
      if (error.reason === "Corrupt") return "integrity"
      return error.reason === "Unavailable" || error.reason === "NoSpace"
        ? "temporary"
        : "permanent"
    case "FleetError":
      if (error.reason === "AccessDenied") return "refused"
      return error.isTransient || error.reason === "Abandoned" ? "temporary" : "permanent"
    case "BucketSetupError":
      if (error.reason === "AccessDenied") return "refused"
      return error.isTransient ? "temporary" : "permanent"
    case "ResolveError":
      return isContradiction(error) ? "integrity" : "permanent"
    case "WarehouseError":
      return warehouseKind(error)
    case "ModelError":
    case "ReportError":
      return "permanent"
    case "ExportError":
      return error.reason === "Differs" ? "integrity" : "permanent"
    case "LoadError":
      return error.reason === "Differs" || error.reason === "OtherPlace" ? "integrity" : "permanent"
    case "LandingError":
      if (error.reason === "OutOfTime") return "temporary"
      return error.reason === "ForeignFile" ||
        error.reason === "ForeignForm" ||
        error.reason === "StagedForAnotherLake"
        ? "permanent"
        : "integrity"
  }
}

function warehouseKind({ reason }: WarehouseError): FailureKind {
  switch (reason) {
    case "AccessDenied":
      return "refused"
    case "Differs":
    case "Unreadable":
      return "integrity"
    case "Busy":
    case "Unavailable":
    case "Changed":
    case "NoSpace":
    case "TimedOut":
      return "temporary"
    default:
      return "permanent"
  }
}

/** Whether a decision does not fit what is in the store or at Amplitude. */
function isContradiction({ reason }: ResolveError): boolean {
  return (
    reason === "ObjectChanged" ||
    reason === "OtherVersion" ||
    reason === "Emptied" ||
    reason === "Redacted" ||
    reason === "SeveralObjects" ||
    reason === "Decided"
  )
}

/** Whether landing the same archive again would fail the same way. */
function isFinal(error: RunError): boolean {
  switch (error._tag) {
    case "UnpackerError":
      return error.reason !== "Unreadable"
    case "LandingError":
      return error.reason === "Conflict" || error.reason === "OtherProject"
    case "AmplitudeError":
    case "FleetError":
    case "SpoolError":
    case "ArchiveError":
    case "ObjectStorageError":
    case "ResolveError":
    case "LoadError":
    case "ModelError":
    case "ReportError":
    case "ExportError":
    case "FolderError":
    case "WarehouseError":
      return false
  }
}

/** The outcome of an hour that an error kept from landing: a planned stop is no failure. */
export function failedHour(hour: Hour, error: RunError): Failed | Postponed {
  if (isPlannedStop(error)) return new Postponed({ hour })
  return new Failed({
    hour,
    kind: failureKind(error),
    isFinal: isFinal(error),
    error: errorName(error),
    message: error.message
  })
}

/** Whether the run's longest duration was over, so that the next run goes on from there. */
export function isPlannedStop(error: RunError): boolean {
  return error._tag === "LandingError" && error.reason === "OutOfTime"
}

/** Says how many hours a planned stop leaves, if any. */
export function logHoursLeft(count: number): Effect.Effect<void> {
  const hours = count === 1 ? "1 hour is" : `${count} hours are`
  return count === 0
    ? Effect.void
    : Effect.logInfo(`Stopped at the longest duration: ${hours} left for the next run`)
}

/** Logs an error; of a planned stop the run says one line in the end. */
export function logFailure(error: RunError): Effect.Effect<void> {
  return isPlannedStop(error) ? Effect.logDebug(error.message) : Effect.logError(error.message)
}
