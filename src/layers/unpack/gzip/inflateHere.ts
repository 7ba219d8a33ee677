import { constants, createGunzip, type Gunzip, type InflateRaw } from "node:zlib"
import type { Inflate } from "./inflater.ts"
import type { Refuse } from "../refusal.ts"

/** Stays in a core's cache until its lines are counted. */
const CHUNK = 256 * 1024

/** Undocumented internals that `gunzipSync` uses; `canInflateHere` tests them first. */
interface Internals {
  readonly _handle: {
    readonly writeSync: (
      flush: number,
      from: Uint8Array,
      start: number,
      length: number,
      into: Uint8Array,
      at: number,
      room: number
    ) => void
  }
  /** After a write: the free bytes of the output, and the unread bytes of the input. */
  readonly _writeState: Uint32Array
}

/** Its own buffer is not used, so it is as small as possible. */
const UNUSED = { chunkSize: 64 }

/**
 * Unused memory. New memory for each part would be garbage outside of the heap, which is rarely
 * collected.
 */
const spare: Array<Buffer> = []

/** An engine that inflates in this thread. All chunks share one buffer. */
export interface EngineHere {
  /** What the next bytes inflate to. Bytes after the end of the stream stay unread. */
  readonly push: (bytes: Uint8Array) => Generator<Uint8Array>
  /** Refuses a stream that is not over. */
  readonly finish: () => Generator<Uint8Array>
  /** How many bytes of the last push were not read, as the stream was over. */
  readonly unread: () => number
  readonly close: () => void
}

export function openEngine(makeEngine: Parameters<Inflate>[0], refuse: Refuse): EngineHere {
  const engine: Gunzip | InflateRaw = makeEngine(UNUSED)
  const out = spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK)
  const { _handle: handle, _writeState: state } = engine as unknown as Internals
  let unread = 0
  // The error is read after each write. Without a listener it would be an uncaught exception.
  engine.on("error", () => {})

  function* write(bytes: Uint8Array, flush: number): Generator<Uint8Array> {
    let left = bytes.length
    let room = 0
    while (room === 0) {
      handle.writeSync(flush, bytes, bytes.length - left, left, out, 0, CHUNK)
      if (engine.errored) {
        throw refuse("Corrupt", `It does not inflate: ${engine.errored.message}`)
      }
      ;[room = CHUNK, left = 0] = state
      if (room < CHUNK) yield out.subarray(0, CHUNK - room)
    }
    unread = left
  }

  return {
    push: (bytes) => write(bytes, constants.Z_NO_FLUSH),
    finish: () => write(new Uint8Array(0), constants.Z_FINISH),
    unread: () => unread,
    close: () => {
      engine.close()
      spare.push(out)
    }
  }
}

/**
 * Like `inflate`, but in this thread: no other thread is woken for each slice, and the output is
 * still in the cache when it is read. All chunks share one buffer, so each must be processed before
 * the next is requested.
 */
export const inflateHere: Inflate = async function* (makeEngine, source, refuse) {
  const { close, finish, push, unread } = openEngine(makeEngine, refuse)
  let behind = 0
  try {
    for await (const bytes of source) {
      yield* push(bytes)
      behind += unread()
    }
    yield* finish()
    refuseBehind(behind, refuse)
  } finally {
    close()
  }
}

/** Node ignores everything after a zero byte behind a gzip member, and everything behind raw deflate. */
function refuseBehind(bytes: number, refuse: Refuse): void {
  if (bytes === 0) return
  const detail = `It does not inflate: ${bytes} bytes follow the end of the compressed data`
  throw refuse("Corrupt", detail)
}

/** Gunzips in this thread, fed manually. Its chunks share one buffer: each is valid only until the next one is taken. */
export interface GunzipHere {
  readonly push: (bytes: Uint8Array) => Iterable<Uint8Array>
  readonly finish: () => Iterable<Uint8Array>
  readonly close: () => void
}

export function openGunzipHere(refuse: Refuse): GunzipHere {
  const { close, finish, push, unread } = openEngine(createGunzip, refuse)
  let behind = 0
  return {
    *push(bytes) {
      yield* push(bytes)
      behind += unread()
    },
    *finish() {
      yield* finish()
      refuseBehind(behind, refuse)
    },
    close
  }
}
