import { Effect, Schema } from "effect"
import { type OpenWarehouse, ReferenceList, WarehouseError } from "../../services/Warehouse.ts"
import type { Client } from "./client.ts"
import { LIST_COLUMNS, LISTS, loadList, tooLong } from "./listStatements.ts"

const decodeLists = Schema.decodeUnknown(Schema.Array(ReferenceList))

/** The lists of a schema. One that was made without their tables has none, and takes none. */
export function referenceLists(
  client: Client,
  path: string,
  write: (statements: () => ReadonlyArray<string>) => Effect.Effect<void, WarehouseError>
): Pick<OpenWarehouse, "lists" | "loadList"> {
  const failure = (reason: WarehouseError["reason"], detail: string) =>
    new WarehouseError({ reason, method: "load", path, detail })
  return {
    lists: client.rows("read", LISTS).pipe(
      Effect.catchIf(
        ({ reason }) => reason === "NotFound",
        () => Effect.succeed([])
      ),
      Effect.flatMap((rows) =>
        Effect.mapError(decodeLists(rows.map(listOf)), ({ message }) => {
          const detail = `its lists cannot be read: ${message}`
          return new WarehouseError({ reason: "Failed", method: "read", path, detail })
        })
      )
    ),
    loadList: Effect.fnUntraced(function* (list, entries) {
      const number = tooLong(entries)
      if (number !== undefined) {
        const detail = `entry ${number} of "${list.key}" is longer than what Snowflake takes in a statement`
        return yield* failure("Unreadable", detail)
      }
      yield* Effect.mapError(
        Effect.forEach(loadList(list, entries), (it) => write(() => it), { discard: true }),
        (error) =>
          error.reason === "NotFound"
            ? failure("Misconfigured", "the tables for lists are missing, or hidden from the role")
            : error
      )
    })
  }
}

function listOf(cells: ReadonlyArray<string | null>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    LIST_COLUMNS.map((name, index) => {
      const text = cells[index] ?? ""
      if (name === "loadedAt") return [name, Date.parse(text)]
      return [name, name === "entries" ? Number(text) : text]
    })
  )
}
