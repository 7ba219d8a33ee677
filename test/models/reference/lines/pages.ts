import { type Event, property } from "./events.ts"
import { firstOf } from "./words.ts"
import type { SiteName } from "./world.ts"

/** Where something happened. Two pages are the same only if both are. */
export interface Place {
  readonly site: string | null
  readonly page: string | null
}

export const PAGE_VIEWED = "[Amplitude] Page Viewed"
export const SCREEN_VIEWED = "[Amplitude] Screen Viewed"

export function isView({ type }: Event): boolean {
  return type === PAGE_VIEWED || type === SCREEN_VIEWED
}

export function isSamePlace(one: Place, other: Place): boolean {
  return one.site === other.site && one.page === other.page
}

const ID = /^(?:[0-9]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/i

/** A path without query and hash, without slashes at the end, with `:id` for what changes. */
export function plainPath(path: string): string {
  const [cut = ""] = path.split(/[?#]/)
  const short = cut.replace(/\/+$/, "")
  const segments = short.split("/").map((segment) => (ID.test(segment) ? ":id" : segment))
  return segments.join("/") || "/"
}

/** What follows the host of an address. An address without a host is a path. */
export function afterHost(address: string): string {
  return address.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "")
}

/** The part of an address that a hash router reads: `#/…`, or nothing. */
function routeOf(address: string | null): string {
  const hash = address === null ? -1 : address.indexOf("#")
  if (address === null || !address.startsWith("#/", hash)) return ""
  const path = plainPath(address.slice(hash + 1))
  return path === "/" ? "" : `#${path}`
}

/** The path and the hash of an address. */
export function pageOfAddress(address: string): string {
  return plainPath(afterHost(address)) + routeOf(address)
}

export function hostOf(address: string | null): string | null {
  const [, authority] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]+)/i.exec(address ?? "") ?? []
  return authority === undefined ? null : plainHost(authority)
}

function plainHost(host: string): string | null {
  const plain = host
    .toLowerCase()
    .replace(/^.*@/, "")
    .replace(/:\d*$/, "")
    .replace(/^www\./, "")
  return plain === "" ? null : plain
}

function pageOf(event: Event): string | null {
  const [url, path] = [property(event, "Page URL"), property(event, "Page Path")]
  if (event.type === SCREEN_VIEWED) return property(event, "Screen Name")
  if (url === null && path === null) return property(event, "Screen Name")
  if (event.type !== PAGE_VIEWED) return pageOfAddress(url ?? path ?? "")
  const own = path ?? afterHost(url ?? "")
  return plainPath(own) + routeOf(url ?? property(event, "Page Location"))
}

function hostOfEvent(event: Event): string | null {
  const domain = property(event, "Page Domain")
  const ofDomain = domain === null ? null : plainHost(domain)
  const ofUrl = hostOf(property(event, "Page URL"))
  const all = isView(event) ? [ofDomain, ofUrl] : [ofUrl, ofDomain]
  return firstOf([...all, hostOf(property(event, "Page Location"))])
}

function isBelow(path: string, prefix: string): boolean {
  const plain = prefix.replace(/\/+$/, "")
  return path === plain || path.startsWith(`${plain}/`)
}

/** The site of a page: its host, or the name of the longest prefix of its path. */
function siteOf(host: string, page: string | null, sites: ReadonlyArray<SiteName>): string {
  const path = page?.split("#")[0] ?? ""
  const [named] = sites
    .filter((row) => plainHost(row.host) === host && isBelow(path, row.pathPrefix))
    .sort((one, other) => other.pathPrefix.length - one.pathPrefix.length)
  return named?.site ?? host
}

export function placeOf(event: Event, sites: ReadonlyArray<SiteName>): Place {
  const page = pageOf(event)
  const host = hostOfEvent(event)
  if (host !== null) return { site: siteOf(host, page, sites), page }
  return { site: event.platform === "Web" ? null : event.platform, page }
}

/** Where an address leads. */
export function placeOfAddress(address: string, sites: ReadonlyArray<SiteName>): Place {
  const page = pageOfAddress(address)
  const host = hostOf(address)
  return { site: host === null ? null : siteOf(host, page, sites), page }
}
