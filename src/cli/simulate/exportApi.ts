/**
 * Serves the provided `Amplitude` over HTTP, as Amplitude's Export API does.
 *
 * @module
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Either, Encoding, Option, Predicate, Redacted, Stream } from "effect"
import {
  Amplitude,
  type AmplitudeError,
  ReferenceStream,
  referenceStreams
} from "../../services/Amplitude.ts"
import { parseHour } from "../../services/Hour.ts"
import { Window } from "../../services/Window.ts"

export interface ExportApiOptions {
  readonly apiKey: Redacted.Redacted
  readonly secretKey: Redacted.Redacted
  /**
   * In bytes. Larger archives are answered with 400, as Amplitude does above 4 GB. No limit by
   * default.
   */
  readonly maxBytes?: number | undefined
  /**
   * The `Date` header, in milliseconds since 1970. Defaults to the date of the `Amplitude`, or else
   * to the server's clock.
   */
  readonly date?: number | undefined
}

const maxWindowHours = 365 * 24

const statuses: Record<AmplitudeError["reason"], number> = {
  Unauthorized: 401,
  Forbidden: 403,
  TooLarge: 400,
  GatewayTimeout: 504,
  RateLimited: 429,
  Unavailable: 503,
  Stalled: 503,
  Untrusted: 502,
  Redirected: 502,
  Rejected: 400
}

const tooLarge =
  "The exported data is too large: the limit is 4GB. Choose a smaller time range and try again."

/** An error response in the only form that Amplitude is known to use. */
function failure(
  status: number,
  message: string,
  details: string = message,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse {
  const error = { http_code: status, type: "invalid", message, metadata: { details } }
  return HttpServerResponse.unsafeJson({ error }, { status, headers })
}

function errorResponse(error: AmplitudeError): HttpServerResponse.HttpServerResponse {
  const { reason, status = 0, detail, retryAfter } = error
  return failure(
    status >= 400 && status < 600 ? status : statuses[reason],
    reason === "TooLarge" ? tooLarge : detail,
    detail,
    retryAfter === undefined ? {} : { "retry-after": String(Math.ceil(retryAfter / 1000)) }
  )
}

/** Compares in constant time for texts of equal length, so that timing does not reveal a key. */
function isSame(given: string, secret: string): boolean {
  let difference = given.length ^ secret.length
  for (let index = 0; index < given.length; index++) {
    difference |= given.charCodeAt(index) ^ secret.charCodeAt(index % secret.length)
  }
  return difference === 0
}

/** The `user:password` of HTTP basic authentication, if there is one. */
function credentialsOf(authorization: string | undefined): Option.Option<string> {
  const [, encoded] = /^basic +(\S+)$/i.exec(authorization ?? "") ?? []
  return encoded === undefined
    ? Option.none()
    : Either.getRight(Encoding.decodeBase64String(encoded))
}

function refusalOf(
  authorization: string | undefined,
  { apiKey, secretKey }: ExportApiOptions
): HttpServerResponse.HttpServerResponse | undefined {
  const credentials = credentialsOf(authorization)
  if (Option.isNone(credentials)) {
    const challenge = { "www-authenticate": `Basic realm="Amplitude"` }
    return failure(401, "Unauthorized", "No API key", challenge)
  }
  return isSame(credentials.value, `${Redacted.value(apiKey)}:${Redacted.value(secretKey)}`)
    ? undefined
    : failure(403, "Forbidden", "Invalid API Key")
}

function windowOf(params: URLSearchParams): Either.Either<Window, string> {
  const [first, last] = ["start", "end"].map((name) => {
    const text = params.get(name) ?? ""
    return /^\d{8}T\d{2}$/.test(text) ? Option.getOrUndefined(parseHour(text)) : undefined
  })
  if (first === undefined) return Either.left("start must be an hour in the form YYYYMMDDTHH")
  if (last === undefined) return Either.left("end must be an hour in the form YYYYMMDDTHH")
  if (last < first) return Either.left("start is after end")
  const window = new Window({ first, last })
  return window.length > maxWindowHours
    ? Either.left("start and end are more than 365 days apart")
    : Either.right(window)
}

/** Whether a window's archive exceeds a limit. Requests it a second time instead of buffering it. */
const exceeds = Effect.fnUntraced(function* (window: Window, maxBytes: number) {
  const { archive } = yield* (yield* Amplitude).export(window)
  if (Option.isNone(archive)) return false
  const size = yield* Stream.runFoldWhile(
    archive.value.bytes,
    0,
    (count) => count <= maxBytes,
    (count, chunk) => count + chunk.length
  )
  return size > maxBytes
}, Effect.scoped)

/**
 * Node's server would end a failed body as if it were complete. Only a cut connection shows the
 * client that it is not.
 */
function cutConnection({ source }: HttpServerRequest.HttpServerRequest): Effect.Effect<void> {
  return Effect.sync(() => {
    const socket: unknown = Predicate.hasProperty(source, "socket") ? source.socket : undefined
    if (Predicate.hasProperty(socket, "destroySoon") && Predicate.isFunction(socket.destroySoon)) {
      socket.destroySoon()
    }
  })
}

const streams = ReferenceStream.literals

function pathOf(url: string): string {
  return new URL(url, "http://localhost").pathname
}

const listOf = Effect.fnUntraced(function* (stream: ReferenceStream) {
  const { reference } = yield* Amplitude
  if (reference === undefined) return failure(404, "Not Found")
  return HttpServerResponse.uint8Array(yield* reference(stream), {
    contentType: "application/json"
  })
})

const answer = Effect.fn("exportApi")(
  function* (options: ExportApiOptions) {
    const request = yield* HttpServerRequest.HttpServerRequest
    if (request.method !== "GET") {
      return failure(405, "Method Not Allowed", undefined, { allow: "GET" })
    }
    const refusal = refusalOf(request.headers["authorization"], options)
    if (refusal !== undefined) return refusal
    const list = streams.find((it) => referenceStreams[it].path === pathOf(request.url))
    if (list !== undefined) return yield* listOf(list)
    const window = windowOf(new URL(request.url, "http://localhost").searchParams)
    if (Either.isLeft(window)) return failure(400, window.left)

    const amplitude = yield* Amplitude
    const { maxBytes } = options
    const { archive, date } = yield* amplitude.export(window.right)
    const millis = options.date ?? Option.getOrUndefined(date)
    const headers = millis === undefined ? {} : { date: new Date(millis).toUTCString() }
    if (Option.isNone(archive)) return failure(404, "No data in this range", undefined, headers)
    const { size, bytes } = archive.value
    const isTooLarge =
      maxBytes !== undefined &&
      (Option.isSome(size) ? size.value > maxBytes : yield* exceeds(window.right, maxBytes))
    if (isTooLarge) return failure(400, tooLarge, undefined, headers)
    return HttpServerResponse.stream(
      Stream.tapErrorCause(bytes, () => cutConnection(request)),
      { contentType: "application/zip", headers }
    )
  },
  Effect.catchTag("AmplitudeError", (error) => Effect.succeed(errorResponse(error)))
)

/**
 * Serves `GET /api/2/export?start=YYYYMMDDTHH&end=YYYYMMDDTHH` with HTTP basic authentication: 200
 * with a streamed zip, 404 without events, 401, 403, 400 or the status of the `Amplitude`'s error.
 * If a body fails midway, the connection is cut. Beside it are the lists of events, cohorts and
 * annotations.
 */
export function exportApi(options: ExportApiOptions): HttpApp.Default<never, Amplitude> {
  return HttpRouter.empty.pipe(
    HttpRouter.all("/api/2/export", answer(options)),
    HttpRouter.all(referenceStreams.events.path, answer(options)),
    HttpRouter.all(referenceStreams.cohorts.path, answer(options)),
    HttpRouter.all(referenceStreams.annotations.path, answer(options)),
    Effect.catchTag("RouteNotFound", () => Effect.succeed(failure(404, "Not Found")))
  )
}
