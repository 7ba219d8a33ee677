/**
 * The hosts of the Export API, and how an archive's name identifies its source.
 *
 * @module
 */
import { createHmac } from "node:crypto"

/** The hosts of the Export API. Source: https://amplitude.com/docs/apis/analytics/export */
export const origins = {
  eu: "https://analytics.eu.amplitude.com",
  us: "https://amplitude.com"
} as const

/** Identifies a host and a key in letters, digits, dots and dashes, without revealing the key. */
export function identityOf(host: string, apiKey: string, secretKey: string): string {
  const digest = createHmac("sha256", secretKey).update(apiKey).digest("hex").slice(0, 12)
  return `${host.replace(/[^A-Za-z0-9.-]/g, "-")}-${digest}`
}
