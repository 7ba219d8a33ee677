/** Events of one hour, as lines in Amplitude's format. */
import { type Hour, hourStart } from "../../services/Hour.ts"
import {
  below,
  type Random,
  randomOf,
  randomUuid,
  uuidOf,
  visit,
  visitorOf,
  wordOf
} from "./shop.ts"

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE

/** UTC in Amplitude's format: `2025-07-17 10:36:29.753000`. */
function timestamp(millis: number): string {
  const text = new Date(millis).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 23)}000`
}

/** Time between an event and its upload: mostly minutes, sometimes days, sometimes negative. */
function delayOf(random: Random): number {
  const dice = random()
  if (dice < 0.04) return 24 * HOUR + below(random, 8 * 24 * HOUR)
  if (dice < 0.05) return -2 * HOUR - below(random, 60 * HOUR)
  return SECOND + below(random, 5 * MINUTE)
}

/** How far a client's clock is ahead. */
function skewOf(random: Random): number {
  return (random() < 0.03 ? 4 * HOUR : 4 * SECOND) * (random() - 0.5)
}

// More than any line takes.
const maxLineBytes = 4096

export interface LinesOptions {
  /** Seed of everything generated. */
  readonly world: string
  readonly project: string
  readonly hour: Hour
  /** Number of the part, below 65,536. */
  readonly number: number
  readonly events: number
  /** Number of visitors to choose from. */
  readonly visitors: number
}

/**
 * The lines of one part, each ending in a newline: the same for the same options. All were uploaded
 * in the hour. The events of a visit are consecutive and in order of time; visits are in no order.
 */
export function syntheticLines(options: LinesOptions): Uint8Array {
  const { world, project, hour, number, events, visitors } = options
  const random = randomOf(`${world}/${hour}/${number}`)
  const start = hourStart(hour)
  const hours = start / HOUR
  const encoder = new TextEncoder()
  const bytes = new Uint8Array(events * maxLineBytes)
  let [count, size, insertId] = [0, 0, ""]
  while (count < events) {
    const visitor = visitorOf(world, below(random, visitors))
    const steps = Math.min(1 + Math.floor(random() * random() * 24), events - count)
    const actions = visit(random)
    const [delay, skew, isServer] = [delayOf(random), skewOf(random), random() < 0.06]
    // Events arrive less than a minute apart, so a visit ends within the hour.
    let received = start + below(random, HOUR - (steps + 1) * MINUTE)
    const session = isServer ? -1 : Math.floor(received + skew) - delay
    const path = isServer ? "/batch" : "/2/httpapi"
    for (let index = 0; index < steps; index++, count++) {
      const [type, properties, isHasty] = actions.next().value
      received += isHasty ? 80 + below(random, 400) : 900 + below(random, 59 * SECOND)
      const uploaded = received + 200 + below(random, 1500)
      const clientUpload = Math.floor(received + skew)
      const clientEvent = clientUpload - delay
      // Amplitude accepts the client's clock within a minute, and corrects it beyond.
      const drift = Math.abs(received - clientUpload) < MINUTE ? 0 : received - clientUpload
      // Occasionally a client sends an event twice: two rows with one `$insert_id`.
      if (index === 0 || random() >= 0.01) insertId = randomUuid(random)
      const eventId = isServer ? 100_000_000 + below(random, 900_000_000) : visitor.eventId + index
      const id = uuidOf(wordOf(random), ((hours & 0xffff) << 16) | (hours >>> 16), number, count)
      const line =
        `{"$insert_id":"${insertId}",` +
        '"$insert_key":null,' +
        '"$schema":null,' +
        `${visitor.identifiers},` +
        `"app":${project},` +
        `"city":${visitor.city},` +
        `"client_event_time":"${timestamp(clientEvent)}",` +
        `"client_upload_time":"${timestamp(clientUpload)}",` +
        `"country":${visitor.country},` +
        `"data":{"path":"${path}","group_first_event":{},"group_ids":{},"user_properties_updated":${index === 0}},` +
        '"data_type":"event",' +
        `${visitor.device},` +
        `"event_id":${eventId},` +
        `"event_properties":${properties},` +
        `"event_time":"${timestamp(clientEvent + drift)}",` +
        `"event_type":"${type}",` +
        '"global_user_properties":null,' +
        '"group_properties":{},' +
        `"groups":${visitor.groups},` +
        `${visitor.client},` +
        `"processed_time":"${timestamp(uploaded + 1700)}",` +
        `"region":${visitor.region},` +
        '"sample_rate":null,' +
        `"server_received_time":"${timestamp(received)}",` +
        `"server_upload_time":"${timestamp(uploaded)}",` +
        `"session_id":${session},` +
        '"source_id":null,' +
        `"start_version":${visitor.version},` +
        '"user_creation_time":null,' +
        `"user_id":${visitor.userId},` +
        `"user_properties":${visitor.userProperties},` +
        `"uuid":"${id}",` +
        `"version_name":${visitor.version}}\n`
      size += encoder.encodeInto(line, bytes.subarray(size)).written
    }
  }
  return bytes.slice(0, size)
}
