// DuckDB's own way: one statement that reads all files into a table, with the settings that it has by default.
import { DuckDBInstance } from "@duckdb/node-api"

const [reader = "", files = "", file = ""] = process.argv.slice(2)

const columns = reader === "read_json" ? ", union_by_name = true" : ""
const instance = await DuckDBInstance.create(file)
const connection = await instance.connect()
await connection.run(`create table events as select * from ${reader}('${files}'${columns})`)
connection.closeSync()
instance.closeSync()
