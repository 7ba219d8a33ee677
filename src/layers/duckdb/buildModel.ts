import { Effect, Option } from "effect"
import { type IpRange, type Model, WarehouseError } from "../../services/Warehouse.ts"
import { type Connection, quoted } from "./connection.ts"
import { inTransaction } from "./inTransaction.ts"

type RowsModel = Extract<Model, { readonly kind: "rows" }>

/** Makes a model in the place of what has its name, and counts its rows. */
export const buildModel = (connection: Connection, model: Model) =>
  inTransaction(connection, replaceModel(connection, model)).pipe(
    Effect.mapError((error) =>
      error instanceof WarehouseError && error.method === "build"
        ? new WarehouseError({ ...error, detail: `model ${model.name}: ${error.detail}` })
        : error
    )
  )

const replaceModel = Effect.fnUntraced(function* (connection: Connection, model: Model) {
  const { execute, rows, run } = connection
  const schema = quoted(model.schema)
  const name = `${schema}.${quoted(model.name)}`
  yield* run("build", `create schema if not exists ${schema}`)
  const [found] = yield* rows(
    "build",
    "select table_type from information_schema.tables where table_catalog = current_database() and table_schema = $1 and table_name = $2",
    [model.schema, model.name]
  )
  // DuckDB replaces a view only by a view.
  const standing = found?.["table_type"]
  const isView = model.kind === "view"
  if (standing !== undefined && (standing === "VIEW") !== isView) {
    yield* run("build", `drop ${standing === "VIEW" ? "view" : "table"} ${name}`)
  }
  if (model.kind !== "rows") {
    yield* execute("build", `create or replace ${model.kind} ${name} as\n${model.sql}`)
  } else if (!(yield* hasColumns(connection, model))) yield* replaceRows(connection, name, model)
  if (isView) return Option.none<number>()
  const [counted] = yield* rows("build", `select count(*)::double as rows from ${name}`)
  return Option.some(Number(counted?.["rows"]))
})

/** Whether examples are not needed, because there is a table with their columns. */
const hasColumns = Effect.fnUntraced(function* ({ rows }: Connection, model: RowsModel) {
  if (!model.areExamples) return false
  const found = yield* rows(
    "build",
    "select column_name from information_schema.columns where table_catalog = current_database() and table_schema = $1 and table_name = $2 order by ordinal_position",
    [model.schema, model.name]
  )
  const columns = found.map((it) => it["column_name"])
  return columns.join("\n") === Object.keys(model.columns).join("\n")
})

const replaceRows = Effect.fnUntraced(function* (
  { run }: Connection,
  name: string,
  { columns, rows }: RowsModel
) {
  const types = Object.entries(columns)
  const list = types.map(([column, type]) => `${quoted(column)} ${type}`).join(", ")
  yield* run("build", `create or replace table ${name} (${list})`)
  const values = types.map(([, type], index) => `cast($${index + 1} as ${type})`).join(", ")
  for (const row of rows) yield* run("build", `insert into ${name} values (${values})`, row)
})

/** Replaces the networks that the user has named. */
export const replaceIpRanges = (connection: Connection, ranges: ReadonlyArray<IpRange>) =>
  inTransaction(
    connection,
    Effect.acquireUseRelease(
      Effect.zipRight(
        connection.run("build", "delete from amplitude.ip_ranges"),
        connection.appender("ip_ranges")
      ),
      (rows) =>
        connection.now("build", () => {
          for (const { asn, company, first, kind, last } of ranges) {
            rows.appendVarchar(first)
            rows.appendVarchar(last)
            if (asn === null) rows.appendNull()
            else rows.appendBigInt(asn)
            if (company === null) rows.appendNull()
            else rows.appendVarchar(company)
            rows.appendVarchar(kind)
            rows.endRow()
          }
          rows.flushSync()
        }),
      (rows) => Effect.ignore(connection.now("build", () => rows.closeSync()))
    )
  )
