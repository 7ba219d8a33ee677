import net from "node:net"
import type { AddressInfo } from "node:net"
import { Effect, type Scope } from "effect"

/** A way to a server that can be cut: nothing passes any more, and neither side is told. */
export interface Link {
  /** The URL of what is behind, by way of the link. */
  readonly url: string
  readonly cut: () => void
  /** What was sent meanwhile arrives now. */
  readonly heal: () => void
}

/** Listens until the scope closes. */
export const openLink = Effect.fn("openLink")(function* (
  target: string
): Effect.fn.Return<Link, never, Scope.Scope> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<net.Socket>()
  let isCut = false
  const server = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      sockets.add(from)
      from.on("error", () => to.destroy())
      from.once("close", () => sockets.delete(from))
      from.pipe(to)
      if (isCut) from.pause()
    }
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.void))
    }),
    () =>
      Effect.sync(() => {
        server.close()
        for (const it of sockets) it.destroy()
      })
  )
  const all = (does: (socket: net.Socket) => void) => {
    for (const it of sockets) does(it)
  }
  return {
    url: Object.assign(new URL(target), {
      host: `127.0.0.1:${(server.address() as AddressInfo).port}`
    }).href,
    cut: () => {
      isCut = true
      all((it) => it.pause())
    },
    heal: () => {
      isCut = false
      all((it) => it.resume())
    }
  }
})
