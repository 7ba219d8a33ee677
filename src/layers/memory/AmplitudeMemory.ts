import { Chunk, Effect, Layer, Option, Ref, Stream } from "effect"
import {
  Amplitude,
  AmplitudeError,
  type ExportAnswer,
  type ReferenceStream
} from "../../services/Amplitude.ts"
import { Hour } from "../../services/Hour.ts"
import type { Window } from "../../services/Window.ts"
import { exportArchive, maxWindowHours } from "../synthetic/exportArchive.ts"

/** The answer to one request. */
export type Step =
  /** The true answer. */
  | "ok"
  /** No events (404). */
  | "none"
  /** An error. */
  | ((window: Window) => AmplitudeError)
  /** The given bytes. */
  | { readonly bytes: Uint8Array }
  /** The true archive, whose connection breaks (`Unavailable`) after this many bytes. */
  | { readonly cutAfter: number }
  /** The true archive, which stops arriving after this many bytes. */
  | { readonly hangAfter: number }

export interface AmplitudeMemoryOptions {
  /** Amplitude's project, digits only. Defaults to `123456`. */
  readonly project?: string | undefined
  /** The lines of each part by hour: `{ "2025-11-10T21": ['{"uuid":"a"}\n'] }`. */
  readonly hours: Readonly<Record<string, ReadonlyArray<string | Uint8Array>>>
  /** The `Date` of every answer, in milliseconds since 1970. */
  readonly date?: number | undefined
  /** The answers to the first requests, in order; afterwards `ok`. */
  readonly plan?: ReadonlyArray<Step> | undefined
  /** Its lists, as it would send them; one that is missing is forbidden. */
  readonly reference?: Readonly<Partial<Record<ReferenceStream, string>>> | undefined
  /** Larger archives fail as `TooLarge`. In bytes; no limit by default. */
  readonly maxBytes?: number | undefined
}

/** Amplitude's limit per project. */
const maxOpenRequests = 5

/** Splits even a small archive into several chunks. */
function inChunks(bytes: Uint8Array): ReadonlyArray<Uint8Array> {
  const size = Math.max(1, Math.min(65_536, Math.ceil(bytes.length / 5)))
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size)
  )
}

function flowing(
  bytes: Uint8Array,
  length: number,
  end: Stream.Stream<never, AmplitudeError>
): ExportAnswer["archive"] {
  const chunks = Stream.fromChunks(...inChunks(bytes.subarray(0, length)).map(Chunk.of))
  return Option.some({ size: Option.some(bytes.length), bytes: Stream.concat(chunks, end) })
}

/** The service, and `requests`: every requested window, including refused ones. For tests. */
export const makeTest = Effect.fn("AmplitudeMemory.makeTest")(function* (
  options: AmplitudeMemoryOptions
) {
  const project = options.project ?? "123456"
  const parts = Object.entries(options.hours).flatMap(([hour, texts]) =>
    texts.map((text, number) => ({
      hour: Hour.make(hour),
      number,
      lines: typeof text === "string" ? new TextEncoder().encode(text) : text
    }))
  )
  const requests = yield* Ref.make<ReadonlyArray<Window>>([])
  const open = yield* Ref.make(0)

  const archiveOf = Effect.fnUntraced(function* (window: Window) {
    const asked = parts.filter(({ hour }) => window.includes(hour))
    if (asked.length === 0) return Option.none()
    const chunks = yield* Stream.runCollect(exportArchive(project, asked))
    return Option.some(new Uint8Array(Buffer.concat([...chunks])))
  })

  const truth = Effect.fnUntraced(function* (window: Window) {
    const fail = (reason: AmplitudeError["reason"], detail: string) =>
      new AmplitudeError({ reason, window, status: 400, detail })
    if (window.length > maxWindowHours) {
      return yield* fail("Rejected", "a window can have at most 365 days")
    }
    const archive = yield* archiveOf(window)
    const { maxBytes = Infinity } = options
    return Option.isSome(archive) && archive.value.length > maxBytes
      ? yield* fail("TooLarge", `${archive.value.length} bytes are more than ${maxBytes}`)
      : archive
  })

  const answer = Effect.fnUntraced(function* (window: Window, step: Step) {
    if (typeof step === "function") return yield* step(window)
    if (step === "none") return Option.none()
    if (typeof step === "object" && "bytes" in step) {
      return flowing(step.bytes, step.bytes.length, Stream.empty)
    }
    const archive = yield* truth(window)
    return Option.flatMap(archive, (bytes) => {
      if (step === "ok") return flowing(bytes, bytes.length, Stream.empty)
      if ("hangAfter" in step) return flowing(bytes, step.hangAfter, Stream.never)
      const detail = `the connection was lost after ${step.cutAfter} bytes`
      const error = new AmplitudeError({ reason: "Unavailable", window, detail })
      return flowing(bytes, step.cutAfter, Stream.fail(error))
    })
  })

  const service = Amplitude.of({
    identity: `memory-${project}`,
    export: Effect.fn("AmplitudeMemory.export")(function* (window) {
      const number = yield* Ref.modify(requests, (asked) => [asked.length, [...asked, window]])
      const others = yield* Effect.acquireRelease(
        Ref.getAndUpdate(open, (count) => count + 1),
        () => Ref.update(open, (count) => count - 1)
      )
      if (others >= maxOpenRequests) {
        return yield* new AmplitudeError({
          reason: "RateLimited",
          window,
          status: 429,
          detail: `${others} requests are open already`
        })
      }
      return {
        date: Option.fromNullable(options.date),
        archive: yield* answer(window, options.plan?.[number] ?? "ok")
      }
    }),
    reference: (stream) => {
      const list = options.reference?.[stream]
      const detail = "this project has no such list"
      return list === undefined
        ? new AmplitudeError({ reason: "Forbidden", stream, status: 403, detail })
        : Effect.succeed(new TextEncoder().encode(list))
    }
  })
  return { service, requests: Ref.get(requests) }
})

/** An Amplitude with the given events, which refuses what the real one refuses. */
export function make(options: AmplitudeMemoryOptions): Effect.Effect<Amplitude["Type"]> {
  return Effect.map(makeTest(options), ({ service }) => service)
}

/**
 * @example
 * ```ts
 * import * as AmplitudeMemory from "amplitude-lake/layers/AmplitudeMemory"
 *
 * export const amplitude = AmplitudeMemory.layer({
 *   hours: { "2025-11-10T21": ['{"uuid":"a"}\n', '{"uuid":"b"}\n'] }
 * })
 * ```
 */
export function layer(options: AmplitudeMemoryOptions): Layer.Layer<Amplitude> {
  return Layer.effect(Amplitude, make(options))
}
