import { constants, createGunzip, type Gunzip, type InflateRaw } from "node:zlib"
import { type Inflate, inflate } from "./inflater.ts"
import { type Refuse, refusal } from "./refusal.ts"

/** Stays in a core's cache until its lines are counted. */
const CHUNK = 64 * 1024

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

function open(engine: Gunzip | InflateRaw, out: Buffer, refuse: Refuse) {
  const { _handle: handle, _writeState: state } = engine as unknown as Internals
  const corrupt = (detail: string) => refuse("Corrupt", `It does not inflate: ${detail}`)
  let behind = 0
  // The error is read after each write. Without a listener it would be an uncaught exception.
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
      // Node ignores everything after a zero byte behind a gzip member, and everything behind raw
      // deflate.
      if (behind > 0) throw corrupt(`${behind} bytes follow the end of the compressed data`)
    }
  }
}

/**
 * Unused memory. New memory for each part would be garbage outside of the heap, which is rarely
 * collected.
 */
const spare: Array<Buffer> = []

/**
 * Like `inflate`, but in this thread: no other thread is woken for each slice, and the output is
 * still in the cache when it is read. All chunks share one buffer, so each must be processed before
 * the next is requested.
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

/** The content of a gzip member as text; nothing if it is refused. */
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

let tested: boolean | undefined

/**
 * Whether this runtime has what `inflateHere` needs. Tested once, with a gzip member: intact,
 * truncated, changed, and with bytes appended.
 */
function canInflateHere(): boolean {
  return (tested ??= isRight())
}

function isRight(): boolean {
  const member = Buffer.from("1f8b0800000000000003e302009306d73201000000", "hex")
  const changed = Buffer.from(member).fill(0, 13, 17)
  const broken = [member.subarray(0, -1), changed, Buffer.concat([member, Buffer.alloc(1)])]
  return inflated(member) === "\n" && broken.every((it) => inflated(it) === undefined)
}

/** How to inflate: `fast` by undocumented calls where they pass a test, `portable` never by them. */
export type InflateWay = "fast" | "portable"

/** Touches nothing undocumented for `portable`. */
export function inflateBy(way: InflateWay): Inflate {
  return way === "fast" && canInflateHere() ? inflateHere : inflate
}

/** What became of the undocumented calls, as `Unpacker` reports it. */
export function undocumentedCalls(way: InflateWay) {
  if (way === "portable") return "switched off"
  return canInflateHere() ? "used" : "not available"
}
