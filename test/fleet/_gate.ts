import http from "node:http"
import type { AddressInfo } from "node:net"
import { Effect, type Scope } from "effect"

/** A server in front of the Export API that keeps answers back and counts what is open. */
export interface Gate {
  readonly origin: string
  /** In milliseconds, of every answer from now on; `Infinity` keeps them back until they are let go. */
  delay: number
  /** Lets the answers go that are kept back now. */
  readonly letGo: () => void
  /** The largest number of requests that were open at once, by project's key. */
  readonly most: ReadonlyMap<string, number>
  /** The number of requests that are open. */
  readonly open: () => number
  /** Windows that were requested while they were open. */
  readonly twice: ReadonlyArray<string>
  /** Every window that was requested, in this order. */
  readonly windows: ReadonlyArray<string>
}

/** The API key of a request. */
function keyOf({ authorization = "" }: http.IncomingHttpHeaders): string {
  return Buffer.from(authorization.replace("Basic ", ""), "base64").toString().split(":")[0] ?? ""
}

/** Listens until the scope closes. */
export const openGate = Effect.fn("openGate")(function* (
  target: string
): Effect.fn.Return<Gate, never, Scope.Scope> {
  const open: Array<readonly [key: string, window: string]> = []
  const most = new Map<string, number>()
  const [twice, windows]: [Array<string>, Array<string>] = [[], []]
  const kept = new Set<() => void>()
  const gate = { delay: 0 }
  const handOn: http.RequestListener = ({ headers, socket, url = "/" }, response) => {
    const { searchParams } = new URL(url, target)
    const entry = [
      keyOf(headers),
      `${searchParams.get("start")}..${searchParams.get("end")}`
    ] as const
    const [key, window] = entry
    if (open.some((it) => it.join() === entry.join())) twice.push(window)
    windows.push(window)
    open.push(entry)
    most.set(key, Math.max(most.get(key) ?? 0, open.filter(([its]) => its === key).length))
    const answer = () => {
      kept.delete(answer)
      const onward = http.request(`${target}${url}`, { headers, agent: false }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      onward.on("error", () => response.destroy())
      onward.end()
    }
    const timer = gate.delay === Infinity ? undefined : setTimeout(answer, gate.delay)
    if (timer === undefined) kept.add(answer)
    const close = () => {
      clearTimeout(timer)
      kept.delete(answer)
      socket.off("end", close)
      if (open.includes(entry)) open.splice(open.indexOf(entry), 1)
    }
    response.once("close", close)
    // The request of a killed worker is over when its end is read, which may be well before its socket closes.
    socket.once("end", close)
  }
  const server = yield* Effect.acquireRelease(
    Effect.async<http.Server>((resume) => {
      const made = http.createServer(handOn)
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.sync(() => {
        made.close()
        made.closeAllConnections()
      })
  )
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(gate, {
    origin,
    most,
    twice,
    windows,
    open: () => open.length,
    letGo: () => {
      for (const answer of kept) answer()
    }
  })
})
