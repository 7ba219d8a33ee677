import { Chunk, Effect, Stream } from "effect"
import type { Format } from "../../services/HourKey.ts"

/** A version of an hour to read. */
export interface Readable<E> {
  readonly format: Format
  /** Uncompressed bytes of the lines. */
  readonly bytes: number
  readonly body: Stream.Stream<Uint8Array, E>
}

/** Larger versions are not read to be compared. */
const MOST_BYTES = 32_000_000
/** Enough to look both versions up. */
const MOST_NAMED = 3

/**
 * Names the first lines of each version that the other lacks, by their `uuid`s; empty where a
 * version is too large or cannot be read.
 */
export const differingLines = <E, F>(
  landed: ReadonlyArray<Readable<E>>,
  ours: Readable<F>
): Effect.Effect<string> =>
  Effect.gen(function* () {
    if ([...landed, ours].some(({ bytes }) => bytes > MOST_BYTES)) return ""
    const theirs = (yield* Effect.forEach(landed, linesOf)).flat()
    const own = yield* linesOf(ours)
    const named = [
      ["only in the store", firstNotIn(own, theirs)],
      ["only in ours", firstNotIn(theirs, own)]
    ] as const
    return named
      .filter(([, lines]) => lines.length > 0)
      .map(([where, lines]) => `${where}: ${lines.map(uuidOf).join(", ")}`)
      .join("; ")
  }).pipe(
    Effect.catchAll((error) =>
      Effect.as(Effect.logDebug(`Both versions could not be compared: ${String(error)}`), "")
    )
  )

/** The first lines that occur more often here than there. */
function firstNotIn(
  there: ReadonlyArray<string>,
  here: ReadonlyArray<string>
): ReadonlyArray<string> {
  const counts = new Map<string, number>()
  for (const line of there) counts.set(line, (counts.get(line) ?? 0) + 1)
  const missing: Array<string> = []
  for (const line of here) {
    const count = counts.get(line) ?? 0
    if (count === 0) missing.push(line)
    else counts.set(line, count - 1)
    if (missing.length === MOST_NAMED) break
  }
  return missing
}

function uuidOf(line: string): string {
  return /"uuid"\s*:\s*"([^"\\]{1,64})"/.exec(line)?.[1] ?? "a line without uuid"
}

const linesOf = Effect.fnUntraced(function* <E>({ body, format }: Readable<E>) {
  const chunks = Chunk.toReadonlyArray(yield* Stream.runCollect(body))
  const stored = new Blob(chunks.map((chunk) => new Uint8Array(chunk)))
  const text = yield* Effect.tryPromise(() =>
    format === "jsonl"
      ? stored.text()
      : new Response(stored.stream().pipeThrough(new DecompressionStream("gzip"))).text()
  )
  return text.split("\n").filter((line) => line.trim() !== "")
})
