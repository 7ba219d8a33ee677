/** dbt's project, run in a folder of its own. */
import assert from "node:assert/strict"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"

export const PROJECT = resolve("dbt")
export const PYTHON = resolve("tools/dbt/venv/bin/python")

export interface Dbt {
  /** Runs a command on a warehouse and returns what it printed; fails if the command does. */
  readonly run: (warehouse: string, ...command: ReadonlyArray<string>) => Promise<string>
  readonly end: () => Promise<void>
}

export interface DbtOptions {
  /** The folder of the project, by default the one that is tested. */
  readonly project?: string
  readonly target?: string
  readonly env?: NodeJS.ProcessEnv
}

/** Its files go to `folder`. Only one command runs at a time. */
export function startDbt(
  folder: string,
  { env = {}, project = PROJECT, target = "duckdb" }: DbtOptions = {}
): Dbt {
  const child = spawn(PYTHON, [resolve("test/dbt/runs.py")], {
    cwd: folder,
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NO_COLOR: "1", ...env }
  })
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]()
  const options = ["--project-dir", project, "--profiles-dir", project, "--target", target]
  options.push("--target-path", join(folder, "target"), "--log-path", join(folder, "logs"))
  return {
    run: async (warehouse, ...command) => {
      child.stdin.write(`${JSON.stringify([warehouse, ...command, ...options])}\n`)
      const answer = await answers.next()
      assert.ok(answer.done !== true, `dbt ${command.join(" ")} ended without an answer`)
      const [status, output] = JSON.parse(answer.value) as [number, string]
      assert.equal(status, 0, `dbt ${command.join(" ")}: ${output}`)
      return output
    },
    end: async () => {
      const ended = once(child, "exit")
      child.stdin.end()
      await ended
    }
  }
}
