// Draws bars as an SVG that is readable on a light and on a dark background.
import { peaksOf, secondsOf } from "./groups/_group.mjs"
import { spread } from "./statistics.mjs"

const WIDTH = 860
const LABELS = 400
const BARS = 360
const ROW = 24
const HEAD = 44
const VALUE = 64
// Of medium lightness, so that they stand out from both white and black.
const [TEXT, OWN, PEER, LIMIT] = ["#7d8590", "#2f81f7", "#8b949e", "#db6d28"]

/** @typedef {{ label: string, isOwn: boolean, median: number, least: number, most: number, limit?: number | undefined }} Bar */

/** @param {string} text */
const escape = (text) => text.replaceAll(/[&<>]/g, (one) => `&#${one.charCodeAt(0)};`)

/** @param {number} value */
const round = (value) => Math.round(value * 10) / 10

/** @param {Bar} bar @param {number} top @param {(value: number) => number} scale @param {(value: number) => string} shown */
function drawBar({ label, isOwn, median, least, most, limit }, top, scale, shown) {
  const middle = top + ROW / 2
  const x = (/** @type {number} */ value) => round(LABELS + scale(value))
  const text = (
    /** @type {number} */ at,
    /** @type {string} */ anchor,
    /** @type {string} */ said
  ) => `<text x="${at}" y="${middle + 4}" text-anchor="${anchor}">${escape(said)}</text>`
  const end = x(Math.max(median, most))
  const isNear = limit !== undefined && x(limit) >= end && x(limit) < end + VALUE
  return [
    text(LABELS - 8, "end", label.replaceAll("`", "")),
    `<rect x="${LABELS}" y="${top + 4}" width="${round(Math.max(1, scale(median)))}" height="${ROW - 8}" rx="2" fill="${isOwn ? OWN : PEER}"/>`,
    `<path d="M${x(least)} ${middle}H${x(most)}M${x(least)} ${middle - 4}v8M${x(most)} ${middle - 4}v8" stroke="${TEXT}" fill="none"/>`,
    limit === undefined
      ? ""
      : `<path d="M${x(limit)} ${top + 1}v${ROW - 2}" stroke="${LIMIT}" stroke-width="2" stroke-dasharray="3 2"/>`,
    text(isNear ? x(limit) + 6 : end + 6, "start", shown(median))
  ].join("")
}

/** @param {string} title @param {ReadonlyArray<Bar>} bars @param {number} top @param {(value: number) => string} shown */
function drawPanel(title, bars, top, shown) {
  const longest = Math.max(...bars.flatMap(({ most, limit = 0 }) => [most, limit]))
  const scale = (/** @type {number} */ value) => (value / longest) * BARS
  const rows = bars.map((bar, index) => drawBar(bar, top + HEAD + index * ROW, scale, shown))
  return `<text x="8" y="${top + HEAD - 10}" font-weight="bold">${escape(title)}</text>${rows.join("\n")}`
}

/** The most a case may take, by the strictest claim about it. */
function limitOf(
  /** @type {string} */ name,
  /** @type {import("./report.mjs").Result} */ { samples },
  /** @type {ReadonlyArray<import("./report.mjs").Judged>} */ claims
) {
  const limits = claims.flatMap(({ of: [one, peer], unit, limit, holds }) => {
    if (one !== name || holds === undefined) return []
    if (unit === "seconds") return [limit]
    if (unit !== "ratio" || peer === undefined) return []
    return [limit * spread(secondsOf(samples[peer])).median]
  })
  return limits.length === 0 ? undefined : Math.min(...limits)
}

/**
 * A panel of seconds for every group; for the memory group, a panel of peaks.
 *
 * @param {ReadonlyArray<import("./report.mjs").Result>} results
 * @param {ReadonlyArray<import("./report.mjs").Judged>} claims
 */
export function plot(results, claims) {
  const panels = []
  let top = 0
  for (const result of results) {
    const { group, samples } = result
    const isMemory = group.name === "memory"
    const own = claims.filter((claim) => group.claims.some(({ text }) => text === claim.text))
    const bytes = own.find(({ unit }) => unit === "bytes")?.limit
    const bars = group.cases.flatMap(({ name, label, isPeer = false }) => {
      const values = samples[name]
      if (values === undefined) return []
      const limit = isMemory
        ? bytes
        : group.name === "growth"
          ? undefined
          : limitOf(name, result, own)
      const spreads = spread(isMemory ? peaksOf(values) : secondsOf(values))
      return [{ label, isOwn: !isPeer, ...spreads, limit }]
    })
    if (bars.length === 0) continue
    const shown = isMemory
      ? (/** @type {number} */ value) => `${Math.round(value / 1e6)} MB`
      : (/** @type {number} */ value) => `${value.toFixed(2)} s`
    panels.push(drawPanel(`${group.title}: ${isMemory ? "peak" : "time"}`, bars, top, shown))
    top += HEAD + bars.length * ROW
  }
  const height = top + HEAD
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="13" fill="${TEXT}">
${panels.join("\n")}
<text x="8" y="${height - 14}" font-size="12">Bars show medians, whiskers the lowest and highest values. Dashed lines are the strictest limits. Blue is amplitude-lake.</text>
</svg>
`
}
