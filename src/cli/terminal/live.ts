/**
 * The lines at the bottom of a terminal that are redrawn, and everything that is written above
 * them.
 *
 * @module
 */

/** Lines that are drawn on stderr. */
export interface LiveLines {
  /** Clears the lines, writes, and draws them again. */
  readonly above: (write: () => void) => void
  /** Clears the lines until there is news. */
  readonly pause: () => void
}

let live: LiveLines | undefined

/** Sets the live lines; `undefined` removes them. */
export function setLive(lines: LiveLines | undefined): void {
  live = lines
}

/** Writes a line to stderr, above the live ones. */
export function writeError(line: string): void {
  const write = () => console.error(line)
  if (live === undefined) write()
  else live.above(write)
}

/** Clears the live lines for a result on stdout, which may be the same terminal. */
export function pauseLive(): void {
  live?.pause()
}
