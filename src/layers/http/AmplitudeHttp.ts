/**
 * Amplitude's Export API over HTTP. Each call makes one request, without retries or redirects, to
 * the origin only.
 *
 * @module
 */
import {
  Clock,
  Config,
  type ConfigError,
  Duration,
  Effect,
  Either,
  Layer,
  Option,
  Redacted,
  type Scope,
  Stream
} from "effect"
import { type Dispatcher, request } from "undici"
import {
  Amplitude,
  AmplitudeError,
  type ExportAnswer,
  referenceStreams
} from "../../services/Amplitude.ts"
import { toExportText } from "../../services/Hour.ts"
import { parseSafeOrigin } from "../../services/SafeUrl.ts"
import type { Window } from "../../services/Window.ts"
import { answerError, header, hider, httpDate } from "./amplitudeAnswer.ts"
import { type Asked, bytesOf, orStalled, textOf } from "./amplitudeBody.ts"
import { type OpenRoute, openRoute } from "../../network/route.ts"
import { networkError } from "./networkError.ts"
import { identityOf, origins } from "./origin.ts"

export { origins } from "./origin.ts"

export interface AmplitudeHttpOptions {
  /** The project's data region. Defaults to `eu`. */
  readonly region?: keyof typeof origins | undefined
  /**
   * The URL before `/api/2/export`: https, or plain http on loopback, without a path. Overrides
   * `region`.
   */
  readonly origin?: string | undefined
  readonly apiKey: Redacted.Redacted<string>
  readonly secretKey: Redacted.Redacted<string>
  /** How long Amplitude may take to answer. Defaults to 10 minutes. */
  readonly firstByteTimeout?: Duration.DurationInput | undefined
  /** How long an answer may pause. Defaults to 2 minutes. */
  readonly idleTimeout?: Duration.DurationInput | undefined
  /** Program version, for the `User-Agent`. */
  readonly version?: string | undefined
}

/**
 * Bytes that may arrive while earlier ones are being written. They are then taken together, which
 * is cheaper.
 */
const AHEAD = 1024 * 1024

interface Session extends OpenRoute {
  readonly apiKey: Redacted.Redacted<string>
  readonly secretKey: Redacted.Redacted<string>
  readonly firstByteTimeout: Duration.Duration
  readonly idleTimeout: Duration.Duration
  readonly userAgent: string
}

/**
 * If the origin or the proxy is invalid, every export fails as `Rejected` without sending anything.
 */
export const make: (
  options: AmplitudeHttpOptions
) => Effect.Effect<Amplitude["Type"], never, Scope.Scope> = Effect.fnUntraced(function* (options) {
  const { apiKey, secretKey } = options
  const origin = Either.mapLeft(
    parseSafeOrigin(options.origin ?? origins[options.region ?? "eu"]),
    (problem) => `the Amplitude URL ${problem}`
  )
  const host = Either.match(origin, { onLeft: () => "nowhere", onRight: (url) => url.host })
  const route = yield* Effect.acquireRelease(
    Effect.sync(() => Either.flatMap(origin, openRoute)),
    (route) =>
      Either.isRight(route) ? Effect.promise(() => route.right.dispatcher.destroy()) : Effect.void
  )
  const session = Either.map(route, (route): Session => ({
    ...route,
    apiKey,
    secretKey,
    firstByteTimeout: Duration.decode(options.firstByteTimeout ?? "10 minutes"),
    idleTimeout: Duration.decode(options.idleTimeout ?? "2 minutes"),
    userAgent:
      options.version === undefined ? "amplitude-lake" : `amplitude-lake/${options.version}`
  }))

  return Amplitude.of({
    identity: identityOf(host, Redacted.value(apiKey), Redacted.value(secretKey)),
    export: Effect.fn("AmplitudeHttp.export")(function* (window) {
      yield* Effect.annotateCurrentSpan("window", String(window))
      if (Either.isLeft(session)) {
        return yield* new AmplitudeError({ reason: "Rejected", window, detail: session.left })
      }
      const { abort, signal } = cancellation()
      yield* Effect.addFinalizer(() => abort)
      const answer = yield* ask(
        session.right,
        exportUrl(session.right, window),
        window,
        signal
      ).pipe(
        Effect.flatMap((response) => read(session.right, window, response)),
        Effect.onError(() => abort)
      )
      if (Option.isNone(answer.archive)) yield* abort
      // The socket is released with the last byte, even if the scope lives longer.
      return {
        ...answer,
        archive: Option.map(answer.archive, ({ bytes, size }) => ({
          size,
          bytes: Stream.ensuring(bytes, abort)
        }))
      }
    }),
    reference: Effect.fn("AmplitudeHttp.reference")(function* (stream) {
      yield* Effect.annotateCurrentSpan("stream", stream)
      if (Either.isLeft(session)) {
        return yield* new AmplitudeError({ reason: "Rejected", stream, detail: session.left })
      }
      const { abort, signal } = cancellation()
      const url = new URL(referenceStreams[stream].path, session.right.url)
      return yield* ask(session.right, url, undefined, signal).pipe(
        Effect.flatMap((response) => readList(session.right, response)),
        Effect.mapError((error) => new AmplitudeError({ ...fieldsOf(error), stream })),
        Effect.ensuring(abort)
      )
    })
  })
})

/**
 * @example
 * ```ts
 * import { Config } from "effect"
 * import * as AmplitudeHttp from "amplitude-lake/layers/AmplitudeHttp"
 *
 * export const amplitude = AmplitudeHttp.layerConfig({
 *   region: Config.literal("eu", "us")("AMPLITUDE_REGION"),
 *   apiKey: Config.redacted("AMP_API_KEY"),
 *   secretKey: Config.redacted("AMP_SECRET_KEY")
 * })
 * ```
 */
export function layer(options: AmplitudeHttpOptions): Layer.Layer<Amplitude> {
  return Layer.scoped(Amplitude, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<AmplitudeHttpOptions>
): Layer.Layer<Amplitude, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

function cancellation() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: Effect.sync(() => controller.abort()) }
}

/** The keys for HTTP Basic authentication. */
function tokenOf({ apiKey, secretKey }: Session): string {
  return Buffer.from(`${Redacted.value(apiKey)}:${Redacted.value(secretKey)}`).toString("base64")
}

function exportUrl(session: Session, window: Window): URL {
  const url = new URL("/api/2/export", session.url)
  url.searchParams.set("start", toExportText(window.first))
  url.searchParams.set("end", toExportText(window.last))
  return url
}

/** `window` is what errors are about, if it is an export. */
function ask(
  session: Session,
  url: URL,
  window: Window | undefined,
  signal: AbortSignal
): Effect.Effect<Dispatcher.ResponseData, AmplitudeError> {
  return Effect.tryPromise({
    try: () =>
      request(url, {
        dispatcher: session.dispatcher,
        signal,
        highWaterMark: AHEAD,
        headers: {
          authorization: `Basic ${tokenOf(session)}`,
          "accept-encoding": "identity",
          "user-agent": session.userAgent
        }
      }),
    catch: (error) => networkError(window, session, error)
  }).pipe(orStalled(window, session.firstByteTimeout, () => `${session.host} did not answer`))
}

function fieldsOf({ detail, reason, retryAfter, status }: AmplitudeError) {
  return { detail, reason, retryAfter, status }
}

/** The error for an answer that is not what was requested. */
const refuse = Effect.fnUntraced(function* (
  session: Session,
  window: Window | undefined,
  { body, headers, statusCode: status }: Dispatcher.ResponseData
) {
  const { host, idleTimeout, proxied } = session
  const asked: Asked = { window, host, proxied, idleTimeout }
  // Only a 400 needs its text; any other status is clear.
  const text = textOf(asked, body).pipe(
    Effect.catchAll((error) => (status === 400 ? Effect.fail(error) : Effect.succeed("")))
  )
  return yield* answerError({
    window,
    origin: session.url.origin,
    status,
    headers,
    body: status < 400 || isCompressed(headers) ? "" : yield* text,
    now: yield* Clock.currentTimeMillis,
    hide: hider([
      Redacted.value(session.apiKey),
      Redacted.value(session.secretKey),
      tokenOf(session)
    ])
  })
})

function isCompressed(headers: Dispatcher.ResponseData["headers"]): boolean {
  return !/^(identity)?$/i.test(header(headers, "content-encoding") ?? "")
}

const LONGEST_LIST = 64 * 1024 ** 2

/** The bytes of a list, whole. */
const readList = Effect.fnUntraced(function* (session: Session, response: Dispatcher.ResponseData) {
  const { host, idleTimeout, proxied } = session
  const { body, headers, statusCode: status } = response
  if (status !== 200 || isCompressed(headers)) return yield* refuse(session, undefined, response)
  const asked: Asked = { window: undefined, host, proxied, idleTimeout }
  const size = Option.map(Option.fromNullable(header(headers, "content-length")), Number)
  const chunks: Array<Uint8Array> = []
  let length = 0
  yield* Stream.runForEach(bytesOf(asked, body, size), (bytes) => {
    chunks.push(bytes)
    length += bytes.length
    const detail = `the list is longer than ${LONGEST_LIST} bytes`
    return length > LONGEST_LIST
      ? Effect.fail(new AmplitudeError({ reason: "TooLarge", status, detail }))
      : Effect.void
  })
  return new Uint8Array(Buffer.concat(chunks))
})

const read = Effect.fnUntraced(function* (
  session: Session,
  window: Window,
  response: Dispatcher.ResponseData
) {
  const { body, headers, statusCode: status } = response
  const { host, idleTimeout, proxied } = session
  const asked: Asked = { window, host, proxied, idleTimeout }
  const date = httpDate(header(headers, "date"))

  if (status === 404) return { date, archive: Option.none() } satisfies ExportAnswer
  if (status !== 200 && status !== 204) {
    return yield* refuse(session, window, response)
  }
  if (isCompressed(headers)) {
    const detail = `the archive arrived compressed although that was not requested; check for a proxy between here and ${host}`
    return yield* new AmplitudeError({ reason: "Unavailable", window, status, detail })
  }
  const size = Option.map(Option.fromNullable(header(headers, "content-length")), Number)
  const bytes = bytesOf(asked, body, size)
  return { date, archive: Option.some({ size, bytes }) } satisfies ExportAnswer
})
