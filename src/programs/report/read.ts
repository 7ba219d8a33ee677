import { Chunk, Effect, Schema, Stream } from "effect"
import { type Cell, type OpenWarehouse, WarehouseError } from "../../services/Warehouse.ts"

/** Reads the rows of a query, each by its columns' names. Numbers have to be doubles. */
export type Read = <Fields extends Schema.Struct.Fields>(
  fields: Fields,
  sql: string
) => Effect.Effect<
  Schema.Schema.Type<Schema.Array$<Schema.Struct<Fields>>>,
  WarehouseError,
  Schema.Struct.Context<Fields>
>

/** Reads one query after the other. */
export function readFrom({ query }: OpenWarehouse, path: string): Read {
  return (fields, sql) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { columns, rows } = yield* query(sql)
        const found = Chunk.toReadonlyArray(yield* Stream.runCollect(rows)).flat()
        return found.map((row) =>
          Object.fromEntries(
            columns.map(({ name }, index): [string, Cell] => [name, row[index] ?? null])
          )
        )
      })
    ).pipe(
      Effect.flatMap((rows) =>
        Effect.mapError(
          Schema.decodeUnknown(Schema.Array(Schema.Struct(fields)))(rows),
          ({ message }) =>
            new WarehouseError({ reason: "Failed", method: "query", path, detail: message })
        )
      )
    )
}
