/**
 * A digest of lines that does not depend on their order. Imports no package, so a worker loads it
 * fast.
 *
 * @module
 */

/** A digest of lines that does not depend on their order. */
export interface LinesDigest {
  /** Non-empty lines. */
  readonly events: number
  /** Uncompressed bytes of the lines. */
  readonly bytes: number
  /**
   * Sum of the CRC-32 of every non-empty line, without its newline, modulo 2^48, as 12 hexadecimal
   * digits.
   */
  readonly lineset: string
  /**
   * Lines that are not JSON objects by their first and last byte, the only ones looked at. They are
   * stored unchanged.
   */
  readonly malformed: number
}

/** The digest of no lines. */
export const noLines: LinesDigest = { events: 0, bytes: 0, lineset: "000000000000", malformed: 0 }

/** The digest of two sets of lines combined. */
export function addDigests(one: LinesDigest, other: LinesDigest): LinesDigest {
  const lineset = (BigInt(`0x${one.lineset}`) + BigInt(`0x${other.lineset}`)) & 0xffffffffffffn
  return {
    events: one.events + other.events,
    bytes: one.bytes + other.bytes,
    lineset: lineset.toString(16).padStart(12, "0"),
    malformed: one.malformed + other.malformed
  }
}

/**
 * Whether two digests are of the same lines. Two exports of an hour may differ in order or in
 * parts.
 */
export function sameLines(one: LinesDigest, other: LinesDigest): boolean {
  return one.events === other.events && one.lineset === other.lineset
}
