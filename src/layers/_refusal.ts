import { UnpackerError } from "../services/Unpacker.ts"

/** Makes the error of one file, and of one entry of it where it is about one. */
export type Refuse = (reason: UnpackerError["reason"], detail: string) => UnpackerError

export function refusal(path: string, entry?: string): Refuse {
  return (reason, detail) =>
    new UnpackerError({
      reason,
      path,
      detail,
      ...(entry === undefined ? {} : { entry: printable(entry) })
    })
}

/** Foreign text made fit for a message: one line of at most 120 characters, without control characters. */
export function printable(text: string): string {
  return [...text.replaceAll(/[\p{C}\s]+/gu, " ").trim()].slice(0, 120).join("")
}
