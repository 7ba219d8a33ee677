/** Times as the Export API writes them, and the clocks of visitors' devices. */
import { below, type Random } from "./random.ts"

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const texts = (count: number, length: number) =>
  Array.from({ length: count }, (_, number) => String(number).padStart(length, "0"))
const two = texts(60, 2)
const three = texts(1000, 3)

let [knownDay, knownDate] = [0, "1970-01-01"]

/** UTC in Amplitude's format: `2025-07-17 10:36:29.753000`. */
export function timestamp(millis: number): string {
  const day = Math.floor(millis / DAY)
  if (day !== knownDay) {
    knownDay = day
    knownDate = new Date(millis).toISOString().slice(0, 10)
  }
  const rest = millis - day * DAY
  const [hour, minute] = [Math.floor(rest / HOUR), Math.floor(rest / MINUTE) % 60]
  const second = Math.floor(rest / SECOND) % 60
  return `${knownDate} ${two[hour]}:${two[minute]}:${two[second]}.${three[rest % SECOND]}000`
}

/** Time between an event and its upload: mostly minutes, sometimes days, sometimes negative. */
export function delayOf(random: Random): number {
  const dice = random()
  if (dice < 0.04) return DAY + below(random, 8 * DAY)
  if (dice < 0.05) return -2 * HOUR - below(random, 60 * HOUR)
  return SECOND + below(random, 5 * MINUTE)
}

/** How far a device's clock is ahead, in milliseconds. */
export function skewOf(random: Random): number {
  return Math.floor((random() < 0.03 ? 4 * HOUR : 4 * SECOND) * (random() - 0.5))
}
