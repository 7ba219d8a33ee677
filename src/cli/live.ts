/**
 * The lines at the bottom of a terminal that are drawn again and again, and all that is written above them.
 *
 * @module
 */

/** Lines that stand on stderr until they are cleared. */
export interface LiveLines {
  readonly clear: () => void
  readonly draw: () => void
}

let live: LiveLines | undefined

/** From now on nothing is written through these lines; `undefined` where there are none any more. */
export function setLive(lines: LiveLines | undefined): void {
  live = lines
}

/** Writes a line to stderr, above the live ones. */
export function writeError(line: string): void {
  live?.clear()
  console.error(line)
  live?.draw()
}

/** Clears the live lines for what goes to stdout, which may be the same terminal; the next progress draws them again. */
export function clearLive(): void {
  live?.clear()
}
