/** Who visits: a visitor is the same at every visit. */
import { browsers, type Device, phones } from "./devices.ts"
import { networkOf } from "./networks.ts"
import { type Persona, personas } from "./personas.ts"
import { type Place, places } from "./places.ts"
import { visitors as planted } from "./planted.ts"
import { below, pick, type Random, randomOf, randomUuid, weighted } from "./random.ts"
import type { Site } from "./sites.ts"

/** What decides how a visit goes. */
export interface Visitor {
  readonly index: number
  readonly site: Site
  readonly place: Place
  readonly device: Device
  readonly persona: Persona
  /** Whether clicks are captured. */
  readonly hasClicks: boolean
}

/** The same visitor for the same `world` and index. */
export function visitorOf(world: string, index: number): Visitor {
  const random = randomOf(`${world}/visitor/${index}`)
  const isApp = random() < planted.app
  const place = weighted(random, places)
  return {
    index,
    site: isApp ? "app" : place.site,
    place,
    device: weighted(random, isApp ? phones : browsers),
    persona: weighted(random, personas),
    hasClicks: isApp || random() >= planted.plain
  }
}

/** What a visitor is called before or after logging in. */
export interface Identity {
  readonly amplitudeId: number
  /** JSON, as all texts here. */
  readonly userId: string
  readonly userProperties: string
}

/** A visitor's part of a line; fields of the Export API with names like its own. */
export interface VisitorTexts {
  readonly adid: string
  readonly idfa: string
  readonly carrier: string
  readonly deviceId: string
  readonly ipAddress: string
  readonly location: string
  readonly paying: string
  readonly version: string
  readonly groups: string
  readonly before: Identity
  readonly after: Identity
  /** Number of earlier events of the visitor's client. */
  readonly eventId: number
}

const names = ["ada", "björn", "chiyo", "dilara", "emre", "fleur", "grażyna", "hugo"]
const carriers = [`"Telekom.de"`, `"NTT docomo"`, `"Vivo"`]

function userPropertiesOf(random: Random, source: string, isGuest: boolean, city: string): string {
  const favourites = pick(random, ["Lampen", "Über uns", "提灯"])
  return (
    `{"initial_utm_source":"${source}","initial_utm_medium":"EMPTY","initial_utm_campaign":"EMPTY",` +
    `"initial_referrer":"EMPTY","initial_gclid":"EMPTY","utm_source":"${source}",` +
    `"newsletter":${random() < 0.5},"customer_group":"${isGuest ? "guest" : "regular"}",` +
    `"favourites":["Lamps","${favourites}"],"address":{"city":${city},"verified":false},` +
    `"lifetime_value":${(random() * 900).toFixed(2)}}`
  )
}

/** Some visitors are known from the start, customers once they log in, and others never. */
function identitiesOf(random: Random, { index, persona, place }: Visitor) {
  const source = pick(random, ["EMPTY", "newsletter", "google", "instagram"])
  const id = () => 100_000_000_000 + below(random, 900_000_000_000)
  const userId = `"${pick(random, names)}.${10_000 + index}@example.com"`
  const guest: Identity = {
    amplitudeId: id(),
    userId: "null",
    userProperties: userPropertiesOf(random, source, true, place.city)
  }
  const customer: Identity = {
    amplitudeId: random() < planted.recognized ? id() : guest.amplitudeId,
    userId,
    userProperties: userPropertiesOf(random, source, false, place.city)
  }
  const isKnown = persona.name !== "customer" && random() < 0.5
  return { before: isKnown ? customer : guest, after: customer }
}

export function textsOf(world: string, visitor: Visitor): VisitorTexts {
  const random = randomOf(`${world}/visitor/${visitor.index}/texts`)
  const { device, place } = visitor
  const isApp = device.platform !== "Web"
  const adId = isApp && random() < 0.3 ? `"${randomUuid(random)}"` : "null"
  const isLocated = isApp && random() < 0.5
  const [latitude, longitude] = isLocated ? [place.latitude, place.longitude] : [null, null]
  const network = networkOf(random)
  const company = JSON.stringify(network.owner)
  return {
    adid: device.platform === "Android" ? adId : "null",
    idfa: device.platform === "iOS" ? adId : "null",
    carrier: isApp ? pick(random, carriers) : "null",
    deviceId: `"${randomUuid(random)}"`,
    ipAddress: `"${network.address(random)}"`,
    location: `"location_lat":${latitude},"location_lng":${longitude}`,
    paying: random() < 0.2 ? "true" : "null",
    version: isApp ? `"${4 + below(random, 3)}.${below(random, 20)}.0"` : "null",
    groups: network.kind === "business" && random() < 0.5 ? `{"company":[${company}]}` : "{}",
    ...identitiesOf(random, visitor),
    eventId: below(random, 300)
  }
}
