import { Clock as EffectClock, Effect, Option, Schema } from "effect"
import {
  type ExportedFile,
  ExportFolder,
  ExportManifest,
  type OpenExport,
  type StandingExport
} from "../../services/Folders.ts"
import { Progress } from "../../services/Progress.ts"
import {
  type OpenWarehouse,
  type RowsDigest,
  type TableFiles,
  type TableToExport,
  Warehouse
} from "../../services/Warehouse.ts"
import { readFrom } from "../report/read.ts"
import { exitCodeOf } from "../run/exitCode.ts"
import type { RunError } from "../run/failureKind.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"
import { ExportError } from "./ExportError.ts"
import { ExportSummary } from "./ExportSummary.ts"

export interface ExportOptions extends RetryOptions {
  /** Whether to report what would be written, and change nothing. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
}

const SCHEMA = "analytics"
const EVENTS = "fct_events"

/** The columns that date the rows of large tables. Every other table is one file. */
const DATED: Readonly<Record<string, string>> = {
  [EVENTS]: "event_time",
  fct_page_views: "viewed_at",
  fct_clicks: "clicked_at",
  fct_sessions: "started_at"
}

/** Steps of the models, which are no answers. */
const INNER = /^(stg|int)_/

/** What Hive, Spark and Athena call a partition of rows without a date. */
const NO_DATE = "__HIVE_DEFAULT_PARTITION__"

/** Hours that fct_events does not hold as they were loaded last, and those that it holds of no load. */
const NOT_MODELLED = `with modelled as (select distinct load_id from ${SCHEMA}.${EVENTS}),
behind as (
  select hour from amplitude.loads as loads
  where events > 0 and load_id not in (select load_id from modelled)
  and exists (
    select 1 from amplitude.events_raw as raw
    where raw.hour = loads.hour and case when json_valid(raw.event) then json_type(raw.event) = 'OBJECT' else false end
  )
)
select (select count(*) from behind) + (select count(*) from modelled where load_id not in (select load_id from amplitude.loads)) as hours`

/**
 * Writes the tables of the models as Parquet files to a folder: tables of events a file for each date
 * of their rows in UTC, every other table in one. A file is written again only if its rows have
 * changed. Each is read back and compared with its table by count and digest before any is put in
 * place, and files of dates that are gone are removed. Run it again to go on.
 *
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { exportTables } from "amplitude-lake"
 *
 * export const written = Effect.map(exportTables(), ({ files, rows }) => ({ files, rows }))
 * ```
 */
export const exportTables = Effect.fn("exportTables")(function* (
  options: ExportOptions = {}
): Effect.fn.Return<ExportSummary, RunError, ExportFolder | Run | Warehouse> {
  const { retry } = yield* Run
  const begun = yield* EffectClock.currentTimeMillis
  const { open, place } = yield* Warehouse
  const folder = yield* ExportFolder
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const warehouse = yield* retry(open("read"))
      const tables = yield* tablesOf(warehouse)
      const behind = yield* notModelled(warehouse, place)
      const lake = Option.getOrUndefined(yield* warehouse.lake)
      const project = lake === undefined ? null : Option.getOrNull(lake.project)
      const opened = options.dryRun === true ? undefined : yield* retry(folder.open)
      const standing = opened ?? (yield* folder.look)
      yield* refuseOtherProject(standing, project)
      const plan = yield* planFiles(warehouse, tables, standing)
      const written = opened === undefined ? [] : yield* writeAll(warehouse, opened, plan, project)
      return summaryOf({
        plan,
        folder: folder.place,
        dryRun: opened === undefined,
        behind,
        bytes: written.reduce((sum, { bytes }) => sum + bytes, 0),
        retries: yield* (yield* Run).made,
        durationMs: Math.max(0, (yield* EffectClock.currentTimeMillis) - begun)
      })
    })
  )
}, asRun)

const filesOf = ({ files }: OpenWarehouse): Effect.Effect<TableFiles, ExportError> =>
  files === undefined
    ? new ExportError({ reason: "NoFiles", detail: "this warehouse writes no Parquet files" })
    : Effect.succeed(files)

const tablesOf = Effect.fnUntraced(function* (warehouse: OpenWarehouse) {
  const files = yield* filesOf(warehouse)
  const tables = (yield* files.tables(SCHEMA)).filter(({ name }) => !INNER.test(name))
  if (!tables.some(({ name }) => name === EVENTS)) {
    const detail = `the warehouse has no table ${SCHEMA}.${EVENTS}`
    return yield* new ExportError({ reason: "NotModelled", detail })
  }
  return tables.map(({ columns, name }): TableToExport => {
    const datedBy = DATED[name]
    const isDated = columns.some((column) => column.name === datedBy)
    return { schema: SCHEMA, name, columns, datedBy: isDated ? (datedBy ?? null) : null }
  })
})

const notModelled = Effect.fnUntraced(function* (warehouse: OpenWarehouse, place: string) {
  const read = readFrom(warehouse, place)
  const [found] = yield* read(
    { hours: Schema.Number },
    `select cast(hours as double) as hours from (${NOT_MODELLED})`
  )
  return found?.hours ?? 0
})

const refuseOtherProject = ({ manifest }: StandingExport, project: string | null) => {
  const other = Option.getOrNull(Option.map(manifest, (it) => it.project))
  return other === null || project === null || other === project
    ? Effect.void
    : new ExportError({
        reason: "OtherProject",
        detail: `the folder holds tables of Amplitude project ${other}, and the warehouse is of project ${project}: name another folder`
      })
}

interface PlannedFile extends RowsDigest {
  readonly table: TableToExport
  readonly date: string | null
  readonly path: string
  /** The file in place, if it has these rows. */
  readonly standing: ExportedFile | undefined
}

interface Plan {
  readonly tables: ReadonlyArray<TableToExport>
  readonly files: ReadonlyArray<PlannedFile>
  readonly removed: ReadonlyArray<ExportedFile>
}

function pathOf({ datedBy, name }: TableToExport, date: string | null): string {
  const folder = datedBy === null ? name : `${name}/event_date=${date ?? NO_DATE}`
  return `${folder}/data.parquet`
}

/** Compares the rows of each table and date with those of the files in place. */
const planFiles = Effect.fnUntraced(function* (
  warehouse: OpenWarehouse,
  tables: ReadonlyArray<TableToExport>,
  { damaged, manifest }: StandingExport
) {
  const { digests } = yield* filesOf(warehouse)
  const before = Option.match(manifest, { onNone: () => [], onSome: ({ files }) => files })
  const standing = new Map(before.map((file) => [file.path, file] as const))
  const formsBefore = new Map(
    Option.match(manifest, { onNone: () => [], onSome: (it) => it.tables }).map(
      (table) => [table.name, formOf(table)] as const
    )
  )
  const files: Array<PlannedFile> = []
  const progress = yield* Progress
  progress.planned(tables.length, "tables compared")
  for (const table of tables) {
    const isSameForm = formsBefore.get(table.name) === formOf(table)
    const found = yield* digests(table)
    // A table in one file has it also without rows, because its columns are an answer, too.
    const parts = found.size === 0 && table.datedBy === null ? [[null, NO_ROWS] as const] : found
    for (const [date, { digest, rows }] of parts) {
      const path = pathOf(table, date)
      const file = standing.get(path)
      const isSame =
        isSameForm && file?.rows === rows && file.digest === digest && !damaged.has(path)
      files.push({ table, date, path, rows, digest, standing: isSame ? file : undefined })
    }
    progress.done(1)
  }
  const paths = new Set(files.map(({ path }) => path))
  return { tables, files, removed: before.filter(({ path }) => !paths.has(path)) } satisfies Plan
})

const NO_ROWS: RowsDigest = { rows: 0, digest: "0" }

function formOf({ columns, datedBy }: Pick<TableToExport, "columns" | "datedBy">): string {
  return JSON.stringify([datedBy, columns.map(({ name, type }) => [name, type])])
}

/** Writes what has changed beside the files in place, compares it, and then puts it in their place. */
const writeAll = Effect.fnUntraced(function* (
  warehouse: OpenWarehouse,
  folder: OpenExport,
  { files, removed, tables }: Plan,
  project: string | null
) {
  const changed = files.filter(({ standing }) => standing === undefined)
  if (changed.length === 0 && removed.length === 0) return []
  const { digestOf, write } = yield* filesOf(warehouse)
  const { version } = yield* Run
  const progress = yield* Progress
  progress.planned(changed.length, "files")
  const written = new Map<string, ExportedFile>()
  for (const { date, digest, path, rows, table } of changed) {
    const staged = yield* folder.stage(path)
    yield* write(table, date, staged)
    const read = yield* digestOf(table, staged)
    if (read.rows !== rows || read.digest !== digest) {
      return yield* new ExportError({
        reason: "Differs",
        detail: `"${path}" was read back with ${read.rows} rows and digest ${read.digest}, and its table has ${rows} with digest ${digest}; no file was put in place: check the disk, and run it again`
      })
    }
    const sealed = yield* folder.seal(path)
    written.set(path, { table: table.name, date, path, rows, digest, ...sealed })
    yield* Effect.logDebug(`Wrote ${path}: ${rows} rows, ${sealed.bytes} bytes`)
    progress.done(1)
  }
  yield* folder.publish(
    new ExportManifest({
      producer: "amplitude-lake",
      format: 1,
      version,
      project,
      exportedAt: new Date(yield* EffectClock.currentTimeMillis).toISOString(),
      tables: tables.map(({ columns, datedBy, name }) => ({ name, datedBy, columns })),
      files: files.flatMap(({ path, standing }) => standing ?? written.get(path) ?? [])
    })
  )
  return [...written.values()]
})

interface Done {
  readonly plan: Plan
  readonly folder: string
  readonly dryRun: boolean
  readonly behind: number
  readonly bytes: number
  readonly retries: number
  readonly durationMs: number
}

function summaryOf({ behind, plan: { files, removed, tables }, ...done }: Done): ExportSummary {
  const names = new Set(
    [...tables, ...removed.map((it) => ({ name: it.table }))].map((it) => it.name)
  )
  const ofTables = [...names].sort().map((name) => {
    const own = files.filter(({ table }) => table.name === name)
    return {
      name,
      rows: own.reduce((sum, { rows }) => sum + rows, 0),
      files: own.length,
      written: own.filter(({ standing }) => standing === undefined).length,
      removed: removed.filter(({ table }) => table === name).length
    }
  })
  const sum = (of: "files" | "removed" | "rows" | "written") =>
    ofTables.reduce((total, table) => total + table[of], 0)
  return new ExportSummary({
    folder: done.folder,
    dryRun: done.dryRun,
    tables: ofTables,
    rows: sum("rows"),
    files: sum("files"),
    written: sum("written"),
    removed: sum("removed"),
    bytes: done.bytes,
    notModelled: behind,
    retries: done.retries,
    durationMs: done.durationMs,
    exitCode: exitCodeOf({
      kinds: new Set(),
      isDone: true,
      isTouched: true,
      isIncomplete: behind > 0
    })
  })
}
