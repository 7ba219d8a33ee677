/**
 * What each command prints with `--json`, and posts to a webhook.
 *
 * @module
 */
import { Schema } from "effect"
import { ModelSummary } from "../../programs/answer/buildModels.ts"
import { Cleaning } from "../../programs/clean/cleanLeftovers.ts"
import { CopySummary } from "../../programs/copy/CopySummary.ts"
import { ExportSummary } from "../../programs/export/ExportSummary.ts"
import { SetupChecks } from "../../programs/inspect/checkSetup.ts"
import { LakeComparison } from "../../programs/inspect/compareLakes.ts"
import { GapList } from "../../programs/inspect/listGaps.ts"
import { Status } from "../../programs/inspect/statusOfHours.ts"
import { Verification } from "../../programs/inspect/verifyHours.ts"
import { LoadPlan } from "../../programs/load/planLoad.ts"
import { LoadSummary } from "../../programs/load/LoadSummary.ts"
import { Report } from "../../programs/report/Report.ts"
import { RedactionSummary } from "../../programs/redact/RedactionSummary.ts"
import { RelandSummary } from "../../programs/reland/RelandSummary.ts"
import { AcceptedGaps } from "../../programs/resolve/acceptGaps.ts"
import { ResolvedConflict } from "../../programs/resolve/resolveConflict.ts"
import { WithdrawnGaps } from "../../programs/resolve/withdrawGaps.ts"
import { Summary } from "../../programs/run/Summary.ts"
import { BucketReport } from "../../programs/setup/setupBucket.ts"
import { WarehouseReport } from "../../programs/setup/setupWarehouse.ts"
import { Snapshot } from "../../programs/snapshot/Snapshot.ts"
import { Configuration } from "../settings/commands/Configuration.ts"
import { type CommandName, type commands, declaredBy } from "../settings/table.ts"
import { failedTail, headOf, posted, tail } from "./envelope.ts"
import {
  DescribedAccess,
  ObjectList,
  Policies,
  RunPlan,
  Statements,
  SeveralBackfills,
  StoppedFleet,
  SyncPlan
} from "./ownReports.ts"

/** The project is the lake's. */
const { project: _project, ...summary } = Summary.fields

interface Output {
  /** A new number for whatever breaks a script: a field that is renamed, removed or of another type. */
  readonly schema: number
  /** The command's own fields, one entry for each kind of report. */
  readonly reports: ReadonlyArray<Schema.Struct.Fields>
  /** Fields that may be too long for a webhook. */
  readonly long?: ReadonlyArray<string>
}

/** Every command that has `--json`; the type demands it. */
export const outputs = {
  fetch: { schema: 1, reports: [summary, RunPlan.fields] },
  sync: { schema: 1, reports: [summary, SyncPlan.fields] },
  all: {
    schema: 1,
    reports: [
      { ...summary, load: Schema.optional(Schema.Struct(LoadSummary.fields)) },
      { ...RunPlan.fields, load: Schema.optional(LoadPlan) }
    ]
  },
  backfill: {
    schema: 1,
    reports: [summary, RunPlan.fields, StoppedFleet.fields, SeveralBackfills.fields]
  },
  load: { schema: 1, reports: [LoadSummary.fields, LoadPlan.fields] },
  model: { schema: 1, reports: [ModelSummary.fields] },
  report: {
    schema: 1,
    reports: [
      {
        file: Schema.String.annotations({ description: "The HTML file that was written" }),
        ...Report.fields,
        load: Schema.optional(Schema.Struct(LoadSummary.fields)),
        model: Schema.optional(Schema.Struct(ModelSummary.fields))
      }
    ]
  },
  status: { schema: 1, reports: [Status.fields], long: ["hours"] },
  gaps: { schema: 1, reports: [GapList.fields] },
  "gaps accept": { schema: 1, reports: [AcceptedGaps.fields] },
  "gaps withdraw": { schema: 1, reports: [WithdrawnGaps.fields] },
  resolve: { schema: 1, reports: [ResolvedConflict.fields] },
  list: { schema: 1, reports: [ObjectList.fields] },
  check: { schema: 1, reports: [SetupChecks.fields] },
  verify: {
    schema: 1,
    reports: [Verification.fields, LakeComparison.fields],
    long: ["verified", "unverified", "same", "missingHere", "missingThere"]
  },
  copy: { schema: 1, reports: [CopySummary.fields] },
  export: { schema: 1, reports: [ExportSummary.fields] },
  reland: { schema: 1, reports: [RelandSummary.fields] },
  redact: {
    schema: 1,
    reports: [
      {
        ...RedactionSummary.fields,
        /** Places that may hold the same people, and are not searched. */
        elsewhere: Schema.Array(Schema.String)
      }
    ]
  },
  snapshot: { schema: 1, reports: [Snapshot.fields] },
  clean: { schema: 1, reports: [Cleaning.fields] },
  "setup bucket": { schema: 1, reports: [BucketReport.fields] },
  "setup iam": { schema: 1, reports: [Policies.fields] },
  "setup snowflake": {
    schema: 1,
    reports: [WarehouseReport.fields, Statements.fields, DescribedAccess.fields]
  },
  config: { schema: 1, reports: [Configuration.fields] }
} as const satisfies { readonly [C in JsonCommand]: Output }

type Declares<Name, C extends CommandName> = Name extends (typeof commands)[C]["settings"][number]
  ? C
  : never

/** A command that has `--json`. */
export type JsonCommand = { [C in CommandName]: Declares<"json", C> }[CommandName]

export const jsonCommands = Object.keys(outputs) as ReadonlyArray<JsonCommand>

type Own<Fields> = Fields extends Schema.Struct.Fields
  ? Omit<Schema.Struct.Type<Fields>, keyof typeof tail>
  : never

/** A command's own fields. */
export type ReportOf<C extends CommandName> = C extends JsonCommand
  ? Own<(typeof outputs)[C]["reports"][number]>
  : undefined

/** What `--json` prints: a report, or an error alone. */
export function outputSchema(command: JsonCommand) {
  const { reports, schema }: Output = outputs[command]
  const head = headOf(command, schema)
  return Schema.Union(
    ...reports.map((own) => Schema.Struct({ ...head, ...own, ...tail })),
    Schema.Struct({ ...head, ...failedTail })
  )
}

/** What is posted to a webhook; `undefined` for a command that posts nothing. */
export function webhookSchema(command: JsonCommand) {
  const { long = [], reports, schema }: Output = outputs[command]
  const { text, ...others } = posted
  const head = { text, ...headOf(command, schema), ...others }
  const declared = declaredBy(command)
  if (declared.includes("testWebhook")) {
    return Schema.Union(Schema.Struct({ ...head, test: Schema.Literal(true) }))
  }
  if (!declared.includes("notify")) return undefined
  const short = reports.map(
    (own) =>
      Object.fromEntries(
        Object.entries(own).filter(([name]) => !long.includes(name))
      ) as Schema.Struct.Fields
  )
  return Schema.Union(
    ...short.map((own) => Schema.Struct({ ...head, ...own, ...tail })),
    Schema.Struct({ ...head, ...failedTail })
  )
}
