/**
 * HTML of which every text is escaped.
 *
 * @module
 */

/** Markup, in contrast to text. */
export class Html {
  readonly markup: string
  constructor(markup: string) {
    this.markup = markup
  }
}

type Piece = string | number | Html | ReadonlyArray<Html>

/** Makes markup of a template, in which texts are escaped. Its indentation is left out. */
export function html(strings: TemplateStringsArray, ...pieces: ReadonlyArray<Piece>): Html {
  return new Html(
    strings
      .map((it) => it.replace(/\n\s*/g, "\n"))
      .reduce((all, it, index) => all + markupOf(pieces[index - 1] ?? "") + it)
  )
}

export const NOTHING = new Html("")

function markupOf(piece: Piece): string {
  if (piece instanceof Html) return piece.markup
  return typeof piece === "object"
    ? piece.map(({ markup }) => markup).join("")
    : escaped(String(piece))
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;"
}

/** Characters that HTML does not allow, or that would turn the text around them, become U+FFFD. */
function escaped(text: string): string {
  return text
    .replace(/\p{Surrogate}/gu, "\uFFFD")
    .replace(
      /[\p{Cc}\u202A-\u202E\u2066-\u2069]|[\uFDD0-\uFDEF]|\p{Noncharacter_Code_Point}/gu,
      "\uFFFD"
    )
    .replace(/[&<>"']/g, (it) => ENTITIES[it] ?? it)
}

const LONGEST = 90

/**
 * Text from outside, which may run in any direction and be of any length; `none` stands for null. A path
 * is best broken after a slash.
 */
export function name(text: string | null, none = "unknown"): Html {
  if (text === null) return html`<i>${none}</i>`
  const pieces = short(text).split(/(?<=[^/]\/)(?=[^/])/)
  return html`<bdi
    >${pieces.map((it, index) => (index === 0 ? html`${it}` : html`<wbr />${it}`))}</bdi
  >`
}

/** Cut where it is too long to be read. */
export function short(text: string): string {
  if (text.length <= LONGEST) return text
  const letters = Array.from(text.slice(0, LONGEST * 2))
  return letters.length <= LONGEST && text.length <= LONGEST * 2
    ? text
    : `${letters.slice(0, LONGEST).join("")}…`
}
