/** Random numbers that are the same on every machine. */

/** Numbers in [0, 1). */
export type Random = () => number

/** The same numbers for the same text: sfc32, seeded with two FNV-like hashes of it. */
export function randomOf(text: string): Random {
  let [a, b] = [0x811c9dc5, 0x9e3779b9]
  for (let index = 0; index < text.length; index++) {
    a = Math.imul(a ^ text.charCodeAt(index), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(index), 0x85ebca6b)
  }
  let [c, count] = [a ^ (b >>> 15), 1]
  const next = () => {
    const sum = (((a + b) | 0) + count) | 0
    count = (count + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }
  for (let round = 0; round < 15; round++) next()
  return next
}

/** An integer from 0 to `limit - 1`. */
export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit)
}

/** An integer from the first to the last of a range, both included. */
export type Range = readonly [first: number, last: number]

export function within(random: Random, [first, last]: Range): number {
  return first + below(random, last - first + 1)
}

export function pick<A>(random: Random, choices: ReadonlyArray<A>): A {
  return choices[below(random, choices.length)] as A
}

/** A choice, each as likely as its weight says. */
export function weighted<A extends { readonly weight: number }>(
  random: Random,
  choices: ReadonlyArray<A>
): A {
  let rest = random() * choices.reduce((sum, { weight }) => sum + weight, 0)
  return (choices.find(({ weight }) => (rest -= weight) < 0) ?? choices.at(-1)) as A
}

/** A 32-bit word. */
export function wordOf(random: Random): number {
  return (random() * 4_294_967_296) >>> 0
}

/** A 32-bit word for each index, all different for one `word`. */
export function mixed(word: number, index: number): number {
  let mix = Math.imul(word ^ index, 0x9e3779b1)
  mix = Math.imul(mix ^ (mix >>> 15), 0x85ebca6b)
  return (mix ^ (mix >>> 13)) >>> 0
}

const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"))

function hex(word: number): string {
  const [a, b, c, d] = [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]
  return `${hexBytes[a]}${hexBytes[b]}${hexBytes[c]}${hexBytes[d]}`
}

/**
 * A UUID from four 32-bit words. Bits 12-15 of `b` and 28-31 of `c` are lost, so they must not
 * distinguish UUIDs.
 */
export function uuidOf(a: number, b: number, c: number, d: number): string {
  const [second, third] = [hex(b), hex(c)]
  return `${hex(a)}-${second.slice(0, 4)}-4${second.slice(5)}-a${third.slice(1, 4)}-${third.slice(4)}${hex(d)}`
}

export function randomUuid(random: Random): string {
  return uuidOf(wordOf(random), wordOf(random), wordOf(random), wordOf(random))
}
