/**
 * Problems between the settings of loads and warehouses.
 *
 * @module
 */
import { type ReadSettings, storeNamed } from "../readSettings.ts"
import type { CommandName, Values } from "../table.ts"
import { flagOf, isTyped, type Problems } from "./flags.ts"

export function replaceProblems({ found, values }: ReadSettings): Problems {
  if (values.replace === undefined) return []
  return (["startDate", "endDate", "yesterday"] as const)
    .filter((name) => isTyped(found, name))
    .map((name) => `--replace cannot be combined with ${flagOf(name)}`)
}

/** Only Snowflake has a pipe. */
export function reconcileProblems({ found, values }: ReadSettings): Problems {
  if (!values.reconcile) return []
  const others = (["replace", "unverified", "dryRun"] as const)
    .filter((name) => isTyped(found, name))
    .map((name) => `--reconcile cannot be combined with ${flagOf(name)}`)
  return values.warehouse === "snowflake"
    ? others
    : [
        "--reconcile needs --warehouse snowflake: nothing but load brings lines into a file",
        ...others
      ]
}

/** A share of the days is for machines that share nothing but the lake. */
export function shardProblems(
  command: CommandName,
  { fromArchive, load, shard, warehouse }: Values
): Problems {
  if (shard === undefined) return []
  if (command === "all" && fromArchive !== undefined) {
    return ["--from-archive cannot be combined with --shard: archives land whole"]
  }
  return (command === "all" && load) || (command === "load" && warehouse !== "snowflake")
    ? [
        "--shard divides work between machines, and a DuckDB file has one writer: run load without --shard, or with --warehouse snowflake"
      ]
    : []
}

/** Flags of `all` that only matter to what it loads. */
export function loadProblems(command: CommandName, { found, values }: ReadSettings): Problems {
  if (command === "config" || values.load) return []
  return (["warehouseFile", "unverified"] as const)
    .filter((name) => isTyped(found, name))
    .map((name) => `${flagOf(name)} has no effect without ${flagOf("load")}`)
}

/** Snowflake reads the store by itself. */
export function snowflakeProblems(command: CommandName, read: ReadSettings): Problems {
  const { found, values } = read
  if (values.warehouse !== "snowflake") return []
  if (command === "verify") {
    return [
      "verify cannot read lines back from Snowflake, which keeps no text of them: use verify without --warehouse for the store, and status --warehouse snowflake for the ledger"
    ]
  }
  const named = storeNamed(read)
  const problems = []
  if (named === "local" || named === "memory") {
    problems.push(
      `--warehouse snowflake needs --store s3 or azure: Snowflake reads the store by itself, and cannot reach --store ${named}`
    )
  }
  if (isTyped(found, "warehouseFile")) {
    problems.push("--warehouse-file cannot be combined with --warehouse snowflake")
  }
  return problems
}

export function snowflakeSetupProblems({ found, values, wrong }: ReadSettings): Problems {
  const store = storeNamed({ found, values })
  if (wrong.has("store")) return []
  if (store === "local" || store === "memory") {
    return [
      `setup snowflake needs --store s3 or azure: Snowflake reads the store by itself, and cannot reach --store ${store}`
    ]
  }
  const acting = (["apply", "print", "describe"] as const).filter((name) => values[name])
  const problems: Array<string> = []
  if (acting.length > 1) {
    problems.push(`${acting.map(flagOf).join(" and ")} cannot be combined`)
  }
  const needed = store === "s3" ? "awsRoleArn" : "azureTenant"
  if (values[needed] === undefined && !wrong.has(needed) && !values.describe) {
    problems.push(`${flagOf(needed)} is missing: setup snowflake needs it for --store ${store}`)
  }
  const hasQueue = values.queueIntegration !== undefined || wrong.has("queueIntegration")
  if (store === "azure" && values.pipe && !hasQueue) {
    problems.push("--pipe needs --queue-integration for --store azure")
  }
  return problems
}
