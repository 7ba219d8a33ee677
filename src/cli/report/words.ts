import { type Html, html } from "./html.ts"

/** `1,234` */
export function number(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",")
}

/** `1 hour`, `2 hours` */
export function plural(count: number, word: string): string {
  return `${number(count)} ${word}${count === 1 ? "" : "s"}`
}

/** `12%` of some; below ten with a digit. */
export function percent(share: number): string {
  const percents = share * 100
  if (percents > 0 && percents < 0.1) return "< 0.1%"
  return `${percents < 9.95 && percents > 0 ? percents.toFixed(1) : percents.toFixed(0)}%`
}

/** For the coordinates of a picture: short, and the same everywhere. */
export function fixed(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** `2025-11-10 21:00` for `2025-11-10T21`. Day and clock stay whole where lines break. */
export function hourText(hour: string): Html {
  return momentText(`${hour}:00`)
}

/** The same for `2025-11-10T21:17:00Z`, to the minute. */
export function momentText(moment: string): Html {
  return html`${dayText(moment.slice(0, 10))} <time>${moment.slice(11, 16)}</time>`
}

export function dayText(day: string): Html {
  return html`<time>${day}</time>`
}
