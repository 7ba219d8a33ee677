/**
 * The grammar of env files, the same on every Node. A line is blank, a comment, or `NAME=value`; anything else is refused, so
 * that no line is lost without a word.
 *
 * @module
 */
import { Either } from "effect"

/** What is wrong with an env file, and on which line. It never repeats the line, which may hold a secret. */
export interface EnvProblem {
  /** From 1; `undefined` if it is about the whole file. */
  readonly line: number | undefined
  readonly problem: string
}

export interface EnvEntry {
  readonly name: string
  readonly value: string
  /** The first and last line, from 1. */
  readonly lines: readonly [number, number]
}

const ASSIGNMENT = /^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$/s
/** A line that would be a setting if it stood alone. The last line of a PEM key, `abc==`, is none. */
const LIKE_A_SETTING = /^[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*[ \t]*=[ \t]*[^=\s]/
const QUOTES = ['"', "'", "`"]

/** The text of an env file: UTF-8, or UTF-16 if it begins with a byte order mark. */
export function decodeEnv(bytes: Uint8Array): Either.Either<string, EnvProblem> {
  const [first, second] = bytes
  const isLittle = first === 0xff && second === 0xfe
  const encoding = isLittle ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8"
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes)
    return text.includes("\0")
      ? refuse(undefined, "holds zero bytes: save it as UTF-8")
      : Either.right(text)
  } catch {
    return refuse(undefined, "is not UTF-8: save it as UTF-8")
  }
}

/** Every setting of an env file, in its order; or the first problem. */
export function parseEnvText(text: string): Either.Either<ReadonlyArray<EnvEntry>, EnvProblem> {
  const lines = text.split(/\r\n|\n|\r/)
  const entries: Array<EnvEntry> = []
  for (let index = 0; index < lines.length; index++) {
    const line = (lines[index] ?? "").trim()
    if (line === "" || line.startsWith("#")) continue
    const [, name, rest = ""] = ASSIGNMENT.exec(line) ?? []
    if (name === undefined) return refuse(index, "not NAME=value, a comment or blank")
    const quote = QUOTES.find((it) => rest.startsWith(it))
    const read =
      quote === undefined
        ? Either.right({ value: unquoted(rest), last: index })
        : quoted(lines, index, name, quote, rest.slice(1))
    if (Either.isLeft(read)) return Either.left(read.left)
    const { last, value } = read.right
    entries.push({ name, value, lines: [index + 1, last + 1] })
    index = last
  }
  return Either.right(entries)
}

function refuse(index: number | undefined, problem: string): Either.Either<never, EnvProblem> {
  return Either.left({ line: index === undefined ? undefined : index + 1, problem })
}

/** A comment begins at a blank before `#`, as in docker's and compose's readers. */
function unquoted(rest: string): string {
  return rest.startsWith("#") ? "" : rest.replace(/[ \t]+#.*$/s, "").trim()
}

/** A value in quotes, which may span lines. In double quotes `\n` is a line break. */
function quoted(
  lines: ReadonlyArray<string>,
  index: number,
  name: string,
  quote: string,
  start: string
): Either.Either<{ readonly value: string; readonly last: number }, EnvProblem> {
  const value: Array<string> = []
  for (let last = index; last < lines.length; last++) {
    const line = last === index ? start : (lines[last] ?? "")
    if (last > index && LIKE_A_SETTING.test(line)) {
      return refuse(index, `the quote of ${name} is not closed before line ${last + 1}`)
    }
    const end = line.indexOf(quote)
    if (end < 0) {
      value.push(line)
      continue
    }
    const after = line.slice(end + 1).trim()
    if (after !== "" && !after.startsWith("#")) {
      return refuse(last, `text after the closing quote of ${name}`)
    }
    const text = [...value, line.slice(0, end)].join("\n")
    return Either.right({ value: quote === '"' ? text.replaceAll("\\n", "\n") : text, last })
  }
  return refuse(index, `the quote of ${name} is never closed`)
}
