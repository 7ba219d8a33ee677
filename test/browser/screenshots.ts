/**
 * Compares pages with what they looked like when somebody last looked at them. The pictures are small, so that letters are grey:
 * another version of a browser or a font passes, and a picture that is gone, moved or coloured otherwise does not.
 *
 * `UPDATE_SCREENSHOTS=1 npm run test:browser` writes them, to be looked at and checked in.
 *
 * @module
 */
import { existsSync } from "node:fs"
import * as fs from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Page } from "./browser.ts"

const FOLDER = fileURLToPath(new URL("screenshots", import.meta.url))
const SCALE = 8

/** Heights differ by this share at most, where lines break elsewhere. */
const HEIGHT = 0.03
/** A square of 40 px of the page differs if its colour does by more than this, of 255. */
const COLOUR = 24
/** So many squares may differ. */
const SQUARES = 0.02

export async function isAsBefore(page: Page, bench: Page, name: string): Promise<string | null> {
  const file = join(FOLDER, `${name}.png`)
  const picture = (await page.screenshot({ fullPage: true })).toString("base64")
  const small = await bench.evaluate(reduced, { picture, scale: SCALE })
  if (process.env["UPDATE_SCREENSHOTS"] !== undefined) {
    await fs.mkdir(FOLDER, { recursive: true })
    await fs.writeFile(file, Buffer.from(small, "base64"))
  }
  if (!existsSync(file)) return `${file} is missing: UPDATE_SCREENSHOTS=1 npm run test:browser`
  const before = (await fs.readFile(file)).toString("base64")
  const { heights, share } = await bench.evaluate(differing, { before, small, colour: COLOUR })
  const isSame = Math.abs(heights - 1) <= HEIGHT && share <= SQUARES
  if (isSame) return null
  const now = join(tmpdir(), `amplitude-lake-${name}.png`)
  await fs.writeFile(now, Buffer.from(small, "base64"))
  const says = `${(share * 100).toFixed(1)} % of the squares differ, and the height is ${heights.toFixed(3)} of it`
  return `${now} is not ${file}: ${says}. If it looks well: UPDATE_SCREENSHOTS=1 npm run test:browser`
}

/** Runs in the browser: a picture at a fraction of its size, in few colours, as PNG. */
async function reduced(given: {
  readonly picture: string
  readonly scale: number
}): Promise<string> {
  const bytes = Uint8Array.from(atob(given.picture), (it) => it.codePointAt(0) ?? 0)
  const bitmap = await createImageBitmap(new Blob([bytes]))
  const width = Math.round(bitmap.width / given.scale)
  const height = Math.round(bitmap.height / given.scale)
  const small = await createImageBitmap(bitmap, {
    resizeWidth: width,
    resizeHeight: height,
    resizeQuality: "high"
  })
  const canvas = document.createElement("canvas")
  Object.assign(canvas, { width, height })
  const context = canvas.getContext("2d")
  if (context === null) throw new Error("There is no canvas")
  context.drawImage(small, 0, 0)
  const image = context.getImageData(0, 0, width, height)
  for (const [at, value] of image.data.entries()) image.data[at] = Math.round(value / 17) * 17
  context.putImageData(image, 0, 0)
  return canvas.toDataURL("image/png").replace(/^.*,/, "")
}

/** Runs in the browser: how many squares differ, and the height by the one before. */
async function differing(given: {
  readonly before: string
  readonly small: string
  readonly colour: number
}): Promise<{ readonly heights: number; readonly share: number }> {
  const size = 5
  const read = async (picture: string) => {
    const bytes = Uint8Array.from(atob(picture), (it) => it.codePointAt(0) ?? 0)
    return await createImageBitmap(new Blob([bytes]))
  }
  const [before, now] = await Promise.all([read(given.before), read(given.small)])
  const columns = Math.ceil(before.width / size)
  const rows = Math.ceil(before.height / size)
  // Stretched to one height, so that a line more at the top does not count all the way down.
  const squaresOf = (bitmap: ImageBitmap) => {
    const canvas = new OffscreenCanvas(columns, rows)
    const context = canvas.getContext("2d")
    if (context === null) throw new Error("There is no canvas")
    context.imageSmoothingQuality = "high"
    context.drawImage(bitmap, 0, 0, columns, rows)
    return context.getImageData(0, 0, columns, rows).data
  }
  const [one, other] = [squaresOf(before), squaresOf(now)]
  let count = 0
  for (let at = 0; at < one.length; at += 4) {
    const far = [0, 1, 2].some(
      (it) => Math.abs((one[at + it] ?? 0) - (other[at + it] ?? 0)) > given.colour
    )
    if (far) count += 1
  }
  return { heights: now.height / before.height, share: count / (columns * rows) }
}
