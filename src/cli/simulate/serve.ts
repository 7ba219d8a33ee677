import { createServer } from "node:http"
import { mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { HttpServer } from "@effect/platform"
import { layer as nodeServer } from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer } from "effect"
import * as AmplitudeSynthetic from "../../layers/synthetic/AmplitudeSynthetic.ts"
import { exportApi } from "./exportApi.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { planWindow } from "../../programs/plan/planWindow.ts"
import { Clock } from "../../services/Clock.ts"
import { hourKey } from "../../services/HourKey.ts"
import { datesOf } from "../commands/options.ts"
import { clockLayer, syntheticOptions } from "../layers.ts"
import { CommandError } from "../CommandError.ts"
import { print } from "../terminal/print.ts"
import type { SettingsOf, Simulation } from "../settings/settingsOf.ts"

const NEWLINE = 10

/** Serves synthetic events as the Export API does until interrupted, or with `--dump` writes them. */
export const simulate = Effect.fn("simulate")(function* (settings: SettingsOf<"simulate">) {
  const { simulation } = settings
  return yield* simulation._tag === "Serve"
    ? serve(settings, simulation)
    : dump(settings, simulation.folder)
})

const serve = Effect.fnUntraced(function* (
  settings: SettingsOf<"simulate">,
  { port, ...api }: Extract<Simulation, { readonly _tag: "Serve" }>
) {
  const app = exportApi(api)
  const announced = HttpServer.addressWith((address) =>
    address._tag === "TcpAddress" ? print(`http://127.0.0.1:${address.port}`) : Effect.void
  )
  const server = createServer()
  // Clients may keep connections open for as long as they like, so closing must not wait for them.
  const cut = Effect.sync(() => {
    server.close()
    server.closeAllConnections()
  })
  const served = Layer.merge(HttpServer.serve(app), Layer.effectDiscard(announced))
  return yield* Layer.launch(
    Layer.provide(Layer.merge(served, Layer.scopedDiscard(Effect.addFinalizer(() => cut))), [
      nodeServer(() => server, { host: "127.0.0.1", port }),
      AmplitudeSynthetic.layer(syntheticOptions(settings))
    ])
  ).pipe(
    Effect.mapError(
      () =>
        new CommandError({
          message: `Cannot serve on 127.0.0.1:${port}: choose another --port, or 0 to pick a free one`,
          exitCode: EXIT.usage
        })
    )
  )
})

/** Writes one file per hour that has events, with the name and lines that a local store has. */
const dump = Effect.fnUntraced(function* (settings: SettingsOf<"simulate">, folder: string) {
  const time = yield* Effect.provide(
    Effect.flatMap(Clock, (clock) =>
      Effect.all({ now: clock.now, newestClosed: clock.newestClosedHour(settings.lagHours) })
    ),
    clockLayer(settings)
  )
  const window = planWindow({ ...datesOf(settings), healDays: 0 }, time, new Set())
  const writing = <A>(write: () => Promise<A>) =>
    Effect.tryPromise({
      try: write,
      catch: (error) =>
        new CommandError({
          message: `Cannot write to "${folder}": ${(error as NodeJS.ErrnoException).code ?? "Failed"}`,
          exitCode: EXIT.usage
        })
    })
  yield* writing(() => mkdir(folder, { recursive: true, mode: 0o700 }))
  for (const hour of window.hours) {
    const parts = [...AmplitudeSynthetic.syntheticHour(syntheticOptions(settings), hour)]
    if (parts.length === 0) continue
    const lines = parts.flatMap(({ lines: part }) =>
      part.at(-1) === NEWLINE ? [part] : [part, Uint8Array.of(NEWLINE)]
    )
    const file = join(folder, hourKey(hour, "hourly", "jsonl"))
    yield* writing(() => writeFile(file, Buffer.concat(lines), { mode: 0o600 }))
    yield* print(file)
  }
})
