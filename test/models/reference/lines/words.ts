const MEANINGLESS: ReadonlySet<string> = new Set(["", "EMPTY", "*****"])

/** A title, label, link or campaign value, unless it says nothing. */
export function meaningful(text: string | null): string | null {
  return text === null || MEANINGLESS.has(text) ? null : text
}

export function firstOf<A>(values: ReadonlyArray<A | null>): A | null {
  return values.find((value) => value !== null) ?? null
}

/** The words of a text in lower case. A word is letters and digits. */
export function wordsOf(text: string | null): ReadonlyArray<string> {
  return (text ?? "").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

export function hasWord(text: string | null, words: ReadonlySet<string>): boolean {
  return wordsOf(text).some((word) => words.has(word))
}

/** By UTF-8 bytes, as databases without a collation do; nulls last. */
export function byText(one: string | null, other: string | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null)
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}

/** Nulls last. */
export function byNumber(one: number | bigint | null, other: number | bigint | null): number {
  if (one === null || other === null) return Number(one === null) - Number(other === null)
  return one < other ? -1 : Number(one > other)
}

/** The elements by a key, in the order of their first. */
export function grouped<A>(
  values: ReadonlyArray<A>,
  keyOf: (value: A) => string
): ReadonlyMap<string, ReadonlyArray<A>> {
  const groups = new Map<string, Array<A>>()
  for (const value of values) {
    const key = keyOf(value)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  return groups
}

/** One text for several that are different whenever one of them is. */
export function keyOf(...parts: ReadonlyArray<unknown>): string {
  return JSON.stringify(parts, (_, part) => (typeof part === "bigint" ? String(part) : part))
}

export function distinct(keys: ReadonlyArray<string>): number {
  return new Set(keys).size
}
