/**
 * Where events can be queried, and the ledger of the hours that are loaded there.
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope, type Stream } from "effect"
import { ReferenceStream } from "./Amplitude.ts"
import { Hour } from "./Hour.ts"
import { Format } from "./HourKey.ts"

/** Why a call to the warehouse failed, and whether a retry could help. */
export class WarehouseError extends Schema.TaggedError<WarehouseError>()("WarehouseError", {
  reason: Schema.Literal(
    /** Another process, or another part of this one, has it open. */
    "Busy",
    /** It cannot be reached, or does not answer. */
    "Unavailable",
    /** It does not exist. */
    "NotFound",
    /** The file is no database, or a damaged one. */
    "NotADatabase",
    /** A database without the tables of a lake: somebody else's. */
    "Foreign",
    /** An older version of this program made it. */
    "TooOld",
    /** A newer version of this program, or of the database, made it. */
    "TooNew",
    /** It cannot be used as it is configured; a package is missing, for example. */
    "Misconfigured",
    "AccessDenied",
    "NoSpace",
    /** The appended lines are not those that the ledger row announces. Nothing was committed. */
    "Differs",
    /** The ledger is not as the caller knew it: another run was faster. Nothing was committed. */
    "Changed",
    /** The statement is wrong, or does more than read. */
    "BadQuery",
    /** It did not finish in the longest time that it had. Nothing was committed. */
    "TimedOut",
    /** It cannot read the objects of an hour. Nothing was committed. */
    "Unreadable",
    "Failed"
  ),
  method: Schema.Literal("open", "read", "load", "query", "build", "export", "set up"),
  /** The warehouse, as its users name it. */
  path: Schema.String,
  detail: Schema.String,
  /** Milliseconds that the warehouse asked to wait. */
  retryAfter: Schema.optional(Schema.Number)
}) {
  /** True if the same call may succeed later. */
  get isTransient(): boolean {
    return this.reason === "Busy" || this.reason === "Unavailable"
  }
  override get message(): string {
    if (this.reason === "NotFound" && this.method === "open")
      return `There is no warehouse at "${this.path}"`
    return `Cannot ${this.method} the warehouse "${this.path}": ${this.reason}: ${this.detail}`
  }
}

/** A ledger row before its hour is loaded: what the hour is loaded from. */
export class NewLoad extends Schema.Class<NewLoad>("NewLoad")({
  hour: Hour,
  /** With the store's prefix; of several objects one key a line. */
  key: Schema.String,
  format: Format,
  /** Non-empty lines. */
  events: Schema.NonNegativeInt,
  /** Uncompressed bytes of the lines. */
  bytes: Schema.NonNegativeInt,
  malformed: Schema.NonNegativeInt,
  lineset: Schema.String,
  /** Of the object's own bytes; of several objects separated by commas. */
  sha256: Schema.String,
  /** As the store's listing shows it; of several objects separated by commas. */
  etag: Schema.String,
  /** Amplitude's project; empty if it is not known. */
  project: Schema.String,
  /** Lines that were removed from the object. */
  redacted: Schema.NonNegativeInt,
  /** The version of this program that landed the hour, or `other`. */
  landedBy: Schema.String,
  /** The version of this program that loads the hour. */
  loadedBy: Schema.String,
  /** In milliseconds since 1970. */
  loadedAt: Schema.Int
}) {}

/** A ledger row: a loaded hour, and what it was loaded from. */
export class LoadedHour extends NewLoad.extend<LoadedHour>("LoadedHour")({
  /** Of the text as it is stored, where bytes that are not UTF-8 became U+FFFD. */
  storedLineset: Schema.String,
  /** Unique for each load of an hour. */
  loadId: Schema.String
}) {}

/** A ledger row: a list of what Amplitude says about events, as it was on a UTC day. */
export class ReferenceList extends Schema.Class<ReferenceList>("ReferenceList")({
  /** Such as `2025-11-10`. */
  date: Schema.String,
  stream: ReferenceStream,
  /** With the store's prefix. */
  key: Schema.String,
  entries: Schema.NonNegativeInt,
  /** Of the object's own bytes. */
  sha256: Schema.String,
  /** In milliseconds since 1970. */
  loadedAt: Schema.Int
}) {}

/** The table that holds the entries of each list. */
export const referenceTables = {
  events: "event_types",
  cohorts: "cohorts",
  annotations: "annotations"
} as const satisfies Record<ReferenceStream, string>

/** Whose hours a warehouse holds. */
export interface WarehouseLake {
  /** Amplitude's project; `None` until an hour with one is loaded. */
  readonly project: Option.Option<string>
  /** The store and its prefix as a URL. */
  readonly place: string
}

/** An hour of the lake's calendar. */
export interface CalendarHour {
  readonly hour: Hour
  /** `landed`, `empty`, `unverified`, `pending`, `open`, `gap` or `accepted`. */
  readonly state: string
  /** Of a loaded hour. */
  readonly events: number | undefined
}

/** Takes bytes of lines, split anywhere. The caller may reuse them afterwards. */
export type Append = (lines: Uint8Array) => Effect.Effect<void, WarehouseError>

export interface HourToLoad<E, R> {
  readonly row: NewLoad
  /** The load that this one replaces, by its `loadId`. By default the hour must not be loaded. */
  readonly replaces?: string | undefined
  /**
   * Appends the lines of the row's objects, and fails if they are not those that the row announces.
   * A warehouse that reads the store by itself does not run it.
   */
  readonly read: (append: Append) => Effect.Effect<void, E, R>
}

/** The lines of an hour as they are stored. */
export interface StoredHour {
  readonly events: number
  readonly lineset: string
  /** Whether their numbers are those from 1 to `events`. */
  readonly isNumbered: boolean
}

/** A number or a JSON document in its own exact text. */
export interface ExactText {
  readonly json: string
}

/** A value in an answer. Times are text in ISO 8601, and in UTC. */
export type Cell =
  | null
  | boolean
  | number
  | bigint
  | string
  | ExactText
  | ReadonlyArray<Cell>
  | ReadonlyMap<string, Cell>

export type Row = ReadonlyArray<Cell>

export interface Answer {
  readonly columns: ReadonlyArray<{ readonly name: string; readonly isNumber: boolean }>
  /** In pieces, which are computed as they are taken. */
  readonly rows: Stream.Stream<ReadonlyArray<Row>, WarehouseError>
}

/** A table or view that is made of what is loaded. */
export type Model = { readonly schema: string; readonly name: string } & (
  | { readonly kind: "view" | "table"; readonly sql: string }
  | {
      readonly kind: "rows"
      /** The type of each column in SQL, by name. */
      readonly columns: Readonly<Record<string, string>>
      readonly rows: ReadonlyArray<ReadonlyArray<string | null>>
      /** Whether these are examples, which leave a table with the same columns as it is. */
      readonly areExamples: boolean
    }
)

/** Who holds a range of addresses, from the first to the last, both as text. */
export interface IpRange {
  readonly first: string
  readonly last: string
  /** The number of the network; `null` if it is not known. */
  readonly asn: bigint | null
  readonly company: string | null
  readonly kind: string
}

/** Loads several hours in one transaction: all of them, or none. */
export interface HoursTogether {
  readonly most: number
  /** An error may be about any of the hours. Loads as many as are given, in their order. */
  readonly load: (
    hours: ReadonlyArray<Pick<HourToLoad<never, never>, "row" | "replaces">>
  ) => Effect.Effect<ReadonlyArray<LoadedHour>, WarehouseError>
}

/** The lines that are stored of an hour under one key. */
export interface StoredCount {
  readonly hour: Hour
  /** With the store's prefix. */
  readonly key: string
  readonly lines: number
  /** How many of their numbers differ. */
  readonly numbers: number
}

/** Lines that something else than a load brings, such as Snowpipe. */
export interface PipedLines {
  /** What is stored from one hour to another, with or without a ledger row, oldest hour first. */
  readonly counts: (
    first: Hour | undefined,
    last: Hour | undefined
  ) => Effect.Effect<ReadonlyArray<StoredCount>, WarehouseError>
  /** Writes the ledger rows of hours whose lines are there, as a load does, and changes no line. */
  readonly adopt: HoursTogether
  /** The statement that lets the pipe try all objects again whose keys begin like this. */
  readonly refresh: (key: string) => string
  /** Objects that are older than this many days are not tried again. */
  readonly refreshDays: number
}

/** A table that can be exported. */
export interface StoredTable {
  readonly name: string
  readonly columns: ReadonlyArray<{
    readonly name: string
    /** As it is written to a file. */
    readonly type: string
  }>
}

/** A table with what its files hold. */
export interface TableToExport extends StoredTable {
  readonly schema: string
  /** The column whose UTC date is that of a file; `null` for all rows in one file. */
  readonly datedBy: string | null
}

/** Rows in any order. */
export interface RowsDigest {
  readonly rows: number
  readonly digest: string
}

/** Writes tables as Parquet files, to the folder that the warehouse was given. */
export interface TableFiles {
  /** The tables of a schema, by name, without its views and without columns that change with each build. */
  readonly tables: (schema: string) => Effect.Effect<ReadonlyArray<StoredTable>, WarehouseError>
  /** The rows of each date of a table, or of all of it under `null`. Rows without a date have `null`, too. */
  readonly digests: (
    table: TableToExport
  ) => Effect.Effect<ReadonlyMap<string | null, RowsDigest>, WarehouseError>
  /** Writes the rows of a date, or all, sorted. Its memory does not grow with them. */
  readonly write: (
    table: TableToExport,
    date: string | null,
    path: string
  ) => Effect.Effect<void, WarehouseError>
  /** Reads a file back. */
  readonly digestOf: (
    table: TableToExport,
    path: string
  ) => Effect.Effect<RowsDigest, WarehouseError>
}

/** A warehouse that nobody else changes. */
export interface OpenWarehouse {
  /** `None` before the first `claim`. */
  readonly lake: Effect.Effect<Option.Option<WarehouseLake>, WarehouseError>

  /** The hours that lines are stored of, with or without a ledger row, oldest first. */
  readonly storedHours: Effect.Effect<ReadonlyArray<Hour>, WarehouseError>

  /** Reads the stored lines of an hour, in constant memory. */
  readonly digestOf: (hour: Hour) => Effect.Effect<StoredHour, WarehouseError>

  /**
   * Answers one statement of SQL that only reads, before anything else is done with the warehouse.
   * Fails with `BadQuery` for any other, and with `Misconfigured` where there is no SQL.
   */
  readonly query: (sql: string) => Effect.Effect<Answer, WarehouseError, Scope.Scope>

  /** Records whose hours it holds. */
  readonly claim: (lake: WarehouseLake) => Effect.Effect<void, WarehouseError>

  /** The ledger, oldest hour first. */
  readonly loads: Effect.Effect<ReadonlyArray<LoadedHour>, WarehouseError>

  /**
   * Loads an hour: its lines with their ledger row, and without what they replace, in one
   * transaction. If `read` fails or is interrupted, or the lines are not those that the row
   * announces (`Differs`), everything stays as it was. Only `read`, or the warehouse's own reading,
   * can be interrupted.
   */
  readonly load: <E, R>(hour: HourToLoad<E, R>) => Effect.Effect<LoadedHour, WarehouseError | E, R>

  /**
   * Makes a model in the place of what has its name, in one transaction, and returns its rows;
   * `None` for a view. Fails with `BadQuery` if its SQL is wrong.
   */
  readonly build: (model: Model) => Effect.Effect<Option.Option<number>, WarehouseError>

  /** Replaces the networks that the user has named. */
  readonly setIpRanges: (ranges: ReadonlyArray<IpRange>) => Effect.Effect<void, WarehouseError>

  /** Absent where each hour is a transaction of its own. */
  readonly together?: HoursTogether | undefined

  /** Absent where nothing but a load brings lines. */
  readonly piped?: PipedLines | undefined

  /** Absent where tables cannot be written to files. */
  readonly files?: TableFiles | undefined

  /** Lets the ledger row of a load name other objects with the same lines. */
  readonly relabel: (
    loadId: string,
    names: Pick<NewLoad, "key" | "format" | "sha256" | "etag">
  ) => Effect.Effect<void, WarehouseError>

  /** The lists that are loaded, by date and stream. */
  readonly lists: Effect.Effect<ReadonlyArray<ReferenceList>, WarehouseError>

  /**
   * Loads a list, each entry as its JSON text, in the place of what is loaded of its day and stream,
   * in one transaction. Where a list is too long for that, its ledger row is gone from the first to the
   * last.
   */
  readonly loadList: (
    list: ReferenceList,
    entries: ReadonlyArray<string>
  ) => Effect.Effect<void, WarehouseError>

  /** Replaces the calendar. */
  readonly setCalendar: (
    hours: ReadonlyArray<CalendarHour>,
    /** In milliseconds since 1970. */
    seenAt: number
  ) => Effect.Effect<void, WarehouseError>
}

/** The place of a warehouse. */
export interface WarehouseHealth {
  readonly isThere: boolean
  /** Bytes that are free beside it; `Infinity` if nothing limits them. */
  readonly free: number
  /** Who else can read it, or owns it, as a sentence; empty if nobody. */
  readonly exposure: string
}

/**
 * @example
 * ```ts
 * import { Effect } from "effect"
 * import { Warehouse } from "amplitude-lake"
 *
 * export const loadedHours = Effect.scoped(
 *   Effect.gen(function* () {
 *     const warehouse = yield* Warehouse
 *     const { loads } = yield* warehouse.open("read")
 *     return yield* loads
 *   })
 * )
 * ```
 */
export class Warehouse extends Context.Tag("amplitude-lake/Warehouse")<
  Warehouse,
  {
    /** The warehouse, for messages. */
    readonly place: string

    /** Looks at its place, without opening it. */
    readonly health: Effect.Effect<WarehouseHealth, WarehouseError>

    /**
     * Opens the warehouse until the scope closes; `Busy` while another has it. To `load` makes it if
     * it does not exist; to `read` changes nothing, and fails with `NotFound` instead. What is not a
     * lake's warehouse of this version is refused and stays as it is.
     */
    readonly open: (
      to: "load" | "read"
    ) => Effect.Effect<OpenWarehouse, WarehouseError, Scope.Scope>
  }
>() {}
