import type { Snapshot } from "../../../programs/snapshot/Snapshot.ts"
import { keyText } from "../keyText.ts"
import { bytesText, plural } from "../printed.ts"

/** One line per list. */
export function snapshotText({ date, lists }: Snapshot, place: string): string {
  return [
    `day          ${date}`,
    `where        ${place}`,
    ...lists.map(({ key, message, records, size, state, stream }) => {
      const head = stream.padEnd(13)
      if (state === "failed") return `${head}failed: ${message}`
      const count = records === undefined ? "" : `${plural(records, "record")}, `
      const about = `${count}${bytesText(size ?? 0)}, in ${keyText(key)}`
      return state === "stored" ? `${head}${about}` : `${head}there already: ${about}`
    })
  ].join("\n")
}
