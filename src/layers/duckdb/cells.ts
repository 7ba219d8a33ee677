import type { DuckDBType, DuckDBValue } from "@duckdb/node-api"
import type { Cell } from "../../services/Warehouse.ts"

/** What is needed of the package, which is loaded when it is first used. */
type Api = typeof import("@duckdb/node-api")

/** Converts values, each into the text or number that says exactly what it is. */
export function cellsOf(api: Api): (value: DuckDBValue, type: DuckDBType | undefined) => Cell {
  const { DuckDBTypeId: Id } = api
  const convert = (value: DuckDBValue | undefined, type: DuckDBType | undefined): Cell => {
    if (value === null || value === undefined) return null
    if (typeof value === "boolean" || typeof value === "bigint") return value
    if (typeof value === "number") return type?.typeId === Id.FLOAT ? shortest(value) : value
    if (typeof value === "string") return type?.alias === "JSON" ? { json: value } : value
    if (value instanceof api.DuckDBDecimalValue) return { json: value.toString() }
    if (value instanceof api.DuckDBTimestampTZValue) {
      return instantText(new api.DuckDBTimestampValue(value.micros).toString())
    }
    if (type?.toString().startsWith("TIMESTAMP") === true) {
      return instantText(value.toString())
    }
    if (value instanceof api.DuckDBListValue || value instanceof api.DuckDBArrayValue) {
      const of = type !== undefined && "valueType" in type ? type.valueType : undefined
      return value.items.map((it) => convert(it, of))
    }
    if (value instanceof api.DuckDBStructValue) {
      const types = type !== undefined && "entryTypes" in type ? type.entryTypes : []
      return new Map(
        Object.entries(value.entries).map(
          ([name, it], index) => [name, convert(it, types[index])] as const
        )
      )
    }
    if (value instanceof api.DuckDBMapValue) {
      const { keyType, valueType } = type as Partial<Record<"keyType" | "valueType", DuckDBType>>
      return new Map(
        value.entries.map(
          ({ key, value: it }) => [plain(convert(key, keyType)), convert(it, valueType)] as const
        )
      )
    }
    if (value instanceof api.DuckDBUnionValue) {
      const of =
        type !== undefined && "memberTypeForTag" in type
          ? type.memberTypeForTag(value.tag)
          : undefined
      return convert(value.value, of)
    }
    return value.toString()
  }
  return convert
}

/** Whether a column holds numbers. */
export function isNumber({ DuckDBTypeId: Id }: Api, { typeId }: DuckDBType): boolean {
  return [
    Id.TINYINT,
    Id.SMALLINT,
    Id.INTEGER,
    Id.BIGINT,
    Id.HUGEINT,
    Id.UTINYINT,
    Id.USMALLINT,
    Id.UINTEGER,
    Id.UBIGINT,
    Id.UHUGEINT,
    Id.FLOAT,
    Id.DOUBLE,
    Id.DECIMAL
  ].includes(typeId)
}

/** `2025-11-10T21:00:00Z` for `2025-11-10 21:00:00`; what is not finite stays a word. */
function instantText(text: string): string {
  return /^\d+-\d\d-\d\d \S+$/.test(text) ? `${text.replace(" ", "T")}Z` : text
}

/** The shortest number that is the same in 32 bits: 0.1 for 0.10000000149011612. */
function shortest(number: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(number.toPrecision(digits))
    if (Math.fround(short) === number) return short
  }
  return number
}

/** The key of a map as text. */
function plain(cell: Cell): string {
  if (typeof cell === "object" && cell !== null && "json" in cell) return cell.json
  return typeof cell === "object" && cell !== null ? JSON.stringify(cell) : String(cell)
}
