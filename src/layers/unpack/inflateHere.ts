import { constants, createGunzip, type Gunzip, type InflateRaw } from "node:zlib"
import type { Inflate } from "./inflater.ts"
import { type Refuse, refusal } from "./refusal.ts"

/** Stays in a core's cache until its lines are counted. */
const CHUNK = 64 * 1024

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

function open(engine: Gunzip | InflateRaw, out: Buffer, refuse: Refuse) {
  const { _handle: handle, _writeState: state } = engine as unknown as Internals
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
    push: (bytes: Uint8Array) => write(bytes, constants.Z_NO_FLUSH),
    *finish(): Generator<Uint8Array> {
      yield* write(new Uint8Array(0), constants.Z_FINISH)
      // Node ignores whatever follows a zero byte behind a gzip member, and anything behind raw deflate.
      if (behind > 0) throw corrupt(`${behind} bytes follow the end of the compressed data`)
    }
  }
}

/** Memory that is not in use: new memory for each part would be garbage outside of the heap, which is seldom looked for. */
const spare: Array<Buffer> = []

/**
 * As `inflate`, in this thread: none other is woken for each slice, and what came out is still at hand when it is looked at.
 * All chunks lie in the same memory: each is to be done with before the next is asked for.
 */
export const inflateHere: Inflate = async function* (makeEngine, source, refuse) {
  const engine = makeEngine(UNUSED)
  const out = spare.pop() ?? Buffer.allocUnsafeSlow(CHUNK)
  try {
    const { finish, push } = open(engine, out, refuse)
    for await (const bytes of source) yield* push(bytes)
    yield* finish()
  } finally {
    engine.close()
    spare.push(out)
  }
}

/** What comes of a gzip member, as text; nothing where it is refused. */
function inflated(member: Buffer): string | undefined {
  const engine = createGunzip(UNUSED)
  try {
    const { finish, push } = open(engine, Buffer.allocUnsafeSlow(CHUNK), refusal("nothing"))
    return [...push(member), ...finish()].map(String).join()
  } catch {
    return undefined
  } finally {
    engine.close()
  }
}

/** Whether this runtime has what `inflateHere` needs: it is shown a gzip member, and that member cut off, changed and added to. */
export const canInflateHere: boolean = (() => {
  const member = Buffer.from("1f8b0800000000000003e302009306d73201000000", "hex")
  const changed = Buffer.from(member).fill(0, 13, 17)
  const broken = [member.subarray(0, -1), changed, Buffer.concat([member, Buffer.alloc(1)])]
  return inflated(member) === "\n" && broken.every((it) => inflated(it) === undefined)
})()
