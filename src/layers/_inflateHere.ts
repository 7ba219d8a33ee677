import { createGunzip, type Gunzip, type InflateRaw } from "node:zlib"
import type { Inflate } from "./_inflater.ts"
import { type Refuse, refusal } from "./_refusal.ts"

/** Stays in a core's cache until its lines are counted. */
const CHUNK = 64 * 1024

/** Flush flags: more is to come, or nothing is. */
const [MORE, LAST] = [0, 4]

/** What `gunzipSync` itself makes of an engine: in no documentation, so that `canInflateHere` has to be asked first. */
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
  /** After a write: the bytes of room that are left, and those that were not taken in. */
  readonly _writeState: Uint32Array
}

/** Its own buffer, which is not used, is as small as may be. */
const UNUSED = { chunkSize: 64 }

function open(engine: Gunzip | InflateRaw, refuse: Refuse) {
  const { _handle: handle, _writeState: state } = engine as unknown as Internals
  const out = Buffer.allocUnsafeSlow(CHUNK)
  const corrupt = (detail: string) => refuse("Corrupt", `It does not inflate: ${detail}`)
  let behind = 0
  // It is looked at after each write; unheard, it would be an uncaught exception.
  engine.on("error", () => {})

  function* write(bytes: Uint8Array, flush: number): Generator<Uint8Array> {
    let left = bytes.length
    let room = 0
    while (room === 0) {
      handle.writeSync(flush, bytes, bytes.length - left, left, out, 0, CHUNK)
      if (engine.errored) throw corrupt(engine.errored.message)
      ;[room = CHUNK, left = 0] = state
      if (room < CHUNK) yield out.subarray(0, CHUNK - room)
    }
    behind += left
  }

  return {
    push: (bytes: Uint8Array) => write(bytes, MORE),
    *finish(): Generator<Uint8Array> {
      yield* write(new Uint8Array(0), LAST)
      // Node ignores whatever follows a zero byte behind a gzip member, and anything behind raw deflate.
      if (behind > 0) throw corrupt(`${behind} bytes follow the end of the compressed data`)
    }
  }
}

/**
 * As `inflate`, in this thread: none other is woken for each slice, and what came out is still at hand when it is looked at.
 * All chunks lie in the same memory: each is to be done with before the next is asked for.
 */
export const inflateHere: Inflate = async function* (makeEngine, source, refuse) {
  const engine = makeEngine(UNUSED)
  try {
    const { finish, push } = open(engine, refuse)
    for await (const bytes of source) yield* push(bytes)
    yield* finish()
  } finally {
    engine.close()
  }
}

/** Whether this runtime has what `inflateHere` needs: it is shown a gzip member, and has to make the right bytes of it. */
export const canInflateHere: boolean = (() => {
  const engine = createGunzip(UNUSED)
  try {
    const { finish, push } = open(engine, refusal("nothing"))
    const member = Buffer.from("1f8b0800000000000003e302009306d73201000000", "hex")
    const made = [...push(member)].map((chunk) => String(chunk))
    return made.join() === "\n" && [...finish()].length === 0
  } catch {
    return false
  } finally {
    engine.close()
  }
})()
