/**
 * Draws shares with their intervals, each beside what it is compared with.
 *
 * @module
 */
import type { Of, Rate } from "../../programs/report/Report.ts"
import { legend, rows } from "./figure.ts"
import { type Html, html } from "./html.ts"
import { fixed, number, percent } from "./words.ts"

const HEIGHT = 20
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

/** `3.1–12%` */
export function intervalText({ high, low, sessions }: Rate): string {
  return sessions === 0 ? "" : `${percent(low).replace("%", "")}–${percent(high)}`
}

/** Where everything that is drawn ends: the next tenth. */
function scaleOf(rows: ReadonlyArray<RateRow>): number {
  const shares = rows.flatMap(({ base, elsewhere, rate }) => [
    rate.high,
    ...[base, elsewhere].map((it) => (it == null ? 0 : it.count / it.sessions))
  ])
  return Math.min(1, Math.max(0.1, Math.ceil(Math.max(...shares) * 10 - 1e-9) / 10))
}

export function ratesPicture(all: ReadonlyArray<RateRow>): Html {
  const end = scaleOf(all)
  const x = (share: number) => `${fixed(LEFT + (share / end) * WIDTH)}%`
  const middle = HEIGHT / 2
  const tick = (of: Of | null, look: string) =>
    of === null || of.sessions === 0
      ? html``
      : html`<line
          class="${look}"
          x1="${x(of.count / of.sessions)}"
          x2="${x(of.count / of.sessions)}"
          y1="${middle - 8}"
          y2="${middle + 8}"
        />`
  const drawn = rows(
    all.map(({ base, elsewhere = null, label, rate }) => ({
      label,
      counts: html`${ofText(rate)}${base === null || base.sessions === 0 ? "" : html` <i>against ${ofText(base)}</i>`}`,
      title: [
        `${shareText(rate)}, 95% interval ${intervalText(rate)}`,
        ...(base === null || base.sessions === 0 ? [] : [`the others ${shareText(base)}`]),
        ...(elsewhere === null || elsewhere.sessions === 0
          ? []
          : [`on other sites ${shareText(elsewhere)}`])
      ].join("; "),
      height: HEIGHT,
      content: html`<line
          class="track"
          x1="${LEFT}%"
          x2="${LEFT + WIDTH}%"
          y1="${middle}"
          y2="${middle}"
        />
        <line
          class="interval"
          x1="${x(rate.low)}"
          x2="${x(rate.high)}"
          y1="${middle}"
          y2="${middle}"
        />${tick(base, "others")}${tick(elsewhere, "elsewhere")}<circle
          class="share"
          cx="${x(shareOf(rate))}"
          cy="${middle}"
          r="5"
        /> `
    }))
  )
  return html`${drawn}
    <p class="scale"><span>0%</span> <span>${percent(end)}</span></p> `
}

/** What the signs of the picture stand for. */
export function rateLegend(own: string, others: string, elsewhere?: string): Html {
  return legend([
    {
      mark: html`<svg width="28" height="12" aria-hidden="true">
        <line class="interval" x1="2" x2="26" y1="6" y2="6" />
        <circle class="share" cx="14" cy="6" r="5" />
      </svg>`,
      text: `${own}, with its 95% interval`
    },
    { mark: tickMark("others"), text: others },
    ...(elsewhere === undefined ? [] : [{ mark: tickMark("elsewhere"), text: elsewhere }])
  ])
}

const tickMark = (look: string) =>
  html`<svg width="4" height="14" aria-hidden="true">
    <line class="${look}" x1="2" x2="2" y1="0" y2="14" />
  </svg>`

const shareOf = ({ count, sessions }: Of) => (sessions === 0 ? 0 : count / sessions)
const shareText = (of: Of) => percent(shareOf(of))
