/** An emulator of Snowflake, and the warehouse in it. */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { resolve } from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { PYTHON } from "./dbt.ts"

export interface Emulator {
  readonly port: string
  /** Makes the raw tables in Snowflake's shape, with what a file of DuckDB holds. */
  readonly fill: (warehouse: string) => Promise<void>
  /** The rows of some tables that only the emulator has, or only the file. */
  readonly differences: (
    warehouse: string,
    tables: ReadonlyArray<string>
  ) => Promise<ReadonlyArray<string>>
  readonly end: () => Promise<void>
}

export async function startEmulator(): Promise<Emulator> {
  const child = spawn(PYTHON, [resolve("test/dbt/emulator.py")], {
    stdio: ["ignore", "ignore", "pipe"]
  })
  const ended = once(child, "exit")
  const lines = createInterface(child.stderr)
  const port = await new Promise<string>((resolve, reject) => {
    const last: Array<string> = []
    // Stays, as an emulator whose output nobody reads stops.
    lines.on("line", (line) => {
      const found = /running on http:\/\/[^:]+:(\d+)/.exec(line)
      if (found?.[1] !== undefined) resolve(found[1])
      else if (last.push(line) > 20) last.shift()
    })
    lines.once("close", () => reject(new Error(`The emulator ended: ${last.join("\n")}`)))
  })
  const run = async (command: string, ...words: ReadonlyArray<string>) => {
    const args = [resolve("test/dbt/emulated.py"), port, command, ...words]
    return (await promisify(execFile)(PYTHON, args, { maxBuffer: 2 ** 28 })).stdout
  }
  return {
    port,
    fill: async (warehouse) => void (await run("fill", warehouse)),
    differences: async (warehouse, tables) =>
      JSON.parse(await run("differences", warehouse, ...tables)),
    end: async () => {
      child.kill("SIGINT")
      await ended
    }
  }
}
