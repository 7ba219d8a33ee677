import { Config, type ConfigError, Effect, Layer, Option } from "effect"
import { Amplitude, AmplitudeError } from "../../services/Amplitude.ts"
import type { Hour } from "../../services/Hour.ts"
import { type ArchivePart, exportArchive, maxWindowHours } from "./exportArchive.ts"
import { syntheticLines } from "./events.ts"
import { randomOf } from "./shop.ts"

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
}

const partEvents = 10_000

// More than an event takes in an archive, so 4 GiB are refused before any byte is sent.
const eventBytes = 300

function worldOf({
  seed = 1,
  eventsPerHour = 1000,
  project = "123456"
}: AmplitudeSyntheticOptions) {
  return { name: `synthetic-${project}-${seed}-${eventsPerHour}`, eventsPerHour, project }
}

/** Number of events in each part of an hour; no parts for an hour without events. */
function partSizes(options: AmplitudeSyntheticOptions, hour: Hour): ReadonlyArray<number> {
  const { name, eventsPerHour } = worldOf(options)
  const random = randomOf(`${name}/${hour}`)
  if (random() < 1 / 12 || eventsPerHour <= 0) return []
  const daylight = 1 + 0.6 * Math.sin(((Number(hour.slice(11)) - 8) / 12) * Math.PI)
  const events = Math.max(1, Math.round(eventsPerHour * daylight * (0.9 + 0.2 * random())))
  const parts = Math.min(
    events,
    Math.max(1 + Math.floor(3 * random()), Math.ceil(events / partEvents))
  )
  return Array.from(
    { length: parts },
    (_, number) => Math.floor(events / parts) + (number < events % parts ? 1 : 0)
  )
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
  const { name, eventsPerHour, project } = worldOf(options)
  const visitors = Math.min(20_000, 100 + eventsPerHour)
  for (const [number, events] of partSizes(options, hour).entries()) {
    const lines = syntheticLines({ world: name, project, hour, number, events, visitors })
    const isCut = randomOf(`${name}/${hour}/${number}/newline`)() < 0.2
    yield { hour, number, lines: isCut ? lines.subarray(0, -1) : lines }
  }
}

function serviceOf(options: AmplitudeSyntheticOptions): Amplitude["Type"] {
  const { name, project } = worldOf(options)
  return Amplitude.of({
    identity: name,
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
      const events = hours.flatMap((hour) => partSizes(options, hour)).reduce((a, b) => a + b, 0)
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
    })
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
