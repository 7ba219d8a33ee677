import { createHash } from "node:crypto"
import { Html, html, NOTHING } from "./html.ts"
import { type Section, section } from "./figure.ts"
import { STYLE } from "./style.ts"

interface Page {
  readonly title: string
  readonly about: Html
  readonly parts: ReadonlyArray<Section>
}

/** Nothing is loaded and nothing runs; the one style is named by its hash. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`

const nav = (parts: ReadonlyArray<Section>) =>
  html`<nav aria-label="Parts of the page">
    <ul>
      ${parts.map(({ heading, id }) => html`<li><a href="#${id}">${heading}</a></li> `)}
    </ul>
  </nav> `

/** A page in one file. */
export function page({ about, parts, title }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(POLICY)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title}</title>
        ${new Html(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <header>
          <h1>${title}</h1>
          ${about}${parts.length < 2 ? NOTHING : nav(parts)}
        </header>
        <main>${parts.map(section)}</main>
        <footer>
          <p>Written by amplitude-lake. This file loads nothing and runs no script.</p>
        </footer>
      </body>
    </html> `.markup
}
