/**
 * The entries of a list in Amplitude's answer, each as its exact text: parsing could change a number.
 *
 * @module
 */

/** The entries of the list that a JSON object has under a name; `undefined` if the bytes are no such object. */
export function entriesIn(bytes: Uint8Array, field: string): ReadonlyArray<string> | undefined {
  const text = textOfList(bytes, field)
  return text === undefined ? undefined : elementsOf(text, valueOf(text, field))
}

/** The text, if it is JSON with such a list. */
function textOfList(bytes: Uint8Array, field: string): string | undefined {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes)
    const answer: unknown = JSON.parse(text)
    if (typeof answer !== "object" || answer === null) return undefined
    return Array.isArray((answer as Readonly<Record<string, unknown>>)[field]) ? text : undefined
  } catch {
    return undefined
  }
}

// From here on the text is JSON.

/** Where the value under a name begins; the last of several counts. */
function valueOf(text: string, field: string): number {
  let found = 0
  let at = begin(text, text.indexOf("{") + 1)
  while (text[at] !== "}") {
    const end = endOf(text, at)
    const value = begin(text, text.indexOf(":", end) + 1)
    if (JSON.parse(text.slice(at, end)) === field) found = value
    at = next(text, endOf(text, value))
  }
  return found
}

function elementsOf(text: string, list: number): ReadonlyArray<string> {
  const elements: Array<string> = []
  let at = begin(text, list + 1)
  while (text[at] !== "]") {
    const end = endOf(text, at)
    elements.push(text.slice(at, end))
    at = next(text, end)
  }
  return elements
}

/** The first place from here on that is not blank. */
function begin(text: string, at: number): number {
  while (/\s/.test(text.charAt(at))) at++
  return at
}

/** Where what follows a value begins, or the bracket that closes them all. */
function next(text: string, end: number): number {
  const at = begin(text, end)
  return text[at] === "," ? begin(text, at + 1) : at
}

/** Where a value ends. */
function endOf(text: string, at: number): number {
  let depth = 0
  do {
    const char = text.charAt(at)
    if (char === '"') at = endOfString(text, at)
    else if (char === "{" || char === "[") [depth, at] = [depth + 1, at + 1]
    else if (char === "}" || char === "]") [depth, at] = [depth - 1, at + 1]
    else at = depth === 0 ? endOfWord(text, at) : at + 1
  } while (depth > 0)
  return at
}

function endOfString(text: string, at: number): number {
  let end = text.indexOf('"', at + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end + 1
}

/** Whether an odd number of backslashes is before a place. */
function isEscaped(text: string, at: number): boolean {
  let first = at
  while (text[first - 1] === "\\") first--
  return (at - first) % 2 === 1
}

/** Where a number, `true`, `false` or `null` ends. */
function endOfWord(text: string, at: number): number {
  while (/[\w.+-]/.test(text.charAt(at))) at++
  return at
}
