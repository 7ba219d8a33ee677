import type { UnpackerError } from "../../services/Unpacker.ts"

/**
 * The fields of an `UnpackerError`: plain data, so it needs no package and can come from a worker.
 */
export type Refused = Pick<UnpackerError, "reason" | "path" | "entry" | "detail">

/** Thrown inside promises; `fromPromise` converts it to the service's error. */
export class Refusal extends Error {
  readonly refused: Refused
  constructor(refused: Refused) {
    super(`${refused.reason}: ${refused.detail}`)
    this.refused = refused
  }
}

/** Makes the refusal of one file, or of one of its entries. */
export type Refuse = (reason: UnpackerError["reason"], detail: string) => Refusal

export function refusal(path: string, entry?: string): Refuse {
  return (reason, detail) =>
    new Refusal({
      reason,
      path,
      detail,
      ...(entry === undefined ? {} : { entry: printable(entry) })
    })
}

/**
 * Foreign text made safe for a message: one line of at most 120 characters, without control
 * characters.
 */
export function printable(text: string): string {
  return [...text.replaceAll(/[\p{C}\s]+/gu, " ").trim()].slice(0, 120).join("")
}
