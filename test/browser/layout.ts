/**
 * What a page measures of itself. These functions run in the browser, so each stands alone.
 *
 * @module
 */

export interface Text {
  readonly text: string
  readonly color: string
  readonly isLarge: boolean
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Every line of text that is to be seen, on the page's own coordinates. */
export function textsOf(): ReadonlyArray<Text> {
  const texts: Array<Text> = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const parent = node.parentElement
    if (parent === null || (node.textContent ?? "").trim() === "") continue
    // A picture's title is read out, not shown.
    if (parent.closest("title, style") !== null || !parent.checkVisibility()) continue
    const style = getComputedStyle(parent)
    const size = Number.parseFloat(style.fontSize)
    const range = document.createRange()
    range.selectNodeContents(node)
    for (const { height, width, x, y } of range.getClientRects()) {
      if (width < 1 || height < 1) continue
      texts.push({
        text: node.textContent?.trim() ?? "",
        color: parent instanceof SVGElement ? style.fill : style.color,
        isLarge: size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700),
        x: x + scrollX,
        y: y + scrollY,
        width,
        height
      })
    }
  }
  return texts
}

/** What cannot be seen whole, or stands on something else. Only a table may be wider than the page, in a frame that scrolls. */
export function layoutFaults(): ReadonlyArray<string> {
  const faults: Array<string> = []
  const root = document.documentElement
  if (root.scrollWidth > root.clientWidth) {
    faults.push(`the page is ${root.scrollWidth} wide, and the window ${root.clientWidth}`)
  }
  const shown = (it: Element) => it.textContent?.trim().slice(0, 40) ?? ""
  const right = root.clientWidth

  for (const it of document.querySelectorAll<HTMLElement>("body *")) {
    if (it.closest(".wide table, title, svg [aria-hidden]") !== null) continue
    const box = it.getBoundingClientRect()
    if (box.width === 0) continue
    if (box.left < -0.5 || box.right > right + 0.5) {
      faults.push(`<${it.localName}> reaches from ${box.left} to ${box.right}: ${shown(it)}`)
    }
    const cuts = getComputedStyle(it).overflowX !== "visible" && it instanceof HTMLElement
    if (cuts && !it.matches(".wide") && it.scrollWidth > it.clientWidth + 1) {
      faults.push(`<${it.localName}> cuts its width: ${shown(it)}`)
    }
    if (cuts && it.scrollHeight > it.clientHeight + 1) {
      faults.push(`<${it.localName}> cuts its height: ${shown(it)}`)
    }
    const frame = it.parentElement?.closest("svg, foreignObject")?.getBoundingClientRect()
    const isInFrame =
      frame === undefined ||
      (box.top >= frame.top - 1.5 &&
        box.bottom <= frame.bottom + 1.5 &&
        box.left >= frame.left - 1.5 &&
        box.right <= frame.right + 1.5)
    if (!isInFrame) faults.push(`<${it.localName}> leaves its picture: ${shown(it)}`)
  }

  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  const lines: Array<{ readonly text: string; readonly box: DOMRect }> = []
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    if (node.parentElement?.closest("title, style") != null) continue
    const range = document.createRange()
    range.selectNodeContents(node)
    for (const box of range.getClientRects()) {
      if (box.width > 1) lines.push({ text: node.textContent?.trim() ?? "", box })
    }
  }
  lines.sort((one, other) => one.box.top - other.box.top)
  for (const [index, { box, text }] of lines.entries()) {
    for (let next = index + 1; next < lines.length; next += 1) {
      const other = lines[next]
      if (other === undefined || other.box.top >= box.bottom - 3) break
      const isBeside = other.box.left >= box.right - 1 || other.box.right <= box.left + 1
      if (!isBeside) faults.push(`"${text.slice(0, 40)}" and "${other.text.slice(0, 40)}" overlap`)
    }
  }
  return faults
}
