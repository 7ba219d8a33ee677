import type { Gunzip, InflateRaw, ZlibOptions } from "node:zlib"
import type { Refuse } from "./refusal.ts"

/** Small enough that what a bomb makes of it fits in memory: deflate reaches 1032 times. */
const SLICE = 32 * 1024

/** One of node's inflating engines, fed by hand. What it gives is taken after each push, so that nothing piles up. */
export interface Inflater {
  /** Never rejects: a failure is thrown by `take`. */
  readonly push: (bytes: Uint8Array) => Promise<void>
  /** After it every byte has been taken in, or `take` throws. */
  readonly finish: () => Promise<void>
  /** What came out since it was last called. */
  readonly take: () => ReadonlyArray<Uint8Array>
  readonly close: () => void
}

/** Throws `Corrupt` for anything that the engine refuses, and for bytes behind the end of what it reads. */
export function openInflater(engine: Gunzip | InflateRaw, refuse: Refuse): Inflater {
  let given: Array<Uint8Array> = []
  let failure: Error | undefined
  let fed = 0
  let isOver = false
  let wake: (() => void) | undefined
  // Past the end of a stream node calls no callback of a write any more, so that every event has to wake.
  engine.on("data", (bytes: Uint8Array) => given.push(bytes))
  engine.on("end", () => {
    isOver = true
    wake?.()
  })
  engine.on("error", (error) => {
    failure = error
    wake?.()
  })

  function waited(start: (done: () => void) => void): Promise<void> {
    if (isOver || failure !== undefined) return Promise.resolve()
    return new Promise((resolve) => {
      wake = resolve
      start(resolve)
    })
  }

  return {
    push: (bytes) => {
      fed += bytes.length
      return waited((done) => engine.write(bytes, done))
    },
    finish: async () => {
      await waited(() => engine.end())
      // Node ignores whatever follows a zero byte behind a gzip member, and anything behind raw deflate.
      if (engine.bytesWritten === fed || failure !== undefined) return
      failure = new Error(
        `${fed - engine.bytesWritten} bytes follow the end of the compressed data`
      )
    },
    take: () => {
      if (failure !== undefined) throw refuse("Corrupt", `It does not inflate: ${failure.message}`)
      const taken = given
      given = []
      return taken
    },
    close: () => {
      engine.destroy()
    }
  }
}

export function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += SLICE) yield bytes.subarray(at, at + SLICE)
}

/** Of bytes that grow out of the ordinary: each of several readers holds what two slices became. */
const SMALL_SLICE = 4 * 1024
/** How many times larger events become, seldom more; bombs and padding become up to 1032 times larger. */
const ORDINARY_GROWTH = 32

/** What an engine makes of the bytes, all of them, or it throws what `refuse` makes of what is wrong. */
export type Inflate = (
  makeEngine: (options: ZlibOptions) => Gunzip | InflateRaw,
  source: AsyncIterable<Uint8Array>,
  refuse: Refuse,
  /** Bytes of its own buffer, where it has one. Defaults to 256 KiB. */
  chunkSize?: number
) => AsyncGenerator<Uint8Array>

/** The next slice inflates, in another thread, while the taker works on the last one. */
export const inflate: Inflate = async function* (
  makeEngine,
  source,
  refuse,
  chunkSize = 256 * 1024
) {
  const inflater = openInflater(makeEngine({ chunkSize }), refuse)
  try {
    let pending = Promise.resolve()
    let fed = 0
    for await (const bytes of source) {
      for (let at = 0; at < bytes.length; at += fed) {
        await pending
        const taken = inflater.take()
        const grown = taken.reduce((sum, { length }) => sum + length, 0)
        const slice = bytes.subarray(at, at + (grown > fed * ORDINARY_GROWTH ? SMALL_SLICE : SLICE))
        fed = slice.length
        pending = inflater.push(slice)
        for (const chunk of taken) yield chunk
      }
    }
    await pending
    await inflater.finish()
    for (const chunk of inflater.take()) yield chunk
  } finally {
    inflater.close()
  }
}
