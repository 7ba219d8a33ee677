/** The text of an event, with numbers that JavaScript has none for. */

/** A number as it is to be written. */
export function digits(text: string): string {
  return `@@${text}@@`
}

/** JSON, with half surrogates escaped as `JSON.stringify` does. */
export function lineOf(fields: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(fields).replaceAll(/"@@(.*?)@@"/g, "$1")
}

const two = (value: number) => String(value).padStart(2, "0")

/** A time in microseconds as Amplitude writes it. */
export function timestamp(micros: number): string {
  const date = new Date(Math.floor(micros / 1000))
  const day = date.toISOString().slice(0, 10)
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":")
  return `${day} ${time}.${String(((micros % 1_000_000) + 1_000_000) % 1_000_000).padStart(6, "0")}`
}
