/** Few pages, so that visits meet: on hosts, below prefixes, of hash routers and of apps. */
import fc from "fast-check"

export interface Address {
  readonly host: string
  readonly path: string
  readonly query: string
  readonly hash: string
}

const HOSTS = ["uk.shop.example.com", "DE.shop.example.com:443", "www.example.com"]
const PATHS = [
  "/",
  "/sale",
  "/sale/",
  "/Sale",
  "/offers",
  "/uk",
  "/uk/sale/",
  "/ukraine",
  "/p/17",
  "/p/3F2504E0-4F89-11D3-9A0C-0305E82C3301/7/",
  "/p/17a",
  "/search",
  "/research",
  "/über%20uns",
  "",
  "//"
]

export const address: fc.Arbitrary<Address> = fc.record({
  host: fc.constantFrom(...HOSTS),
  path: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("/", "/sale", "/offers") },
    { weight: 2, arbitrary: fc.constantFrom(...PATHS) }
  ),
  query: fc.oneof(
    { weight: 12, arbitrary: fc.constant("") },
    {
      weight: 2,
      arbitrary: fc.constantFrom(
        "?q=lamp",
        "?quality=1",
        "?page=2&search=x",
        "?utm_source=news&utm_medium=mail",
        "?utm_source=EMPTY&utm_campaign="
      )
    }
  ),
  hash: fc.oneof(
    { weight: 8, arbitrary: fc.constant("") },
    { weight: 2, arbitrary: fc.constantFrom("#/", "#/a", "#/a/7/?x=1", "#top", "#/search") }
  )
})

/** Of the pages that menus lead to, on two sites. */
export const busyAddress: fc.Arbitrary<Address> = fc.record({
  host: fc.constantFrom("uk.shop.example.com", "de.shop.example.com"),
  path: fc.constantFrom("/", "/sale", "/offers"),
  query: fc.constantFrom("", "", "", "", "", "?q=lamp"),
  hash: fc.constant("")
})

export function urlOf({ hash, host, path }: Address): string {
  return `https://${host}${path}${hash}`
}

export function locationOf({ hash, host, path, query }: Address): string {
  return `https://${host}${path}${query}${hash}`
}

/** What the SDK says of a page: all of it, or what older versions and other platforms do. */
export type Telling = "all" | "no url" | "no path" | "location only" | "nothing"

export const telling: fc.Arbitrary<Telling> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Telling>("all") },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Telling>("no url", "no path", "location only", "nothing")
  }
)

export function pageProperties(address: Address, telling: Telling): Record<string, string> {
  const all = {
    "[Amplitude] Page Domain": address.host,
    "[Amplitude] Page Location": locationOf(address),
    "[Amplitude] Page Path": address.path === "" ? "/" : address.path,
    "[Amplitude] Page URL": urlOf(address)
  }
  const without = (...names: ReadonlyArray<string>) =>
    Object.fromEntries(
      Object.entries(all).filter(([name]) => !names.includes(name.replace("[Amplitude] Page ", "")))
    )
  switch (telling) {
    case "all":
      return all
    case "no url":
      return without("URL")
    case "no path":
      return without("Path")
    case "location only":
      return without("URL", "Path", "Domain")
    case "nothing":
      return {}
  }
}
