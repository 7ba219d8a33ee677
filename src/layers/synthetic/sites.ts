/** The sites of an imaginary shop for lamps, and their pages. */
import type { MenuItem } from "./planted.ts"

export type WebSite = "uk" | "de" | "fr"
export type Site = WebSite | "app"

export type PageName =
  | MenuItem
  | "home"
  | "product"
  | "search"
  | "cart"
  | "checkout"
  | "thanks"
  | "login"
  | "account"
  | "help"

/** How a site changes pages: with a full load, or within the page by path or by hash. */
export type Routing = "load" | "path" | "hash"

export interface SiteFacts {
  readonly host: string
  readonly routing: Routing
  readonly menu: Readonly<Record<MenuItem, string>>
  readonly texts: Readonly<Record<"cart" | "coupon" | "order" | "remember" | "compare", string>>
}

const english = {
  menu: {
    lamps: "Lamps",
    bulbs: "Bulbs",
    garden: "Garden",
    sale: "Sale",
    offers: "Offers",
    story: "Journal"
  },
  texts: {
    cart: "Add to cart",
    coupon: "Apply coupon",
    order: "Place order",
    remember: "♥ Remember",
    compare: "Compare"
  }
}

export const sites: Readonly<Record<Site, SiteFacts>> = {
  uk: { host: "uk.shop.example.com", routing: "load", ...english },
  de: {
    host: "de.shop.example.com",
    routing: "path",
    menu: {
      lamps: "Lampen",
      bulbs: "Leuchtmittel",
      garden: "Für draußen",
      sale: "Sale",
      offers: "Angebote",
      story: "Magazin"
    },
    texts: {
      cart: "In den Warenkorb",
      coupon: "Gutschein einlösen",
      order: "Kostenpflichtig bestellen",
      remember: "♥ Merken",
      compare: "Vergleichen"
    }
  },
  fr: {
    host: "www.fr.shop.example.com",
    routing: "hash",
    menu: {
      lamps: "Lampes",
      bulbs: "Ampoules",
      garden: "Extérieur",
      sale: "Soldes",
      offers: "Offres",
      story: "Journal"
    },
    texts: {
      cart: "Ajouter au panier",
      coupon: "Utiliser le code",
      order: "Commander",
      remember: "♥ Mémoriser",
      compare: "Comparer"
    }
  },
  app: { host: "", routing: "load", ...english }
}

export const queries = ["lampe köln", "café ☕ light", `6" bulb \\ e27`, "提灯"]

/** The path of each page of a kind; what is searched for follows a question mark. */
const paths: Readonly<Record<PageName, ReadonlyArray<string>>> = {
  home: ["/"],
  lamps: ["/lamps"],
  bulbs: ["/bulbs"],
  garden: ["/garden/"],
  sale: ["/sale"],
  offers: ["/offers"],
  story: ["/blog/明かり", "/blog/good-light"],
  product: ["/products/17", "/products/210", "/products/3", "/products/981", "/products/42"],
  search: queries.map((query) => `/search?q=${encodeURIComponent(query)}`),
  cart: ["/cart"],
  checkout: ["/checkout"],
  thanks: ["/checkout/thanks"],
  login: ["/login"],
  account: ["/account/orders"],
  help: ["/help"]
}

const titles: Readonly<Record<Exclude<PageName, MenuItem>, ReadonlyArray<string>>> = {
  home: ["Everything for a good light"],
  product: [
    "Tischlampe „Köln“",
    "Luminária São João",
    `E27 bulb, 6" globe`,
    "提灯 (red)",
    "Candle 🕯️, set of 4"
  ],
  search: ["Search"],
  cart: ["Cart"],
  checkout: ["Checkout"],
  thanks: ["Thank you 🎉"],
  login: ["Log in"],
  account: ["Orders"],
  help: ["Help & contact"]
}

/** A page of a site. Texts are JSON already. */
export interface Page {
  readonly name: PageName
  /** Its number among the pages of its kind. */
  readonly number: number
  readonly title: string
  /** The address, without quotes and without the query of a campaign. */
  readonly location: string
  /** Domain and location; a campaign's query follows, then `path`. */
  readonly before: string
  readonly path: string
  /** Title and URL, which a click has of its own. */
  readonly rest: string
}

function pageOf(site: Site, name: PageName, path: string, number: number): Page {
  const { host, routing, menu } = sites[site]
  const label = name in menu ? menu[name as MenuItem] : titles[name as "home"][number]
  const title = JSON.stringify(`${label ?? titles[name as "home"][0]} – Lichthaus`)
  const address = encodeURI(path).replaceAll("%25", "%")
  const location = `https://${host}${routing === "hash" ? "/#" : ""}${address}`
  const url = location.split("?")[0] as string
  const pathname = routing === "hash" ? "/" : (address.split("?")[0] as string)
  return {
    name,
    number,
    title,
    location,
    before: `"[Amplitude] Page Domain":"${host}","[Amplitude] Page Location":"${location}`,
    path: `","[Amplitude] Page Path":"${pathname}"`,
    rest: `,"[Amplitude] Page Title":${title},"[Amplitude] Page URL":"${url}"`
  }
}

function pagesOf(site: Site): Readonly<Record<PageName, ReadonlyArray<Page>>> {
  const entries = Object.entries(paths).map(([name, all]) => [
    name,
    all.map((path, number) => pageOf(site, name as PageName, path, number))
  ])
  return Object.fromEntries(entries) as Readonly<Record<PageName, ReadonlyArray<Page>>>
}

export const pages: Readonly<Record<Site, Readonly<Record<PageName, ReadonlyArray<Page>>>>> = {
  uk: pagesOf("uk"),
  de: pagesOf("de"),
  fr: pagesOf("fr"),
  app: pagesOf("app")
}
