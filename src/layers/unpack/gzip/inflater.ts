import type { Gunzip, Gzip, InflateRaw, ZlibOptions } from "node:zlib"
import type { Refuse } from "../refusal.ts"

/** Small enough for the output of a zip bomb to fit in memory: deflate expands up to 1032 times. */
const SLICE = 32 * 1024

/**
 * One of Node's engines, fed manually. Its output is taken after each push, so nothing
 * accumulates.
 */
export interface Inflater {
  /** Never rejects: `take` throws the failure. */
  readonly push: (bytes: Uint8Array) => Promise<void>
  /** Afterwards every byte has been read, or `take` throws. */
  readonly finish: () => Promise<void>
  /** The output since the last call. */
  readonly take: () => ReadonlyArray<Uint8Array>
  readonly close: () => void
}

/**
 * Throws `Corrupt` for anything that the engine refuses, and for bytes after the end of its stream.
 */
export function openInflater(engine: Gunzip | Gzip | InflateRaw, refuse: Refuse): Inflater {
  let given: Array<Uint8Array> = []
  let failure: Error | undefined
  let fed = 0
  let isOver = false
  let wake: (() => void) | undefined
  // After the end of a stream, Node no longer calls the callbacks of writes, so every event must
  // wake.
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
      // Node ignores everything after a zero byte behind a gzip member, and everything behind raw
      // deflate.
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

/** For suspiciously compressible input: each reader may hold the output of two slices at once. */
const SMALL_SLICE = 4 * 1024
/** Events rarely expand more than this; bombs and padding expand up to 1032 times. */
const ORDINARY_GROWTH = 32

/** The whole output of an engine; throws what `refuse` returns if something is wrong. */
export type Inflate = (
  makeEngine: (options: ZlibOptions) => Gunzip | InflateRaw,
  source: AsyncIterable<Uint8Array>,
  refuse: Refuse,
  /** Size of its own buffer in bytes, if it has one. Defaults to 256 KiB. */
  chunkSize?: number
) => AsyncGenerator<Uint8Array>

/** Inflates the next slice in another thread while the consumer works on the last one. */
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
