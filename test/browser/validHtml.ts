import { tool } from "./browser.ts"

const VOID = new Set(["br", "hr", "img", "input", "link", "meta", "wbr"])

interface Node {
  readonly nodeName: string
  readonly tagName?: string
  readonly childNodes?: ReadonlyArray<Node>
}

/**
 * What a strict parser finds wrong with a page. Beyond its errors, the tree that it makes must be the one that is written: it
 * closes, moves and adds elements without a word where HTML lets it.
 */
export async function htmlErrors(text: string): Promise<ReadonlyArray<string>> {
  const { parse } = (await import(tool.resolve("parse5"))) as {
    readonly parse: (
      text: string,
      options: { readonly onParseError: (error: { code: string; startLine: number }) => void }
    ) => Node
  }
  const errors: Array<string> = []
  const document = parse(text, {
    onParseError: ({ code, startLine }) => errors.push(`line ${startLine}: ${code}`)
  })
  const read: Array<string> = []
  const walk = (node: Node, depth: number) => {
    if (node.tagName !== undefined) read.push(`${depth} ${node.tagName.toLowerCase()}`)
    for (const child of node.childNodes ?? []) walk(child, depth + 1)
  }
  walk(document, 0)
  const wrote = writtenElements(text)
  const at = wrote.findIndex((it, index) => it !== read[index])
  if (at >= 0) errors.push(`element ${at} is written as ${wrote[at]}, and read as ${read[at]}`)
  if (wrote.length !== read.length) {
    errors.push(`${wrote.length} elements are written, and ${read.length} read`)
  }
  return errors
}

/** Elements with their depth, where every end tag has to be there. */
function writtenElements(text: string): ReadonlyArray<string> {
  const open: Array<string> = []
  const found: Array<string> = []
  for (const [, slash, name = "", rest = ""] of text.matchAll(
    /<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:"[^"]*"|[^">])*)>/g
  )) {
    const tag = name.toLowerCase()
    if (slash === "/") {
      const last = open.pop()
      if (last !== tag) found.push(`</${tag}> after <${last}>`)
      continue
    }
    found.push(`${open.length + 1} ${tag}`)
    if (!VOID.has(tag) && !rest.endsWith("/")) open.push(tag)
  }
  return open.length === 0 ? found : [...found, `<${open.at(-1)}> without an end`]
}
