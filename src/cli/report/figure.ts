import { Html, html, NOTHING } from "./html.ts"

interface Figure {
  readonly title: Html | string
  readonly sentence: Html | string
  readonly picture: Html
  readonly legend?: Html
  readonly table: Html
}

/** A picture: what to see, a sentence about it, and its numbers. */
export function figure({ legend = NOTHING, picture, sentence, table, title }: Figure): Html {
  return html`<figure>
    <figcaption>
      <h3>${title}</h3>
      <p>${sentence}</p>
    </figcaption>
    ${legend}${picture}
    <details>
      <summary>The numbers</summary>
      ${table}
    </details>
  </figure> `
}

interface Section {
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
  /** The class of its colour. */
  readonly look: string
  readonly text: Html | string
}

/** What the colours of a picture stand for. */
export function legend(keys: ReadonlyArray<Key>): Html {
  return html`<ul class="legend">
    ${keys.map(
      ({ look, text }) =>
        html`<li>
          <svg width="12" height="12" aria-hidden="true">
            <rect width="12" height="12" class="${look}" /></svg
          >${text}
        </li>`
    )}
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

interface Line {
  readonly y: number
  readonly left: Html | string
  readonly right?: string
}

/** A line of text above a bar; what is left is cut where there is no room. */
export function line({ left, right = "", y }: Line): Html {
  return html`<foreignObject x="0" y="${y}" width="100%" height="20"
    ><div class="line"><span>${left}</span><b>${right}</b></div></foreignObject
  >`
}
