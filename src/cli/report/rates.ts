/**
 * Draws shares with their intervals, each beside what it is compared with.
 *
 * @module
 */
import type { Of, Rate } from "../../programs/report/Report.ts"
import { line, picture } from "./figure.ts"
import { type Html, html } from "./html.ts"
import { fixed, number, percent } from "./words.ts"

const ROW = 46
/** Room on both sides, so that no mark is cut. */
const [LEFT, WIDTH] = [1.5, 97]

interface RateRow {
  readonly label: Html
  readonly rate: Rate
  readonly base: Of | null
  readonly elsewhere?: Of | null
}

/** `17 of 212` */
export function ofText({ count, sessions }: Of): string {
  return `${number(count)} of ${number(sessions)}`
}

/** `3.1–12 %` */
export function intervalText({ high, low, sessions }: Rate): string {
  return sessions === 0 ? "" : `${percent(low).replace(" %", "")}–${percent(high)}`
}

/** Where everything that is drawn ends: the next tenth. */
function scaleOf(rows: ReadonlyArray<RateRow>): number {
  const shares = rows.flatMap(({ base, elsewhere, rate }) => [
    rate.high,
    ...[base, elsewhere].map((it) => (it == null ? 0 : it.count / it.sessions))
  ])
  return Math.min(1, Math.max(0.1, Math.ceil(Math.max(...shares) * 10 - 1e-9) / 10))
}

export function ratesPicture(rows: ReadonlyArray<RateRow>, id: string, title: Html | string): Html {
  const end = scaleOf(rows)
  const x = (share: number) => `${fixed(LEFT + (share / end) * WIDTH)}%`
  const content = rows.map(({ base, elsewhere = null, label, rate }, index) => {
    const y = index * ROW
    const at = y + 30
    const tick = (of: Of | null, look: string) =>
      of === null || of.sessions === 0
        ? html``
        : html`<line
            class="${look}"
            x1="${x(of.count / of.sessions)}"
            x2="${x(of.count / of.sessions)}"
            y1="${at - 7}"
            y2="${at + 7}"
          />`
    const share = rate.sessions === 0 ? 0 : rate.count / rate.sessions
    const against = base === null || base.sessions === 0 ? "" : `, against ${ofText(base)}`
    return html`${line({ y, left: label, right: `${ofText(rate)}${against}` })}<line
        class="track"
        x1="${LEFT}%"
        x2="${LEFT + WIDTH}%"
        y1="${at}"
        y2="${at}"
      />${tick(base, "others")}${tick(elsewhere, "elsewhere")}<line
        class="interval"
        x1="${x(rate.low)}"
        x2="${x(rate.high)}"
        y1="${at}"
        y2="${at}"
      /><circle class="share" cx="${x(share)}" cy="${at}" r="5" /> `
  })
  const bottom = rows.length * ROW
  return picture({
    id,
    title,
    height: bottom + 16,
    content: [
      ...content,
      html`<text class="muted" x="0" y="${bottom + 10}">0 %</text
        ><text class="muted" x="100%" y="${bottom + 10}" text-anchor="end">${percent(end)}</text>`
    ]
  })
}
