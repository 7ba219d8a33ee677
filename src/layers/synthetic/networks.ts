/** Who owns which addresses, all of them reserved for documentation (RFC 5737, 3849, 9637). */
import { type Random, type Range, weighted, within } from "./random.ts"

export interface Network {
  /** Undefined for addresses that nobody is known to own. */
  readonly owner: string | undefined
  readonly kind: "business" | "education" | "hosting" | "access provider" | "unknown"
  readonly asn: number
  readonly first: string
  readonly last: string
  /** Share of the visitors, in percent. */
  readonly weight: number
  readonly address: (random: Random) => string
}

type Owner = Pick<Network, "owner" | "kind" | "asn">

const provider: Owner = { owner: "Example Telecom", kind: "access provider", asn: 64496 }
const architects: Owner = { owner: "Nordlicht Architekten GmbH", kind: "business", asn: 64500 }
const hotels: Owner = { owner: "Harbour Hotels Ltd", kind: "business", asn: 64501 }
const university: Owner = { owner: "Université d'Exemple", kind: "education", asn: 64502 }
const cloud: Owner = { owner: "Example Cloud, Inc.", kind: "hosting", asn: 64511 }
const nobody: Owner = { owner: undefined, kind: "unknown", asn: 0 }

/** Addresses from one to another last number of a /24; the block may reach further. */
function ipv4(
  owner: Owner,
  weight: number,
  prefix: string,
  [low, high]: Range,
  last = high
): Network {
  return {
    ...owner,
    weight,
    first: `${prefix}.${low}`,
    last: `${prefix}.${last}`,
    address: (random) => `${prefix}.${within(random, [low, high])}`
  }
}

function group(random: Random): string {
  return within(random, [1, 0xffff]).toString(16)
}

/** The addresses of a /48. */
function ipv6(owner: Owner, weight: number, prefix: string): Network {
  return {
    ...owner,
    weight,
    first: `${prefix}::`,
    last: `${prefix}:ffff:ffff:ffff:ffff:ffff`,
    address: (random) => `${prefix}:${group(random)}::${group(random)}`
  }
}

/** The hotels' block lies inside the provider's, as a customer's often does. */
export const networks: ReadonlyArray<Network> = [
  ipv4(provider, 34, "203.0.113", [0, 191], 255),
  ipv4(hotels, 6, "203.0.113", [192, 223]),
  ipv4(architects, 9, "192.0.2", [0, 63]),
  ipv4(university, 7, "192.0.2", [64, 127]),
  ipv4(nobody, 12, "192.0.2", [128, 255]),
  ipv4(cloud, 5, "198.51.100", [0, 127]),
  ipv4(nobody, 7, "198.51.100", [128, 255]),
  ipv6(provider, 11, "2001:db8:113"),
  ipv6(architects, 3, "2001:db8:2"),
  ipv6(university, 2, "3fff:2:64"),
  ipv6(nobody, 4, "3fff:7:1")
]

export function networkOf(random: Random): Network {
  return weighted(random, networks)
}
