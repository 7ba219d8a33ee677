/**
 * What is known of some lines, whatever their order. It needs no package, so that a worker can have it at once.
 *
 * @module
 */

/** What is known of some lines, whatever their order. */
export interface LinesDigest {
  /** Lines that are not empty. */
  readonly events: number
  /** Bytes of the lines, uncompressed. */
  readonly bytes: number
  /** Sum of the CRC-32 of each line that is not empty, without its newline, modulo 2^48: 12 hexadecimal digits. */
  readonly lineset: string
  /** Lines that are no JSON object by their first and last byte; they are landed as they came. */
  readonly malformed: number
}

/** The digest of no lines at all. */
export const noLines: LinesDigest = { events: 0, bytes: 0, lineset: "000000000000", malformed: 0 }

/** The digest of two sets of lines taken together. */
export function addDigests(one: LinesDigest, other: LinesDigest): LinesDigest {
  const lineset = (BigInt(`0x${one.lineset}`) + BigInt(`0x${other.lineset}`)) & 0xffffffffffffn
  return {
    events: one.events + other.events,
    bytes: one.bytes + other.bytes,
    lineset: lineset.toString(16).padStart(12, "0"),
    malformed: one.malformed + other.malformed
  }
}

/** Two exports of one hour may differ in order or in parts and still be the same hour. */
export function sameLines(one: LinesDigest, other: LinesDigest): boolean {
  return one.events === other.events && one.lineset === other.lineset
}
