/**
 * The bodies of answers: an archive as it arrives, or the text of a refusal.
 *
 * @module
 */
import { setImmediate as turn } from "node:timers/promises"
import { Chunk, Duration, Effect, Option, Stream } from "effect"
import type { Dispatcher } from "undici"
import { AmplitudeError } from "../../services/Amplitude.ts"
import type { Window } from "../../services/Window.ts"
import type { Route } from "../../network/route.ts"
import { networkError } from "./networkError.ts"

/** The request of an answer, and its connection. */
export interface Asked extends Route {
  readonly window: Window | undefined
  /** How long the answer may pause. */
  readonly idleTimeout: Duration.Duration
}

type Body = Dispatcher.ResponseData["body"]

const LONGEST_TEXT = 64 * 1024

/** Fails as `Stalled` after a time; `saying` gives the reason. */
export function orStalled(
  window: Window | undefined,
  duration: Duration.Duration,
  saying: () => string
): <A, R>(self: Effect.Effect<A, AmplitudeError, R>) => Effect.Effect<A, AmplitudeError, R> {
  return Effect.timeoutFail({
    duration,
    onTimeout: () => {
      const detail = `${saying()} for ${Duration.format(duration)}`
      return new AmplitudeError({ reason: "Stalled", window, detail })
    }
  })
}

/** The beginning of a body as text, at most 64 KiB, within one idle timeout in total. */
export function textOf(asked: Asked, body: Body): Effect.Effect<string, AmplitudeError> {
  return Effect.tryPromise({
    try: async () => {
      const chunks: Array<Uint8Array> = []
      let length = 0
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        chunks.push(chunk)
        length += chunk.length
        if (length >= LONGEST_TEXT) break
      }
      return Buffer.concat(chunks).toString("utf8", 0, LONGEST_TEXT)
    },
    catch: (error) => networkError(asked.window, asked, error)
  }).pipe(orStalled(asked.window, asked.idleTimeout, () => `${asked.host} did not end its answer`))
}

/** A body as it arrives, to be read once. If the size in bytes is known, a short body fails. */
export function bytesOf(
  asked: Asked,
  body: Body,
  size: Option.Option<number>
): Stream.Stream<Uint8Array, AmplitudeError> {
  const { host, idleTimeout, window } = asked
  const total = Option.match(size, { onNone: () => "", onSome: (size) => ` of ${size}` })
  const unavailable = (detail: string) =>
    new AmplitudeError({ reason: "Unavailable", window, detail })
  let received = 0
  let isTaken = false

  return Stream.suspend(() => {
    if (isTaken)
      return Stream.fail(unavailable("the answer has been read already; request it again"))
    isTaken = true
    const iterator: AsyncIterator<Uint8Array, unknown> = body[Symbol.asyncIterator]()
    const next = Effect.tryPromise({
      try: async (): Promise<ReadonlyArray<Uint8Array>> => {
        const first = await iterator.next()
        if (first.done === true) return []
        // Takes whatever else has arrived by the end of this turn in the same step.
        await turn()
        const more: Uint8Array | null = body.read()
        return more === null ? [first.value] : [first.value, more]
      },
      catch: (error) => networkError(window, asked, error, ` after ${received}${total} bytes`)
    }).pipe(
      orStalled(window, idleTimeout, () => `${host} sent nothing after ${received}${total} bytes`),
      Effect.mapError(Option.some)
    )
    const pull = Effect.flatMap(next, (chunks) => {
      if (chunks.length > 0) {
        for (const { length } of chunks) received += length
        return Effect.succeed(Chunk.unsafeFromArray(chunks))
      }
      return Option.exists(size, (size) => size !== received)
        ? Effect.fail(Option.some(unavailable(`${host} sent ${received}${total} bytes`)))
        : Effect.fail(Option.none())
    })
    return Stream.repeatEffectChunkOption(pull)
  })
}
