import * as http from "node:http"
import * as https from "node:https"
import { connect } from "node:tls"
import { isLoopbackHost } from "../../services/SafeUrl.ts"

type Environment = Readonly<Record<string, string | undefined>>

function read(environment: Environment, name: string): string {
  return (environment[name.toLowerCase()] || environment[name]) ?? ""
}

/** Whether the host is this machine, or `NO_PROXY` contains it, a parent domain, or `*`. */
function isExcluded(host: string, environment: Environment): boolean {
  if (isLoopbackHost(host)) return true
  return read(environment, "NO_PROXY")
    .split(/[\s,]+/)
    .map((name) => name.replace(/^\*?\./, "").replace(/:\d+$/, ""))
    .some((name) => name === "*" || (name !== "" && (host === name || host.endsWith(`.${name}`))))
}

/**
 * An agent that connects to https through the proxy in `HTTPS_PROXY`, except for hosts in
 * `NO_PROXY`; `undefined` without a proxy. The SDK does not support proxies. Throws if the proxy is
 * not a URL.
 */
export function makeProxyAgent(
  options: https.AgentOptions,
  environment: Environment = process.env
): https.Agent | undefined {
  const named = read(environment, "HTTPS_PROXY")
  if (named === "") return undefined
  if (!URL.canParse(named)) {
    const message = "HTTPS_PROXY is not a URL such as http://proxy.example:3128"
    throw Object.assign(new Error(message), { code: "EPROXY" })
  }
  const proxy = new URL(named)
  const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  const agent = new https.Agent(options)
  const direct = agent.createConnection.bind(agent)

  agent.createConnection = (target, done) => {
    const host = target.host ?? "localhost"
    if (isExcluded(host, environment)) return direct(target, done)
    const path = `${host}:${target.port ?? 443}`
    const request = (proxy.protocol === "https:" ? https : http).request({
      host: proxy.hostname,
      port: proxy.port || (proxy.protocol === "https:" ? 443 : 80),
      method: "CONNECT",
      path,
      agent: false,
      timeout: 10_000,
      headers: {
        host: path,
        ...(user === ":"
          ? {}
          : { "proxy-authorization": `Basic ${Buffer.from(user).toString("base64")}` })
      }
    })
    const fail = (code: string, message: string) =>
      done?.(Object.assign(new Error(message), { code }), undefined as never)
    request.on("timeout", () => request.destroy(new Error("The proxy did not answer")))
    request.on("error", ({ message }) =>
      fail("ECONNREFUSED", `Cannot connect to the proxy: ${message}`)
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
      done?.(null, connect({ ...(target as object), socket, servername: host }))
    })
    request.end()
    return undefined
  }
  return agent
}
