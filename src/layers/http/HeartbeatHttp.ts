/**
 * A heartbeat over HTTP, as healthchecks.io and monitors like it take it: a GET of the URL for a
 * success, of the URL with `/fail` for a failure.
 *
 * Source: https://healthchecks.io/docs/http_api/
 *
 * @module
 */
import { Config, type ConfigError, Duration, Effect, Layer } from "effect"
import { Heartbeat, HeartbeatError } from "../../services/Heartbeat.ts"
import { type OneRequestOptions, oneRequestTo } from "./oneRequest.ts"

export type HeartbeatHttpOptions = OneRequestOptions

/**
 * Requests one URL. If the URL is not safe, every heartbeat fails as `Rejected` without sending
 * anything.
 */
export function make(options: HeartbeatHttpOptions): Effect.Effect<Heartbeat["Type"]> {
  return Effect.sync(() => {
    const { host, send } = oneRequestTo(options)
    return Heartbeat.of({
      beat: (isSuccess, timeout) =>
        send({
          method: "GET",
          path: isSuccess ? "" : "fail",
          timeout: Duration.decode(timeout)
        }).pipe(
          Effect.mapError((refusal) => new HeartbeatError({ ...refusal, host })),
          Effect.withSpan("HeartbeatHttp.beat")
        )
    })
  })
}

/**
 * @example
 * ```ts
 * import { Config } from "effect"
 * import * as HeartbeatHttp from "amplitude-lake/layers/HeartbeatHttp"
 *
 * export const heartbeat = HeartbeatHttp.layerConfig({ url: Config.redacted("HEARTBEAT_URL") })
 * ```
 */
export function layer(options: HeartbeatHttpOptions): Layer.Layer<Heartbeat> {
  return Layer.effect(Heartbeat, make(options))
}

export function layerConfig(
  config: Config.Config.Wrap<HeartbeatHttpOptions>
): Layer.Layer<Heartbeat, ConfigError.ConfigError> {
  return Layer.effect(Heartbeat, Effect.flatMap(Config.unwrap(config), make))
}
