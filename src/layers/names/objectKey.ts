import { sep } from "node:path"

/** What is wrong with a key, or `undefined`: no key leaves its store or is hidden from a listing. */
export function keyProblem(key: string): string | undefined {
  if (key.includes("\0") || (sep === "\\" && key.includes(sep))) {
    return "the key has a character that no file name may have"
  }
  for (const segment of key.split("/")) {
    if (segment === "") return "the key is empty, absolute, or has an empty segment"
    if (segment.startsWith(".")) return `the segment "${segment}" of the key starts with a dot`
  }
  return undefined
}
