import * as http from "node:http"
import * as https from "node:https"
import { isIP } from "node:net"
import { connect } from "node:tls"
import { Either, Redacted } from "effect"
import { proxyFor, readProxy } from "../../services/ProxyRules.ts"
import { NETWORK } from "./failure.ts"

type Environment = Readonly<Record<string, string | undefined>>

/** The name that TLS announces and compares with the certificate. Of an address there is none: Node 26 refuses one. */
function tlsName(host: string): string {
  return isIP(host) === 0 ? host : ""
}

/**
 * An agent that connects to https through the proxy in `HTTPS_PROXY`, except for hosts in
 * `NO_PROXY`; `undefined` without a proxy. The SDK does not support proxies. `options` count for the connection to the
 * proxy, too. Throws if the variable is not a proxy.
 */
export function makeProxyAgent(
  options: https.AgentOptions,
  environment: Environment = process.env
): https.Agent | undefined {
  const proxy = Either.getOrThrowWith(readProxy(environment), (message) =>
    Object.assign(new Error(message), { code: "EPROXY" })
  )
  if (proxy === undefined) return undefined
  const agent = new https.Agent(options)
  const direct = agent.createConnection.bind(agent)

  agent.createConnection = (target, done) => {
    const host = target.host ?? "localhost"
    const name = host.includes(":") ? `[${host}]` : host
    const path = `${name}:${target.port ?? 443}`
    const taken = proxyFor(new URL(`https://${path}`), environment)
    if (Either.isRight(taken) && taken.right === undefined) return direct(target, done)
    const request = (proxy.isSecure ? https : http).request({
      ...options,
      host: proxy.host,
      port: proxy.port,
      method: "CONNECT",
      path,
      agent: false,
      timeout: 10_000,
      // Without it, Node compares the proxy's certificate with the name in `Host`, which is the store's.
      servername: tlsName(proxy.host),
      headers: {
        host: path,
        ...(proxy.authorization === undefined
          ? {}
          : { "proxy-authorization": Redacted.value(proxy.authorization) })
      }
    })
    const fail = (code: string, message: string) =>
      done?.(Object.assign(new Error(message), { code }), undefined as never)
    const silent = Object.assign(new Error("it did not answer"), { code: "ETIMEDOUT" })
    request.on("timeout", () => request.destroy(silent))
    request.on("error", ({ code = "", message }: NodeJS.ErrnoException) =>
      fail(
        NETWORK.test(code) ? code : "EPROXY",
        `Cannot connect to the proxy in HTTPS_PROXY: ${message || code}`
      )
    )
    request.on("connect", ({ statusCode }, socket) => {
      if (statusCode !== 200) {
        socket.destroy()
        fail(
          "EPROXY",
          `The proxy in HTTPS_PROXY refused to connect to ${host} (HTTP ${statusCode})`
        )
        return
      }
      done?.(null, connect({ ...(target as object), socket, servername: tlsName(host) }))
    })
    request.end()
    return undefined
  }
  return agent
}
