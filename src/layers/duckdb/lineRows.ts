import type {
  DuckDBAppender,
  DuckDBBlobVector,
  DuckDBTimestampValue,
  DuckDBVarCharVector
} from "@duckdb/node-api"

type Api = typeof import("@duckdb/node-api")

/** What DuckDB takes at once. */
const ROWS = 2048
/** What it compresses at once. Kept longer, rows would only take memory. */
const ROW_GROUP = 8192

/** The rows of one load of an hour. */
export interface LineRows {
  /** Adds a line: UTF-8 in memory that must not change before `settle`. */
  readonly add: (line: Uint8Array) => void
  /** Copies the lines that were added since. */
  readonly settle: () => void
  /** Passes the last rows on. */
  readonly finish: () => void
}

type Texts = Pick<DuckDBBlobVector, "flush"> & {
  readonly setItem: (row: number, line: Uint8Array) => void
}

/** Numbers an hour's lines, and appends them in pieces to `events_raw`. */
export function lineRows(api: Api, appender: DuckDBAppender, hour: DuckDBTimestampValue): LineRows {
  const { DuckDBDataChunk, INTEGER, TIMESTAMP, VARCHAR } = api
  const chunk = DuckDBDataChunk.create([TIMESTAMP, INTEGER, VARCHAR], ROWS)
  const hours = Array.from({ length: ROWS }, () => hour)
  let texts = textsOf(api, chunk.getColumnVector(2) as DuckDBVarCharVector)
  let appended = 0
  let rows = 0

  function pass(): void {
    texts.flush()
    chunk.rowCount = rows
    chunk.setColumnValues(0, hours.slice(0, rows))
    chunk.setColumnValues(
      1,
      Array.from({ length: rows }, (_, row) => appended + row + 1)
    )
    appender.appendDataChunk(chunk)
    appended += rows
    if (appended % ROW_GROUP === 0) appender.flushSync()
    rows = 0
    chunk.reset()
    chunk.rowCount = ROWS
    texts = textsOf(api, chunk.getColumnVector(2) as DuckDBVarCharVector)
  }

  return {
    add: (line) => {
      texts.setItem(rows++, line)
      if (rows === ROWS) pass()
    },
    settle: () => texts.flush(),
    finish: () => {
      if (rows > 0) pass()
      appender.flushSync()
    }
  }
}

/** Texts of a vector, set as bytes: DuckDB would turn strings into the same bytes, at twice the cost. */
function textsOf(api: Api, vector: DuckDBVarCharVector): Texts {
  const bytes = canSetBytes(api) ? bytesOf(api, vector) : undefined
  return bytes === undefined
    ? {
        setItem: (row, line) => vector.setItem(row, Buffer.from(line).toString()),
        flush: () => vector.flush()
      }
    : {
        setItem: (row, line) => bytes.setItem(row, new api.DuckDBBlobValue(line)),
        flush: () => bytes.flush()
      }
}

/** A view of texts as bytes. The package has none, but its vectors of bytes are stored alike. */
function bytesOf({ DuckDBBlobVector }: Api, text: DuckDBVarCharVector): DuckDBBlobVector {
  const { vector } = text as unknown as {
    readonly vector: Parameters<typeof DuckDBBlobVector.fromRawVector>[0]
  }
  return DuckDBBlobVector.fromRawVector(vector, text.itemCount)
}

let tested: boolean | undefined

/** Whether this version of the package takes a text's bytes and returns that text. Tested once. */
function canSetBytes(api: Api): boolean {
  return (tested ??= isRight(api))
}

function isRight(api: Api): boolean {
  const texts = ["", "short", `{"longer": "than what is stored inline", "with": "é, 提灯, \0"}`]
  try {
    const chunk = api.DuckDBDataChunk.create([api.VARCHAR], texts.length)
    const bytes = bytesOf(api, chunk.getColumnVector(0) as DuckDBVarCharVector)
    for (const [row, text] of texts.entries()) {
      bytes.setItem(row, new api.DuckDBBlobValue(Buffer.from(text)))
    }
    bytes.flush()
    chunk.rowCount = texts.length
    return chunk.getColumnValues(0).every((value, row) => value === texts[row])
  } catch {
    return false
  }
}
