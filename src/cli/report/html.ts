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

/** Text from outside, which may run in any direction and be of any length; `none` stands for null. */
export function name(text: string | null, none = "unknown"): Html {
  return text === null ? html`<i>${none}</i>` : html`<bdi>${short(text)}</bdi>`
}

/**
 * A page, a journey or an address, in letters, and best broken after a slash. What stands between two
 * signs has a direction of its own, so that no word changes the order of the others.
 */
export function path(text: string | null, none = "unknown"): Html {
  if (text === null) return html`<i>${none}</i>`
  const pieces = short(inLetters(text))
    .split(/( > |\/+)/)
    .filter((it) => it !== "")
  const parts = pieces.map((it, index) => {
    const before = pieces[index - 1] ?? " > "
    const isBreak = it === "/" && before !== " > " && index + 1 < pieces.length
    return isBreak ? html`/<wbr />` : ASCII.test(it) ? html`${it}` : html`<bdi>${it}</bdi>`
  })
  return html`<bdi dir="ltr">${parts}</bdi>`
}

const ASCII = /^[ -~]*$/
/** No more than a letter or a sign: nothing that is not seen, or that belongs to the character before. */
const SEEN = /^[\p{L}\p{N}\p{P}\p{S}][\p{L}\p{M}\p{N}\p{P}\p{S}]*$/u
const UNSEEN = /\p{Default_Ignorable_Code_Point}/u

/**
 * Percent-encoded letters as letters. What stands for ASCII stays as it is, because `%2F` is no `/`; so
 * does what is malformed, is not to be seen, or is another spelling of what is shown.
 */
export function inLetters(text: string): string {
  return text.replace(/(?:%[89a-f][0-9a-f])+/gi, (encoded) => {
    try {
      const letters = decodeURIComponent(encoded)
      const isSafe =
        SEEN.test(letters) && !UNSEEN.test(letters) && letters === letters.normalize("NFC")
      return isSafe ? letters : encoded
    } catch {
      return encoded
    }
  })
}

/** Cut where it is too long to be read. */
export function short(text: string): string {
  if (text.length <= LONGEST) return text
  const letters = Array.from(text.slice(0, LONGEST * 2))
  return letters.length <= LONGEST && text.length <= LONGEST * 2
    ? text
    : `${letters.slice(0, LONGEST).join("")}…`
}
