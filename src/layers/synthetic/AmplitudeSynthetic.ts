import { Config, type ConfigError, Effect, Layer, Option } from "effect"
import { Amplitude, AmplitudeError, type ReferenceStream } from "../../services/Amplitude.ts"
import type { Hour } from "../../services/Hour.ts"
import { type ArchivePart, exportArchive, maxWindowHours } from "./exportArchive.ts"
import { linesOf } from "./lines.ts"
import { below, randomOf } from "./random.ts"
import { eventsIn, type World } from "./traffic.ts"

export interface AmplitudeSyntheticOptions {
  /** Another seed makes different events. Defaults to 1. */
  readonly seed?: number | undefined
  /**
   * Average number of events per hour: fewer at night, none in one hour of twelve. Defaults to
   * 1,000.
   */
  readonly eventsPerHour?: number | undefined
  /** Amplitude's project, digits only. Defaults to `123456`. */
  readonly project?: string | undefined
  /**
   * Adds to each hour with events a line that is no JSON and one with a lone surrogate. Defaults to
   * false.
   */
  readonly brokenLines?: boolean | undefined
}

const partEvents = 10_000

// More than an event takes in an archive, so 4 GiB are refused before any byte is sent.
const eventBytes = 400

function worldOf({
  seed = 1,
  eventsPerHour = 1000,
  project = "123456",
  brokenLines = false
}: AmplitudeSyntheticOptions): World {
  return {
    name: `synthetic-${project}-${seed}-${eventsPerHour}`,
    project,
    eventsPerHour,
    visitors: Math.min(20_000, 100 + eventsPerHour),
    mostEvents: Math.max(1, eventsPerHour),
    hasBrokenLines: brokenLines
  }
}

/** Number of events in each part of an hour but the last. */
function partSize(world: World, hour: Hour): number {
  const events = eventsIn(world, hour)
  const parts = 1 + below(randomOf(`${world.name}/${hour}/parts`), 3)
  return Math.max(1, Math.ceil(events / Math.max(parts, Math.ceil(events / partEvents))))
}

/** Bytes of a number of lines each time, of the rest the last time. Holds no more in memory. */
function* chunksOf(
  lines: Iterable<string>,
  size: number
): IterableIterator<Uint8Array<ArrayBuffer>> {
  const encoder = new TextEncoder()
  let bytes = new Uint8Array(1 << 16)
  let [count, length] = [0, 0]
  for (const line of lines) {
    // UTF-8 takes at most three bytes for each of JavaScript's characters.
    if (length + 3 * line.length > bytes.length) {
      const larger = new Uint8Array(2 * bytes.length + 3 * line.length)
      larger.set(bytes.subarray(0, length))
      bytes = larger
    }
    length += encoder.encodeInto(line, bytes.subarray(length)).written
    if (++count < size) continue
    yield bytes.slice(0, length)
    count = length = 0
  }
  if (count > 0) yield bytes.slice(0, length)
}

/**
 * The parts of an hour as in every window's archive, generated on demand: exactly what an export
 * must return. None for an hour without events. Some parts lack their final newline, as some of
 * Amplitude's do.
 */
export function* syntheticHour(
  options: AmplitudeSyntheticOptions,
  hour: Hour
): IterableIterator<ArchivePart> {
  const world = worldOf(options)
  let number = 0
  for (const lines of chunksOf(linesOf(world, hour), partSize(world, hour))) {
    const isCut = randomOf(`${world.name}/${hour}/${number}/newline`)() < 0.2
    yield { hour, number, lines: isCut ? lines.subarray(0, -1) : lines }
    number++
  }
}

function serviceOf(options: AmplitudeSyntheticOptions): Amplitude["Type"] {
  const world = worldOf(options)
  const { name, project, hasBrokenLines } = world
  return Amplitude.of({
    identity: hasBrokenLines ? `${name}-broken` : name,
    export: Effect.fn("AmplitudeSynthetic.export")(function* (window) {
      if (window.length > maxWindowHours) {
        return yield* new AmplitudeError({
          reason: "Rejected",
          window,
          status: 400,
          detail: "a window can have at most 365 days"
        })
      }
      const { hours } = window
      const events = hours.reduce((sum, hour) => sum + eventsIn(world, hour), 0)
      if (events * eventBytes > 2 ** 32) {
        return yield* new AmplitudeError({
          reason: "TooLarge",
          window,
          status: 400,
          detail: `${events} events may take more than 4 GB; request fewer hours`
        })
      }
      const parts = {
        *[Symbol.iterator]() {
          for (const hour of hours) yield* syntheticHour(options, hour)
        }
      }
      const archive = { size: Option.none(), bytes: exportArchive(project, parts) }
      return {
        date: Option.none(),
        archive: events === 0 ? Option.none() : Option.some(archive)
      }
    }),
    reference: (stream) =>
      Effect.sync(() => new TextEncoder().encode(JSON.stringify(referenceList(stream, project))))
  })
}

/** Events of an imaginary web shop: the same for the same options and hour, whatever the window. */
export function make(options: AmplitudeSyntheticOptions = {}): Effect.Effect<Amplitude["Type"]> {
  return Effect.sync(() => serviceOf(options))
}

/**
 * @example
 * ```ts
 * import * as AmplitudeSynthetic from "amplitude-lake/layers/AmplitudeSynthetic"
 *
 * export const amplitude = AmplitudeSynthetic.layer({ seed: 7, eventsPerHour: 200 })
 * ```
 */
export function layer(options?: AmplitudeSyntheticOptions): Layer.Layer<Amplitude> {
  return Layer.effect(Amplitude, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<AmplitudeSyntheticOptions>
): Layer.Layer<Amplitude, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}

const EVENT_TYPES = [
  "[Amplitude] Page Viewed",
  "[Amplitude] Element Clicked",
  "session_start",
  "session_end"
]

/** The lists of the imaginary web shop, in the form in which Amplitude sends them. */
function referenceList(stream: ReferenceStream, project: string): unknown {
  switch (stream) {
    case "events":
      return {
        data: EVENT_TYPES.map((value, id) => ({
          id: id + 1,
          value,
          display: value,
          hidden: false,
          deleted: false,
          non_active: false,
          flow_hidden: false,
          totals: 100 * (id + 1)
        }))
      }
    case "cohorts":
      return {
        cohorts: [
          {
            id: "c0ffee1",
            name: "Returning visitors",
            description: "More than one session in 30 days",
            appId: Number(project),
            archived: false,
            published: true,
            size: 128,
            owners: [],
            lastComputed: 1_762_732_800
          }
        ]
      }
    case "annotations":
      return {
        data: [
          {
            id: 1,
            start: "2025-11-10T09:00:00+00:00",
            end: null,
            label: "New menu",
            details: "The menu was made shorter",
            category: null,
            chart_id: null
          }
        ]
      }
  }
}
