/** The lines of an hour in Amplitude's format, visit by visit. */
import { type Hour, hourEnd, hourStart } from "../../services/Hour.ts"
import { actsOf } from "./behaviour.ts"
import { brokenLines } from "./brokenLines.ts"
import { HOUR, MINUTE, timestamp } from "./clocks.ts"
import { drift } from "./planted.ts"
import { propertiesOf, sources, type Style } from "./properties.ts"
import { mixed, uuidOf } from "./random.ts"
import type { World } from "./traffic.ts"
import { type Identity, textsOf, type VisitorTexts } from "./visitors.ts"
import { type Visit, visitsReaching } from "./visits.ts"
import type { Act } from "./walk.ts"

/** The fields between those that differ from event to event. */
interface Frame {
  readonly toApp: string
  readonly toData: string
  readonly toEventId: string
  readonly toLibrary: string
  readonly toReceived: string
  readonly toUserId: string
}

const nothing = {
  ids: '"device_id":null,"device_manufacturer":null,"device_model":null,"device_type":null',
  os: '"os_name":null,"os_version":null'
}

function frameOf({ project }: World, visit: Visit, texts: VisitorTexts): Frame {
  const { isServer, visitor } = visit
  const { device, place } = visitor
  const platform = isServer ? "null" : `"${device.platform}"`
  const library = isServer ? "null" : `"${device.sdk.library}"`
  const ids = isServer
    ? nothing.ids
    : `"device_id":${texts.deviceId},"device_manufacturer":null,"device_model":null,"device_type":${device.type}`
  return {
    toApp: `","$insert_key":null,"$schema":null,"adid":${texts.adid},"amplitude_attribution_ids":null,"amplitude_event_type":null,"amplitude_id":`,
    toData: `,"app":${project},"city":${place.city},"client_event_time":"`,
    toEventId: `},"data_type":"event","device_brand":null,"device_carrier":${texts.carrier},"device_family":${isServer ? "null" : device.family},${ids},"dma":${place.dma},"event_id":`,
    toLibrary: `","global_user_properties":null,"group_properties":{},"groups":${texts.groups},"idfa":${texts.idfa},"ip_address":${texts.ipAddress},"is_attribution_event":null,"language":${isServer ? "null" : place.language},"library":${library},${texts.location},${isServer ? nothing.os : device.os},"partner_id":null,"paying":${texts.paying},"plan":{},"platform":${platform},"processed_time":"`,
    toReceived: `","region":${place.region},"sample_rate":null,"server_received_time":"`,
    toUserId: `,"source_id":null,"start_version":${texts.version},"user_creation_time":null,"user_id":`
  }
}

// One event in a hundred is sent twice: two rows with one `$insert_id`.
const isRepeated = (visit: Visit, index: number) => mixed(visit.words[3], index) % 100 === 0

/** Tells the events of one visit. */
class Teller {
  readonly #visit: Visit
  readonly #texts: VisitorTexts
  readonly #frame: Frame
  readonly #style: Style
  readonly #ids: readonly [hours: number, number: number]

  constructor(world: World, visit: Visit, landed: Hour) {
    const { visitor, words } = visit
    const source = sources[words[2] % sources.length] as Style["source"]
    this.#visit = visit
    this.#texts = textsOf(world.name, visitor)
    this.#frame = frameOf(world, visit, this.#texts)
    const hours = hourStart(visit.hour) / HOUR
    this.#ids = [((hours & 0xffff) << 16) | (hours >>> 16), visit.number]
    const isNewPropertySent = landed >= drift.property.since
    this.#style = { visit, site: visitor.site, source, isNewPropertySent }
  }

  line(act: Act, index: number, copy: number): string {
    const { words, skew, delay, lag, isServer } = this.#visit
    const { eventId, version, before, after } = this.#texts
    const { toApp, toData, toEventId, toLibrary, toReceived, toUserId } = this.#frame
    const [a, b, c, d] = words
    const { amplitudeId, userId, userProperties }: Identity = act.isLoggedIn ? after : before
    const insertId = uuidOf(mixed(b, index), mixed(c, index), mixed(d, index), mixed(a, index))
    const order = 2 * index + copy
    const uuid = uuidOf(mixed(a, order), this.#ids[0], this.#ids[1], mixed(b, order))
    const upload = act.at + skew
    const happened = upload - delay - act.ago
    // Amplitude accepts the device's clock within a minute, and corrects it beyond.
    const corrected = Math.abs(skew) < MINUTE ? happened : happened - skew
    const session = isServer ? -1 : act.session + skew - delay
    const id = isServer ? 100_000_000 + (mixed(c, index) % 900_000_000) : eventId + index
    const path = isServer ? "/batch" : "/2/httpapi"
    return (
      `{"$insert_id":"${insertId}${toApp}${amplitudeId}${toData}${timestamp(happened)}` +
      `","client_upload_time":"${timestamp(upload)}","country":${this.#visit.visitor.place.country},` +
      `"data":{"path":"${path}","group_first_event":{},"group_ids":{},"user_properties_updated":${index === 0}` +
      `${toEventId}${id},"event_properties":{${propertiesOf(this.#style, act)}},` +
      `"event_time":"${timestamp(corrected)}","event_type":"${act.type}${toLibrary}` +
      `${timestamp(act.at + lag + 1700)}${toReceived}${timestamp(act.at)}",` +
      `"server_upload_time":"${timestamp(act.at + lag)}","session_id":${session}${toUserId}${userId},` +
      `"user_properties":${userProperties},"uuid":"${uuid}","version_name":${version}}\n`
    )
  }
}

/**
 * The lines of an hour, each ending in a newline: the same for the same world and hour, whatever
 * else is generated. All were uploaded in the hour. A visit's events are consecutive and in the
 * order of their uploads; those of its other hours are among the lines of these.
 */
export function* linesOf(world: World, hour: Hour): IterableIterator<string> {
  const [start, end] = [hourStart(hour), hourEnd(hour)]
  for (const visit of visitsReaching(world, hour)) {
    const acts = actsOf(visit)
    let teller: Teller | undefined
    for (let index = 0; index < acts.length; index++) {
      const act = acts[index] as Act
      const uploaded = act.at + visit.lag
      if (uploaded < start || uploaded >= end) continue
      teller ??= new Teller(world, visit, hour)
      yield teller.line(act, index, 0)
      if (isRepeated(visit, index)) yield teller.line(act, index, 1)
    }
  }
  if (world.hasBrokenLines) yield* brokenLines(world, hour)
}
