import type { Page } from "./browser.ts"
import { type Text, textsOf } from "./layout.ts"

/** Of the WCAG, level AA: for text, and for large text. */
const [LEAST, LEAST_LARGE] = [4.5, 3]

/** A colour behind a text counts if it is this much of its box: less is the edges of letters. */
const SHARE = 0.12

/** Texts whose colour is too near to one that is really behind them, as measured in a picture of the page. */
export async function faintTexts(page: Page, bench: Page): Promise<ReadonlyArray<string>> {
  const texts = await page.evaluate(textsOf)
  const picture = (await page.screenshot({ fullPage: true })).toString("base64")
  const contrasts = await bench.evaluate(contrastsOf, { picture, texts, share: SHARE })
  return contrasts.flatMap((contrast, index) => {
    const text = texts[index]
    return text === undefined || contrast >= (text.isLarge ? LEAST_LARGE : LEAST)
      ? []
      : [`${contrast.toFixed(2)} ${text.color}: ${text.text.slice(0, 40)}`]
  })
}

interface Given {
  readonly picture: string
  readonly texts: ReadonlyArray<Text>
  readonly share: number
}

/** Runs in the browser: the lowest contrast of each text with what is behind it. */
async function contrastsOf({ picture, share, texts }: Given): Promise<ReadonlyArray<number>> {
  const bytes = Uint8Array.from(atob(picture), (it) => it.codePointAt(0) ?? 0)
  const bitmap = await createImageBitmap(new Blob([bytes]))
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height)
  const context = canvas.getContext("2d", { willReadFrequently: true })
  if (context === null) throw new Error("There is no canvas")
  context.drawImage(bitmap, 0, 0)

  const luminance = (red: number, green: number, blue: number) => {
    const linear = [red, green, blue].map((it) => {
      const part = it / 255
      return part <= 0.040_45 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * (linear[0] ?? 0) + 0.7152 * (linear[1] ?? 0) + 0.0722 * (linear[2] ?? 0)
  }

  return texts.map(({ color, height, width, x, y }) => {
    const own = luminance(...((color.match(/\d+/g) ?? []).map(Number) as [number, number, number]))
    const columns = Math.max(1, Math.floor(width))
    const rows = Math.max(1, Math.floor(height))
    const { data } = context.getImageData(Math.ceil(x), Math.ceil(y), columns, rows)
    const counts = new Map<number, number>()
    for (let at = 0; at < data.length; at += 4) {
      const pixel = ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0)
      counts.set(pixel, (counts.get(pixel) ?? 0) + 1)
    }
    const contrasts = [...counts]
      .filter(([, count]) => count >= columns * rows * share)
      .map(([pixel]) => {
        const behind = luminance(pixel >> 16, (pixel >> 8) & 255, pixel & 255)
        return (Math.max(own, behind) + 0.05) / (Math.min(own, behind) + 0.05)
      })
      // The letters themselves, where they are bold.
      .filter((contrast) => contrast > 1.02)
    return Math.min(...contrasts)
  })
}
