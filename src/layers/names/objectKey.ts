import { sep } from "node:path"
import { isLakeKey } from "../../services/LakeMark.ts"

/**
 * What is wrong with a key below a prefix, or `undefined`: no key leaves its store, and none is
 * hidden from a listing. Only the lake's own marks begin with a dot.
 */
export function keyProblem(key: string, prefix = ""): string | undefined {
  return isLakeKey(key)
    ? (prefixProblem(prefix) ?? pathProblem(key.slice(1)))
    : pathProblem(`${prefix}${key}`)
}

/** What is wrong with a prefix, or `undefined`. */
export function prefixProblem(prefix: string): string | undefined {
  return pathProblem(`${prefix}x`)
}

function pathProblem(path: string): string | undefined {
  if (path.includes("\0") || (sep === "\\" && path.includes(sep))) {
    return "the key has a character that no file name may have"
  }
  for (const segment of path.split("/")) {
    if (segment === "") return "the key is empty, absolute, or has an empty segment"
    if (segment.startsWith(".")) return `the segment "${segment}" of the key starts with a dot`
  }
  return undefined
}
