/** From the moment when a worker began a window to its end, or to the last that the worker wrote. */
export interface Turn {
  readonly window: string
  readonly from: number
  readonly to: number
}

/** What a worker landed, by its log in JSON. Of a killed worker, the last turn ends with the last line. */
export function turnsOf(log: string): ReadonlyArray<Turn> {
  const lines = log.split("\n").flatMap((line) => {
    if (!line.startsWith("{") || !line.endsWith("}")) return []
    const { message, timestamp } = JSON.parse(line) as Record<"message" | "timestamp", string>
    return [{ message, at: Date.parse(timestamp) }]
  })
  const turns: Array<Turn> = []
  let begun: { readonly window: string; readonly from: number } | undefined
  for (const { at, message } of lines) {
    const [, window] = /^Begins ([^ ,]+)/.exec(message) ?? []
    if (window !== undefined) begun = { window, from: at }
    else if (begun !== undefined && message.startsWith(`${begun.window}: `)) {
      turns.push({ ...begun, to: at })
      begun = undefined
    }
  }
  const last = lines.at(-1)
  return begun === undefined || last === undefined ? turns : [...turns, { ...begun, to: last.at }]
}

/** Windows that two workers were landing at the same time. */
export function overlapsOf(turns: ReadonlyArray<Turn>): ReadonlyArray<string> {
  const sorted = turns.toSorted((one, other) => one.from - other.from)
  const ends = new Map<string, number>()
  return sorted.flatMap(({ from, to, window }) => {
    const isInside = from < (ends.get(window) ?? 0)
    ends.set(window, Math.max(to, ends.get(window) ?? 0))
    return isInside ? [window] : []
  })
}
