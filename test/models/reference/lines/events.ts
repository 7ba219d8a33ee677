import { Digits, type Fields, isFields, parsed, textOf, type Value } from "./json.ts"
import { microsOf, startOf } from "./times.ts"
import type { LandedHour } from "./world.ts"

/** A well-formed line. Times are microseconds since 1970. */
export interface Event {
  readonly landedHour: number
  readonly landedLine: number
  readonly loadId: string
  readonly uuid: string | null
  readonly insertId: string | null
  readonly eventId: bigint | null
  readonly type: string | null
  readonly time: number | null
  readonly clientTime: number | null
  readonly clientUpload: number | null
  readonly received: number | null
  readonly uploaded: number | null
  readonly sessionId: bigint | null
  readonly amplitudeId: bigint | null
  readonly userId: string | null
  readonly deviceId: string | null
  readonly project: string | null
  readonly platform: string | null
  readonly osName: string | null
  readonly osVersion: string | null
  readonly deviceFamily: string | null
  readonly deviceType: string | null
  readonly deviceCarrier: string | null
  readonly language: string | null
  readonly library: string | null
  readonly appVersion: string | null
  readonly country: string | null
  readonly region: string | null
  readonly city: string | null
  readonly dma: string | null
  readonly ipAddress: string | null
  readonly latitude: number | null
  readonly longitude: number | null
  readonly eventProperties: Value
  readonly userProperties: Value
  readonly groups: Value
}

export interface Malformed {
  readonly landedHour: number
  readonly landedLine: number
  readonly line: string
}

function wholeNumber(value: Value | undefined): bigint | null {
  return value instanceof Digits && /^-?\d+$/.test(value.text) ? BigInt(value.text) : null
}

function number(value: Value | undefined): number | null {
  return value instanceof Digits ? Number(value.text) : null
}

function eventOf({ hour, loadId }: LandedHour, line: number, fields: Fields): Event {
  const text = (name: string) => textOf(fields.get(name))
  const time = (name: string) => microsOf(text(name))
  const sessionId = wholeNumber(fields.get("session_id"))
  return {
    landedHour: startOf(hour),
    landedLine: line,
    loadId,
    uuid: text("uuid"),
    insertId: text("$insert_id"),
    eventId: wholeNumber(fields.get("event_id")),
    type: text("event_type"),
    time: time("event_time"),
    clientTime: time("client_event_time"),
    clientUpload: time("client_upload_time"),
    received: time("server_received_time"),
    uploaded: time("server_upload_time"),
    sessionId: sessionId === -1n ? null : sessionId,
    amplitudeId: wholeNumber(fields.get("amplitude_id")),
    userId: text("user_id"),
    deviceId: text("device_id"),
    project: text("app"),
    platform: text("platform"),
    osName: text("os_name"),
    osVersion: text("os_version"),
    deviceFamily: text("device_family"),
    deviceType: text("device_type"),
    deviceCarrier: text("device_carrier"),
    language: text("language"),
    library: text("library"),
    appVersion: text("version_name"),
    country: text("country"),
    region: text("region"),
    city: text("city"),
    dma: text("dma"),
    ipAddress: text("ip_address"),
    latitude: number(fields.get("location_lat")),
    longitude: number(fields.get("location_lng")),
    eventProperties: fields.get("event_properties") ?? null,
    userProperties: fields.get("user_properties") ?? null,
    groups: fields.get("groups") ?? null
  }
}

/** Tells the lines that are JSON objects from all others. */
export function readLines(hours: ReadonlyArray<LandedHour>): {
  readonly events: ReadonlyArray<Event>
  readonly malformed: ReadonlyArray<Malformed>
} {
  const events: Array<Event> = []
  const malformed: Array<Malformed> = []
  for (const hour of hours) {
    for (const [index, line] of hour.lines.entries()) {
      const value = parsed(line)
      if (isFields(value)) events.push(eventOf(hour, index + 1, value))
      else malformed.push({ landedHour: startOf(hour.hour), landedLine: index + 1, line })
    }
  }
  return { events, malformed }
}

/** A property of an event, under the name that Amplitude's own have a prefix before. */
export function valueAt({ eventProperties }: Event, name: string): Value | undefined {
  return isFields(eventProperties) ? eventProperties.get(name) : undefined
}

export function property(event: Event, name: string): string | null {
  return textOf(valueAt(event, `[Amplitude] ${name}`))
}

/** When an event happened by the clock that orders a session. */
export function clientClock({ clientTime, time }: Event): number | null {
  return clientTime ?? time
}
