/**
 * Draws what sessions do step by step: pages as bars, and the ways between them as bands.
 *
 * @module
 */
import type { Flow } from "../../programs/report/Report.ts"
import { picture, stretched } from "./figure.ts"
import { type Html, html, inLetters, path } from "./html.ts"
import { fixed, number } from "./words.ts"

const HEIGHT = 280
/** Of a label. */
const LINE = 18
const GAP = 10
/** For the names of the steps. */
const HEAD = 28
const STEPS = ["First page", "Second", "Third", "Fourth"]

interface Placed {
  readonly y: number
  readonly height: number
  /** Where the next band begins. */
  outgoing: number
  incoming: number
}

/** Letters of a line where columns are narrowest, and the lines of the longest label. */
const [LETTERS, LINES] = [16, 3]

/** Letters that take the room of two. */
const WIDE = /[\u1100-\u115F\u2E80-\uDFFF\uF900-\uFAFF\uFF01-\uFF60]/g

/** How many lines the labels need; a longer one is cut, and whole in the table. */
function linesOf(columns: Flow["steps"]): number {
  const longest = Math.max(
    ...columns.flat().map(({ page, sessions }) => {
      const text = `${number(sessions)} ${inLetters(page ?? "")}`
      return text.length + (text.match(WIDE) ?? []).length
    })
  )
  return Math.min(LINES, Math.ceil(longest / LETTERS))
}

/** As many steps as there is room for. */
export function flowPicture(flow: Flow, steps: number, id: string, title: Html): Html {
  const columns = flow.steps.slice(0, steps)
  const all = (columns[0] ?? []).reduce((sum, it) => sum + it.sessions, 0)
  if (all === 0) return html``
  const lines = linesOf(columns)
  const room = lines * LINE
  const places = columns.map((pages) => {
    let y = HEAD
    return pages.map(({ sessions }): Placed => {
      const height = Math.max(1, (sessions / all) * HEIGHT)
      const slot = Math.max(height, room)
      const top = y + (slot - height) / 2
      y += slot + GAP
      return { y: top, height, outgoing: top, incoming: top }
    })
  })
  const bottom = Math.max(
    ...places.flat().map(({ height, y }) => y + height / 2 + Math.max(height, room) / 2)
  )
  const width = 1000 / columns.length
  const links = flow.links.filter(({ step }) => step + 1 < columns.length)
  const bands = links.flatMap(({ from, sessions, step, to }) => {
    const here = places[step]?.[from]
    const there = places[step + 1]?.[to]
    if (here === undefined || there === undefined) return []
    const high = (sessions / all) * HEIGHT
    const [left, right] = [step * width + 8, (step + 1) * width]
    const half = fixed((left + right) / 2)
    const [y1, y2] = [here.outgoing, there.incoming]
    here.outgoing += high
    there.incoming += high
    const [l, r] = [fixed(left), fixed(right)]
    const [a, b, c, d] = [fixed(y1), fixed(y2), fixed(y2 + high), fixed(y1 + high)]
    return [
      html`<path
        d="M${l} ${a}C${half} ${a} ${half} ${b} ${r} ${b}V${c}C${half} ${c} ${half} ${d} ${l} ${d}z"
      />`
    ]
  })
  const bars = places.flatMap((pages, step) =>
    pages.map(
      ({ height, y }) =>
        html`<rect
          x="${fixed(step * width)}"
          y="${fixed(y)}"
          width="8"
          height="${fixed(height)}"
        />`
    )
  )
  const share = 100 / columns.length
  const heads = columns.map(
    (_, step) =>
      html`<text class="muted" x="${fixed(step * share)}%" y="13">${STEPS[step] ?? ""}</text>`
  )
  const labels = columns.flatMap((pages, step) =>
    pages.map(({ page, sessions }, index) => {
      const { height, y } = places[step]?.[index] ?? { height: 0, y: 0 }
      const top = y + height / 2 - room / 2
      const text = html`${path(page, "all others")}`
      return html`<foreignObject
        x="${fixed(step * share)}%"
        y="${fixed(top)}"
        width="${fixed(share)}%"
        height="${room}"
        ><div class="page of-${lines}">
          <span><b>${number(sessions)}</b> ${text}</span>
        </div></foreignObject
      > `
    })
  )
  return picture({
    id,
    title,
    height: Math.ceil(bottom) + 2,
    content: [
      html`<svg width="100%" height="${Math.ceil(bottom)}">
        ${stretched(1000, Math.ceil(bottom), [
          html`<g class="bands">${bands}</g>`,
          html`<g class="bars">${bars}</g>`
        ])}
      </svg> `,
      ...heads,
      ...labels
    ]
  })
}
