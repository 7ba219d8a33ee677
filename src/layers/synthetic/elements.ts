/** What a visitor can click on, on each site. */
import { enclosing, type HierarchyForm, hierarchyOf, type Node } from "./hierarchy.ts"
import { bursts, dead, type MenuItem } from "./planted.ts"
import { type Page, pages, type Site, sites, type WebSite } from "./sites.ts"

interface Description {
  readonly tag: string
  readonly within: keyof typeof enclosing
  readonly id?: string
  readonly classes?: ReadonlyArray<string>
  readonly text?: string
  readonly aria?: string
  readonly attrs?: Readonly<Record<string, string>>
  /** Where a link leads to. */
  readonly to?: Page
  /** The element lies inside of a button that has this id. */
  readonly insideOf?: string
  /** Of its top left corner, in pixels. */
  readonly at: readonly [left: number, top: number]
}

/** An element. Texts are JSON already. */
export interface Element {
  /** Properties of a click on it, in each form of the hierarchy. */
  readonly properties: Readonly<Record<HierarchyForm, string>>
  /** Properties of a tap on it in an app. */
  readonly tapped: string
}

function nodesOf({ tag, within, id, classes, attrs, aria, insideOf }: Description) {
  const parents: ReadonlyArray<Node> = enclosing[within]
  const button: Node = {
    tag: "button",
    index: 1,
    indexOfType: 0,
    id: insideOf ?? "",
    classes: ["btn"]
  }
  const all = { ...attrs, ...(aria === undefined ? {} : { "aria-label": aria }) }
  const node: Node = {
    tag,
    index: 0,
    indexOfType: 0,
    ...(id === undefined ? {} : { id }),
    ...(classes === undefined ? {} : { classes }),
    // Amplitude reads no attributes of fields.
    ...(Object.keys(all).length === 0 || tag === "input" ? {} : { attrs: all })
  }
  return insideOf === undefined ? [node, ...parents] : [node, button, ...parents]
}

/** Properties with Amplitude's prefix, as JSON without braces; what is undefined is left out. */
function list(properties: Readonly<Record<string, unknown>>): string {
  return Object.entries(properties)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `"[Amplitude] ${name}":${JSON.stringify(value)}`)
    .join(",")
}

function elementOf(site: Site, description: Description): Element {
  const { tag, id, classes, text, aria, to, insideOf, at } = description
  const href = to?.location.slice(0, 128)
  const path = `${insideOf === undefined ? "" : `button#${insideOf} > `}${tag}${id === undefined ? "" : `#${id}`}`
  const nodes = nodesOf(description)
  const own = list({
    "Element ID": id,
    "Element Class": classes?.join(" "),
    "Element Tag": tag,
    "Element Text": text,
    "Element Href": href,
    "Element Aria Label": aria,
    "Element Parent Label": to === undefined ? undefined : "Lichthaus",
    "Element Position Left": at[0],
    "Element Position Top": at[1],
    "Viewport Height": 900,
    "Viewport Width": 1440
  })
  const form = (form: HierarchyForm, more = "") =>
    `${own},"[Amplitude] Element Hierarchy":${hierarchyOf(nodes, form)}${more}`
  return {
    properties: {
      array: form("array", `,"[Amplitude] Element Path":${JSON.stringify(path)}`),
      cut: form("cut"),
      python: form("python")
    },
    tapped: list({
      Action: "touch",
      Hierarchy: site === "app" ? "UIButton → UIStackView → UIView → UIWindow" : undefined,
      "Target Text": text,
      "Target Accessibility Label": aria,
      "Target View Class": "UIButton"
    })
  }
}

const button = { tag: "button", classes: ["btn", "btn-primary"] } as const

function buttonsOf(site: Site) {
  const { texts } = sites[site]
  const element = (description: Description) => elementOf(site, description)
  const plain = (id: string, text: string, at: Description["at"]) =>
    element({ ...button, within: "main", id, text, at })
  const inside = (insideOf: string, text: string, at: Description["at"]) =>
    element({ tag: "span", within: "main", classes: ["btn__label"], text, insideOf, at })
  return {
    burger: element({
      tag: "button",
      within: "bar",
      aria: "Menu",
      classes: ["burger"],
      at: [16, 20]
    }),
    opener: element({
      tag: "button",
      within: "menu",
      text: "Products",
      attrs: { "aria-expanded": "false" },
      at: [210, 24]
    }),
    [bursts.broken.id]: plain(bursts.broken.id, texts.coupon, [840, 512]),
    brokenLabel: inside(bursts.broken.id, texts.coupon, [852, 520]),
    [bursts.slow.id]: plain(bursts.slow.id, texts.order, [840, 760]),
    [bursts.stepper.id]: element({
      tag: "button",
      within: "quantity",
      id: bursts.stepper.id,
      classes: ["stepper__plus"],
      text: "+",
      at: [702, 480]
    }),
    [bursts.carousel.id]: element({
      tag: "button",
      within: "gallery",
      id: bursts.carousel.id,
      aria: "Next picture",
      at: [610, 330]
    }),
    [bursts.field.id]: element({ tag: "input", within: "bar", id: bursts.field.id, at: [980, 22] }),
    [dead.seen.id]: plain(dead.seen.id, texts.remember, [840, 610]),
    [dead.unseen.id]: plain(dead.unseen.id, texts.compare, [960, 610]),
    addToCart: element({ ...button, within: "main", text: texts.cart, at: [840, 560] }),
    tab: element({
      tag: "button",
      within: "tabs",
      text: "Details",
      attrs: { role: "tab" },
      at: [240, 820]
    }),
    logIn: element({ ...button, within: "form", id: "log-in", text: "Log in", at: [620, 480] }),
    /** Its text is a name, which the site masks. */
    masked: element({ tag: "button", within: "main", id: "profile", text: "*****", at: [1180, 96] })
  }
}

function menuOf(site: Site): Readonly<Record<MenuItem, Element>> {
  const { menu } = sites[site]
  const entries = Object.entries(menu).map(([name, text], index) => {
    const to = pages[site][name as MenuItem][0] as Page
    // Two of the items lie in the panel that the opener opens.
    const within = index < 2 ? "panel" : "menu"
    return [name, elementOf(site, { tag: "a", within, text, to, at: [240 + 110 * index, 24] })]
  })
  return Object.fromEntries(entries) as Readonly<Record<MenuItem, Element>>
}

function linksOf(site: Site, within: "card" | "breadcrumb" | "footer", left: number) {
  const element = (to: Page) =>
    elementOf(site, {
      tag: "a",
      within,
      text: JSON.parse(to.title).slice(0, -12),
      to,
      at: [left, 410]
    })
  return new Map(
    Object.values(pages[site]).flatMap((all) => all.map((page) => [page, element(page)]))
  )
}

function elementsOf(site: Site) {
  return {
    buttons: buttonsOf(site),
    menu: menuOf(site),
    card: linksOf(site, "card", 420),
    breadcrumb: linksOf(site, "breadcrumb", 120),
    footer: linksOf(site, "footer", 96)
  }
}

export const elements: Readonly<Record<WebSite | "app", ReturnType<typeof elementsOf>>> = {
  uk: elementsOf("uk"),
  de: elementsOf("de"),
  fr: elementsOf("fr"),
  app: elementsOf("app")
}
