/** JSON read so that no number changes. `JSON.parse` rounds above 2^53. */

/** A number as it was written. */
export class Digits {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type Value = null | boolean | string | Digits | ReadonlyArray<Value> | Fields
export type Fields = ReadonlyMap<string, Value>

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\]|\\.)*"/y
const WORDS = { true: true, false: false, null: null } as const
const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): Value {
    const value = this.#value()
    if (this.#at < this.#text.length) throw new SyntaxError("something follows")
    return value
  }

  #value(): Value {
    this.#space()
    const value = this.#bare()
    this.#space()
    return value
  }

  #bare(): Value {
    if (this.#took("{")) return this.#fields()
    if (this.#took("[")) return this.#items()
    for (const [word, value] of Object.entries(WORDS)) if (this.#took(word)) return value
    const text = this.#match(STRING)
    if (text !== undefined) return (JSON.parse(text) as string).replaceAll(LONE_SURROGATE, "")
    const number = this.#match(NUMBER)
    if (number !== undefined) return new Digits(number)
    throw new SyntaxError("no value")
  }

  #fields(): Fields {
    const fields = new Map<string, Value>()
    this.#space()
    if (this.#took("}")) return fields
    do {
      this.#space()
      const name = this.#match(STRING)
      this.#space()
      if (name === undefined || !this.#took(":")) throw new SyntaxError("no field")
      fields.set((JSON.parse(name) as string).replaceAll(LONE_SURROGATE, ""), this.#value())
    } while (this.#took(","))
    if (!this.#took("}")) throw new SyntaxError("an open object")
    return fields
  }

  #items(): ReadonlyArray<Value> {
    const items: Array<Value> = []
    this.#space()
    if (this.#took("]")) return items
    do items.push(this.#value())
    while (this.#took(","))
    if (!this.#took("]")) throw new SyntaxError("an open array")
    return items
  }

  #space(): void {
    this.#match(/[ \t\r\n]*/y)
  }

  #took(text: string): boolean {
    if (!this.#text.startsWith(text, this.#at)) return false
    this.#at += text.length
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? []
    this.#at += found?.length ?? 0
    return found
  }
}

/** The value of a text, or nothing if it is no JSON. Lone surrogates are dropped. */
export function parsed(text: string): Value | undefined {
  try {
    return new Reader(text).whole()
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined
    throw cause
  }
}

export function isFields(value: Value | undefined): value is Fields {
  return value instanceof Map
}

export function isList(value: Value | undefined): value is ReadonlyArray<Value> {
  return Array.isArray(value)
}

const quoted = (value: Value): string => JSON.stringify(value)

/** The JSON of a value without spaces. Two values are the same if their texts with `isSorted` are. */
export function jsonOf(value: Value, isSorted = false): string {
  if (value instanceof Digits) return isSorted ? exact(value.text) : value.text
  if (isList(value)) return `[${value.map((item) => jsonOf(item, isSorted)).join(",")}]`
  if (!isFields(value)) return quoted(value)
  const fields = [...value].map(([name, item]) => `${quoted(name)}:${jsonOf(item, isSorted)}`)
  return `{${(isSorted ? fields.sort() : fields).join(",")}}`
}

/** One text for each number: integers exactly, others as a double. */
export function exact(digits: string): string {
  return /^-?\d+$/.test(digits) ? String(BigInt(digits)) : String(Number(digits))
}

/** A value as text: without quotes if it is one, null if it is absent. */
export function textOf(value: Value | undefined): string | null {
  if (value === undefined || value === null) return null
  return typeof value === "string" ? value : jsonOf(value)
}
