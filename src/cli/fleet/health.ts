import { createServer, type ServerResponse } from "node:http"
import { Effect, Runtime, type Scope } from "effect"
import type { WorkerStanding } from "../../programs/fleet/workFleet.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { type Counted, counted } from "../../programs/run/telemetry.ts"
import { CommandError } from "../CommandError.ts"

interface HealthOptions {
  readonly host: string
  readonly port: number
  readonly standing: Effect.Effect<WorkerStanding>
}

/**
 * Answers `/health`, with 503 while no lane has the database, and `/metrics` in Prometheus' text format. Nothing
 * in either is secret.
 */
export const serveHealth = Effect.fn("serveHealth")(function* ({
  host,
  port,
  standing
}: HealthOptions): Effect.fn.Return<void, CommandError, Scope.Scope> {
  const answer = Effect.fnUntraced(function* (path: string | undefined, to: ServerResponse) {
    const now = yield* standing
    if (path === "/health") {
      to.writeHead(now.connected > 0 ? 200 : 503, { "content-type": "application/json" })
      return to.end(`${JSON.stringify(now)}\n`)
    }
    if (path !== "/metrics") return to.writeHead(404).end()
    to.writeHead(200, { "content-type": "text/plain; version=0.0.4" })
    return to.end(workerMetrics(now, yield* counted))
  })
  const run = Runtime.runPromise(yield* Effect.runtime())
  yield* Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>, CommandError>((resume) => {
      const server = createServer(({ url }, to) => void run(answer(url, to)))
      server.once("error", ({ message }) =>
        resume(
          Effect.fail(
            new CommandError({
              message: `Cannot answer on ${host}:${port}: ${message}: choose another --health-port`,
              exitCode: EXIT.usage
            })
          )
        )
      )
      server.listen(port, host, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )
})

function metric(
  name: string,
  kind: "counter" | "gauge",
  help: string,
  samples: ReadonlyArray<readonly [labels: string, value: number]>
): ReadonlyArray<string> {
  return [
    `# HELP amplitude_lake_worker_${name} ${help}`,
    `# TYPE amplitude_lake_worker_${name} ${kind}`,
    ...samples.map(([labels, value]) => `amplitude_lake_worker_${name}${labels} ${value}`)
  ]
}

/** A worker lives long enough to count. */
export function workerMetrics(
  { busy, connected, lanes, windows }: WorkerStanding,
  counts: ReadonlyArray<Counted>
): string {
  const sum = (name: string) =>
    counts.filter((it) => it.name === name).reduce((total, { value }) => total + value, 0)
  const hours = counts
    .filter(({ name }) => name === "hours")
    .map(({ tags, value }) => [`{outcome="${tags["outcome"]}"}`, value] as const)
  return `${[
    metric("lanes", "gauge", "Windows that the worker may land at once.", [["", lanes]]),
    metric("lanes_connected", "gauge", "Lanes with a connection to the database.", [
      ["", connected]
    ]),
    metric("lanes_busy", "gauge", "Lanes that are landing a window.", [["", busy]]),
    metric(
      "windows_total",
      "counter",
      "Windows by how they ended.",
      Object.entries(windows).map(([name, value]) => [`{outcome="${name}"}`, value])
    ),
    metric("outcomes_total", "counter", "Hours by outcome.", hours),
    metric("events_total", "counter", "Events landed.", [["", sum("events")]]),
    metric("retries_total", "counter", "Retries.", [["", sum("retries")]])
  ]
    .flat()
    .join("\n")}\n`
}
