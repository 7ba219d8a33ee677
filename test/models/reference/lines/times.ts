const TIME = /^(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/

export const SECOND = 1_000_000
export const HOUR = 3600 * SECOND

/** Microseconds since 1970 of a time as Amplitude writes it. */
export function microsOf(text: string | null): number | null {
  const [, year, month, day, hour, minute, second, fraction = ""] = TIME.exec(text ?? "") ?? []
  if (second === undefined) return null
  const millis = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(millis) ? null : millis * 1000 + Number(fraction.padEnd(6, "0"))
}

/** The first microsecond of an hour such as `2025-11-10T21`. */
export function startOf(hour: string): number {
  return Date.parse(`${hour}:00:00Z`) * 1000
}

/** The UTC date of a time. */
export function dayOf(micros: number | null): string | null {
  return micros === null ? null : new Date(Math.floor(micros / 1000)).toISOString().slice(0, 10)
}

/** Whether a time is after another by at most so long; not if one is unknown. */
export function follows(earlier: number | null, later: number | null, atMost: number): boolean {
  return earlier !== null && later !== null && later >= earlier && later - earlier <= atMost
}
