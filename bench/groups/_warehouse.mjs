// Looks into warehouses, and makes them once.
import { DuckDBInstance } from "@duckdb/node-api"

/** What a statement returns of a DuckDB file. @param {string} file @param {string} sql */
export async function ask(file, sql) {
  const instance = await DuckDBInstance.create(file, { access_mode: "READ_ONLY" })
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** Does something at the first call only. @param {() => Promise<unknown>} work */
export function once(work) {
  /** @type {Promise<unknown> | undefined} */
  let done
  return () => (done ??= work())
}
