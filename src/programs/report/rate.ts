import type { Rate } from "./Report.ts"

/** Of the standard normal distribution, for 95 %. */
const Z = 1.959964

/** A share with its interval by Wilson; the whole range where there are no sessions. */
export function rateOf(count: number, sessions: number): Rate {
  if (sessions === 0) return { count, sessions, low: 0, high: 1 }
  const square = Z * Z
  const middle = (count + square / 2) / (sessions + square)
  const half =
    (Z / (sessions + square)) *
    Math.sqrt((count * Math.max(0, sessions - count)) / sessions + square / 4)
  return { count, sessions, low: round(middle - half), high: round(middle + half) }
}

/** To six digits, so that no processor's last bit shows. */
function round(share: number): number {
  return Math.round(Math.min(1, Math.max(0, share)) * 1e6) / 1e6
}
