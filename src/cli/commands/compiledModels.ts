/**
 * The SQL of the models, which dbt has compiled and this package brings.
 *
 * @module
 */
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Effect, Schema } from "effect"
import { parseCsv } from "../../programs/answer/csv.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import type { Model } from "../../services/Warehouse.ts"
import { CommandError } from "../CommandError.ts"

const PlannedModel = Schema.Struct({
  name: Schema.String,
  schema: Schema.String,
  materialized: Schema.Literal("view", "table", "seed"),
  file: Schema.String,
  columns: Schema.optional(Schema.Record({ key: Schema.String, value: Schema.String }))
})
type PlannedModel = typeof PlannedModel.Type

const decodePlan = Schema.decodeUnknownSync(Schema.parseJson(Schema.Array(PlannedModel)))

/** The folder of this package that they are in: from the sources, the modules or the bundle. */
function packagedFolder(): string {
  const above = ["..", "../..", "../../.."].map((up) =>
    fileURLToPath(new URL(`${up}/dbt/compiled`, new URL(".", import.meta.url)))
  )
  return above.find((folder) => existsSync(join(folder, "plan.json"))) ?? above[0] ?? ""
}

/** The models in the order in which they are built. */
export const readCompiledModels = (
  folder = packagedFolder()
): Effect.Effect<ReadonlyArray<Model>, CommandError> =>
  Effect.tryPromise({
    try: async () => {
      const plan = decodePlan(await fs.readFile(join(folder, "plan.json"), "utf8"))
      return Promise.all(
        plan.map(async (it) => modelOf(it, await fs.readFile(join(folder, it.file), "utf8")))
      )
    },
    catch: (cause) =>
      new CommandError({
        message: `The models cannot be read from "${folder}": ${cause instanceof Error ? cause.message : String(cause)}; install amplitude-lake again`,
        exitCode: EXIT.usage
      })
  })

function modelOf({ columns = {}, materialized, name, schema }: PlannedModel, text: string): Model {
  if (materialized !== "seed") return { schema, name, kind: materialized, sql: text }
  const [head, ...records] = parseCsv(text)
  const rows = records.map(({ fields }) => fields.map((it) => (it === "" ? null : it)))
  // What has no type in the plan is text.
  const types = Object.fromEntries(
    (head?.fields ?? []).map((column) => [column, columns[column] ?? "varchar"])
  )
  return { schema, name, kind: "rows", columns: types, rows, areExamples: true }
}
