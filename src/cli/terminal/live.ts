/**
 * The lines at the bottom of a terminal that are drawn again and again, and all that is written
 * above them.
 *
 * @module
 */

/** Lines that stand on stderr. */
export interface LiveLines {
  /** Takes them away, writes, and draws them again. */
  readonly above: (write: () => void) => void
  /** Takes them away until there is something new to show. */
  readonly pause: () => void
}

let live: LiveLines | undefined

/** Says which lines are live; `undefined` where there are none any more. */
export function setLive(lines: LiveLines | undefined): void {
  live = lines
}

/** Writes a line to stderr, above the live ones. */
export function writeError(line: string): void {
  const write = () => console.error(line)
  if (live === undefined) write()
  else live.above(write)
}

/** Makes way for a result on stdout, which may be the same terminal. */
export function pauseLive(): void {
  live?.pause()
}
