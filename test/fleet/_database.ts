import { randomBytes } from "node:crypto"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { Effect, type Scope } from "effect"
import pg from "pg"

const run = promisify(execFile)

/** The server that scripts/postgres.sh has started. */
const SERVER = process.env["AMPLITUDE_LAKE_DATABASE_URL"] ?? ""

/** Runs a statement in a database, and returns its rows. */
export async function query(
  url: string,
  sql: string
): Promise<ReadonlyArray<Readonly<Record<string, unknown>>>> {
  const client = new pg.Client({ connectionString: url })
  client.on("error", () => {})
  await client.connect()
  try {
    return (await client.query<Readonly<Record<string, unknown>>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** An empty database of its own, dropped when the scope closes. */
export const database: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.promise(async () => {
    const name = `fleet_${randomBytes(6).toString("hex")}`
    await query(SERVER, `create database ${name}`)
    return Object.assign(new URL(SERVER), { pathname: `/${name}` }).href
  }),
  (url) =>
    Effect.promise(() =>
      query(SERVER, `drop database ${new URL(url).pathname.slice(1)} with (force)`)
    )
)

/** Ends every session as a crash would, and starts again with what was committed. */
export const restartServer = Effect.promise(() => run("scripts/postgres.sh", ["restart"]))
