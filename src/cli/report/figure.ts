import { Html, html, NOTHING } from "./html.ts"

interface Figure {
  readonly title: Html | string
  readonly sentence: Html | string
  readonly picture: Html
  readonly legend?: Html
  readonly table: Html
}

export const SUMMARY = html`<summary>The numbers</summary>`

/** A picture: what to see, a sentence about it, and its numbers. */
export function figure({ legend = NOTHING, picture, sentence, table, title }: Figure): Html {
  return html`<figure>
    <figcaption>
      <h3>${title}</h3>
      <p>${sentence}</p>
    </figcaption>
    ${legend}${picture}
    <details>${SUMMARY} ${table}</details>
  </figure> `
}

export interface Section {
  readonly id: string
  readonly heading: string
  readonly body: Html | ReadonlyArray<Html>
}

export function section({ body, heading, id }: Section): Html {
  return html`<section aria-labelledby="${id}">
    <h2 id="${id}">${heading}</h2>
    ${body}
  </section> `
}

/** What a question cannot be answered without. */
export function missing(text: string): Html {
  return html`<p class="missing">${text}</p> `
}

export interface Key {
  /** As it looks in the picture, 12 high. */
  readonly mark: Html
  readonly text: Html | string
}

/** A mark of shapes that have this class. */
export function square(look: string): Html {
  return html`<svg width="12" height="12" aria-hidden="true">
    <rect width="12" height="12" class="${look}" />
  </svg>`
}

/** What the colours and signs of a picture stand for. */
export function legend(keys: ReadonlyArray<Key>): Html {
  return html`<ul class="legend">
    ${keys.map(({ mark, text }) => html`<li>${mark}${text}</li> `)}
  </ul> `
}

interface Picture {
  readonly id: string
  readonly title: Html | string
  readonly height: number
  readonly content: Html | ReadonlyArray<Html>
}

/** An SVG that is as wide as its column. Its texts keep their size. */
export function picture({ content, height, id, title }: Picture): Html {
  return html`<svg
    class="picture"
    width="100%"
    height="${height}"
    role="img"
    aria-labelledby="${id}"
  >
    <title id="${id}">${title}</title>
    ${content}
  </svg> `
}

/** Shapes that are stretched over the whole of a picture. */
export function stretched(width: number, height: number, shapes: ReadonlyArray<Html>): Html {
  return html`<svg
    width="100%"
    height="100%"
    viewBox="0 0 ${width} ${height}"
    preserveAspectRatio="none"
  >
    ${shapes}
  </svg>`
}

interface Row {
  readonly label: Html
  readonly counts: Html | string
  /** What its picture shows, in words. */
  readonly title: string
  readonly height: number
  readonly content: Html | ReadonlyArray<Html>
}

/** Rows of text, each with a picture of its own. Where there is no room beside the text, it is below it. */
export function rows(all: ReadonlyArray<Row>): Html {
  return html`<ol class="rows">
    ${all.map(
      ({ content, counts, height, label, title }) =>
        html`<li>
          <span>${label}</span>
          <b>${counts}</b>
          <svg width="100%" height="${height}" role="img">
            <title>${title}</title>
            ${content}
          </svg>
        </li> `
    )}
  </ol> `
}
