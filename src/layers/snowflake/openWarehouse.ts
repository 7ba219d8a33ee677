import { randomUUID } from "node:crypto"
import { Effect, Option, Schema } from "effect"
import {
  type HoursTogether,
  LoadedHour,
  type OpenWarehouse,
  WarehouseError
} from "../../services/Warehouse.ts"
import { Hour } from "../../services/Hour.ts"
import type { Cells, Client } from "./client.ts"
import { referenceLists } from "./referenceLists.ts"
import * as sql from "./statements.ts"

export interface WarehouseOptions {
  /** The warehouse, as its users name it. */
  readonly path: string
  readonly stage: string
  /** The parts of the pipe's name: database, schema and its own. */
  readonly pipe: ReadonlyArray<string>
  /** What the stage's own URL ends with, so that names in the stage are without it. */
  readonly prefix: string
}

/** Snowflake takes statements of 1 MB; a load has each key four times. */
const LONGEST_LOAD = 800_000
const HOUR_LENGTH = 550

/** Of files that a pipe looks for again. */
const REFRESH_DAYS = 7

const decodeLoads = Schema.decodeUnknown(Schema.Array(LoadedHour))
const decodeCounts = Schema.decodeUnknown(
  Schema.Array(Schema.Tuple(Hour, Schema.String, Schema.NumberFromString, Schema.NumberFromString))
)

/** The tables of a schema. */
export function openWarehouse(
  client: Client,
  { path, pipe, prefix, stage }: WarehouseOptions,
  to: "load" | "read"
): OpenWarehouse {
  const failure = (
    reason: WarehouseError["reason"],
    method: WarehouseError["method"],
    detail: string
  ) => new WarehouseError({ reason, method, path, detail })

  const missing = (method: "read" | "query" | "build", what: string, instead: string) =>
    Effect.fail(
      failure("Misconfigured", method, `${what} is not available for Snowflake yet: ${instead}`)
    )
  const stored = missing(
    "read",
    "reading stored lines back",
    "its ledger can be compared with the store by status"
  )

  const write = (statements: () => ReadonlyArray<string>) =>
    to === "load"
      ? Effect.suspend(() => client.run("load", statements()))
      : Effect.fail(failure("Failed", "load", "it was opened to be read, and cannot be changed"))

  const togetherBy = (
    statements: (batch: Pick<sql.Batch, "hours" | "id">) => ReadonlyArray<string>
  ): HoursTogether["load"] => {
    /** By their rows, the IDs of batches whose fate is not known. */
    const uncertain = new Map<string, string>()
    return Effect.fnUntraced(function* (hours) {
      const odd = hours.find(({ row }) => !isReadable(row.key, prefix))
      if (odd !== undefined) {
        const { hour, key } = odd.row
        const what = `${hour}: "${key.replaceAll("\n", '", "')}" is not one object of an hour below "${prefix}", which is what Snowflake can read`
        return yield* failure("Unreadable", "load", what)
      }
      const name = JSON.stringify(hours.map(({ replaces, row }) => [row, replaces]))
      const id = uncertain.get(name) ?? randomUUID()
      uncertain.set(name, id)
      const isOver = Effect.sync(() => uncertain.delete(name))
      yield* write(() => statements({ hours, id })).pipe(
        Effect.tap(isOver),
        Effect.tapError(({ reason }) => (reason === "Unavailable" ? Effect.void : isOver))
      )
      return hours.map(
        ({ row }) =>
          new LoadedHour({ ...row, storedLineset: "", loadId: sql.loadIdOf(id, row.hour) })
      )
    })
  }
  const loadTogether = togetherBy((batch) => sql.load({ ...batch, prefix, stage }))
  const most = Math.max(
    1,
    Math.min(sql.MOST_FILES, Math.floor(LONGEST_LOAD / (HOUR_LENGTH + 2 * prefix.length)))
  )

  return {
    lake: Effect.map(client.rows("read", sql.ABOUT), (found) => {
      const about = new Map(found.map(([name, value]) => [name, value] as const))
      const valueOf = (name: string) => Option.fromNullable(about.get(name))
      return Option.map(valueOf("place"), (place) => ({ place, project: valueOf("project") }))
    }),
    storedHours: stored,
    digestOf: () => stored,
    query: () => missing("query", "sql", "use Snowsight or another client of Snowflake's"),
    claim: (lake) => write(() => sql.claim(lake)),
    loads: Effect.flatMap(client.rows("read", sql.LOADS), (found) =>
      Effect.mapError(decodeLoads(found.map(loadOf)), ({ message }) =>
        failure("Failed", "read", `its ledger cannot be read: ${message}`)
      )
    ),
    // Snowflake reads the store by itself.
    load: ({ replaces, row }) =>
      Effect.flatMap(loadTogether([{ row, replaces }]), ([loaded]) =>
        loaded === undefined ? Effect.die("a load without a row") : Effect.succeed(loaded)
      ),
    together: { most, load: loadTogether },
    piped: {
      counts: (first, last) =>
        Effect.flatMap(client.rows("read", sql.counts(first, last)), (found) =>
          Effect.mapBoth(decodeCounts(found), {
            onFailure: ({ message }) =>
              failure("Failed", "read", `its lines cannot be counted: ${message}`),
            onSuccess: (rows) =>
              rows.map(([hour, key, lines, numbers]) => ({ hour, key, lines, numbers }))
          })
        ),
      adopt: { most, load: togetherBy(sql.adopt) },
      refresh: (key) => sql.refresh(pipe, key.slice(prefix.length)),
      refreshDays: REFRESH_DAYS
    },
    build: () => missing("build", "model", "use dbt with --target snowflake"),
    setIpRanges: () => missing("build", "model", "fill the table IP_RANGES by SQL"),
    ...referenceLists(client, path, write),
    relabel: (loadId, names) => write(() => sql.relabel(loadId, names)),
    setCalendar: (hours, seenAt) => write(() => sql.setCalendar(hours, seenAt))
  }
}

/** Only from these names can COPY tell the hour. */
const READABLE = new RegExp(`^${sql.HOUR_NAMES}$`)

function isReadable(key: string, prefix: string): boolean {
  return key.startsWith(prefix) && READABLE.test(key.slice(prefix.length))
}

const NUMBERS: ReadonlySet<string> = new Set(["events", "bytes", "malformed", "redacted"])

function loadOf(cells: Cells): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    sql.LOAD_COLUMNS.map((name, index) => {
      const text = cells[index] ?? ""
      if (name === "loadedAt") return [name, Date.parse(text)]
      return [name, NUMBERS.has(name) ? Number(text) : text]
    })
  )
}
