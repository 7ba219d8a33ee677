// Writes dbt/compiled/: the SQL that dbt compiles for DuckDB, the seeds, and plan.json with the order in which `model` runs them.
// With --check, only fails if that is not what is there.
//
//   node scripts/models.mjs [--check]     DBT is the dbt to use, by default that of scripts/dbt.sh
import { execFileSync } from "node:child_process"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"

const OUT = "dbt/compiled"

/** What of dbt's manifest is used. @typedef {{ unique_id: string, resource_type: string, name: string, schema: string, database: string, compiled_code?: string, original_file_path: string, depends_on?: { nodes?: Array<string> }, config: { materialized: string, column_types?: Record<string, string> } }} Node */

/** The nodes that dbt compiles with an empty warehouse. @param {string} scratch @returns {Array<Node>} */
function compiledNodes(scratch) {
  const dbt = resolve(process.env["DBT"] ?? "tools/dbt/venv/bin/dbt")
  if (!existsSync(dbt)) throw new Error(`There is no ${dbt}: scripts/dbt.sh installs it`)
  // A copy, since dbt keeps paths of the last run beside the project.
  const project = join(scratch, "dbt")
  cpSync("dbt", project, {
    recursive: true,
    filter: (path) => !/\/(compiled|target|logs)$/.test(path)
  })
  const folders = ["--project-dir", project, "--profiles-dir", project]
  const options = ["--full-refresh", "--no-partial-parse", "--quiet", "--target", "duckdb"]
  execFileSync(dbt, ["compile", ...folders, ...options], {
    cwd: scratch,
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      AMPLITUDE_LAKE_WAREHOUSE_FILE: join(scratch, "lake.duckdb"),
      DBT_TARGET_PATH: join(scratch, "target"),
      DBT_LOG_PATH: join(scratch, "logs")
    }
  })
  const { nodes } = JSON.parse(readFileSync(join(scratch, "target/manifest.json"), "utf8"))
  return Object.values(nodes)
}

/** Each after those that it reads, else by name. @param {ReadonlyArray<Node>} nodes */
function inOrder(nodes) {
  const byId = new Map(nodes.map((node) => [node.unique_id, node]))
  /** @type {Set<Node>} */
  const order = new Set()
  /** @param {Node} node */
  const visit = (node) => {
    if (order.has(node)) return
    for (const id of [...(node.depends_on?.nodes ?? [])].sort()) {
      const before = byId.get(id)
      if (before !== undefined) visit(before)
    }
    order.add(node)
  }
  for (const id of [...byId.keys()].sort()) visit(/** @type {Node} */ (byId.get(id)))
  return [...order]
}

/** The files of dbt/compiled/ by name. @param {ReadonlyArray<Node>} nodes */
function filesOf(nodes) {
  /** @type {Map<string, string>} */
  const files = new Map()
  const plan = []
  for (const { name, schema, database, config, ...node } of nodes) {
    if (node.resource_type === "seed") {
      files.set(`${name}.csv`, readFileSync(join("dbt", node.original_file_path), "utf8"))
      plan.push({
        name,
        schema,
        materialized: "seed",
        file: `${name}.csv`,
        columns: config.column_types
      })
    } else if (config.materialized !== "ephemeral") {
      // The name of the database is that of the file.
      const sql = (node.compiled_code ?? "").replaceAll(`"${database}".`, "").trim()
      if (sql === "" || /\{\{|\{%/.test(sql)) throw new Error(`dbt has not rendered ${name}`)
      files.set(`${name}.sql`, `${sql.replaceAll(/[ \t]+$/gm, "").replaceAll(/\n{3,}/g, "\n\n")}\n`)
      const materialized = config.materialized === "view" ? "view" : "table"
      plan.push({ name, schema, materialized, file: `${name}.sql` })
    }
  }
  return files.set("plan.json", `${JSON.stringify(plan, null, 2)}\n`)
}

const scratch = mkdtempSync(join(tmpdir(), "amplitude-lake-models-"))
try {
  const nodes = compiledNodes(scratch)
  const files = filesOf(
    inOrder(nodes.filter(({ resource_type: type }) => type === "model" || type === "seed"))
  )
  const there = existsSync(OUT) ? readdirSync(OUT) : []
  const differing = [...new Set([...files.keys(), ...there])].filter(
    (name) => !there.includes(name) || readFileSync(join(OUT, name), "utf8") !== files.get(name)
  )
  if (process.argv.includes("--check")) {
    if (differing.length > 0) {
      console.error(`${OUT} is not what dbt compiles: run npm run models`)
      for (const name of differing.sort()) console.error(`  ${name}`)
      process.exitCode = 1
    }
  } else {
    mkdirSync(OUT, { recursive: true })
    for (const name of there) if (!files.has(name)) rmSync(join(OUT, name))
    for (const [name, text] of files) writeFileSync(join(OUT, name), text)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
