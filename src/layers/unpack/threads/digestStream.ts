import { createHash } from "node:crypto"
import type { MessagePort } from "node:worker_threads"
import type { Format } from "../../../services/HourKey.ts"
import type { ObjectDigest } from "../../../services/Unpacker.ts"
import { gunzipBy, type InflateWay } from "../gzip/inflateWay.ts"
import { countLines } from "../linesDigest.ts"
import { refusal } from "../refusal.ts"

/** Bytes of lines that are sent at once. */
const BLOCK = 1024 ** 2
/** Blocks that the other thread may have: enough to go on while it stores a row group. */
const BLOCKS = 16

export interface StreamTask {
  readonly _tag: "Stream"
  /** For every message about this task. */
  readonly port: MessagePort
  readonly path: string
  readonly format: Format
  readonly inflate: InflateWay
  /** Whether its lines are sent on. */
  readonly isSending: boolean
}

/** What the worker receives: the object's bytes, and blocks that may be used again. */
export type StreamInput =
  | { readonly _tag: "Bytes"; readonly bytes: Uint8Array }
  | { readonly _tag: "End" }
  | { readonly _tag: "Free"; readonly block: Uint8Array<ArrayBuffer> }

/** What it sends: how many bytes it has read, and lines; the last ones when all blocks are back. */
export type StreamOutput =
  | { readonly _tag: "Read"; readonly bytes: number }
  | { readonly _tag: "Lines"; readonly lines: Uint8Array<ArrayBuffer> }

/** Memory for blocks. New memory each time would be garbage outside of the heap. */
const spare: Array<Uint8Array<ArrayBuffer>> = []

/** Digests an object whose bytes arrive piece by piece, and sends its lines on if they are wanted. */
export async function digestStream({
  format,
  inflate,
  isSending,
  path,
  port
}: StreamTask): Promise<ObjectDigest> {
  const { bytes, freed, send, settled } = exchange(port)
  const refuse = refusal(path)
  const hash = createHash("sha256")
  const lines = countLines(refuse, false)
  let size = 0

  async function* object(): AsyncGenerator<Uint8Array> {
    for await (const piece of bytes()) {
      size += piece.length
      hash.update(piece)
      yield piece
    }
  }

  const chunks = format === "jsonl" ? object() : gunzipBy(inflate)(object(), refuse, lines.crcSoFar)
  const digest = () => ({ ...lines.finish().digest, size, sha256: hash.digest("hex") })
  if (!isSending) {
    for await (const chunk of chunks) lines.update(chunk)
    return digest()
  }
  let block = await freed()
  let filled = 0
  for await (const chunk of chunks) {
    lines.update(chunk)
    for (let at = 0; at < chunk.length;) {
      const some = chunk.subarray(at, at + BLOCK - filled)
      block.set(some, filled)
      filled += some.length
      at += some.length
      if (filled < BLOCK) continue
      send(block, filled)
      block = await freed()
      filled = 0
    }
  }
  if (filled > 0) send(block, filled)
  else spare.push(block)
  await settled()
  return digest()
}

/** The messages of a port, in order. */
function exchange(port: MessagePort) {
  const pieces: Array<Uint8Array> = []
  const blocks = { out: 0 }
  let isOver = false
  let wake: (() => void) | undefined
  const changed = () =>
    new Promise<void>((resolve) => {
      wake = resolve
    })
  port.on("message", (input: StreamInput) => {
    if (input._tag === "Bytes") pieces.push(input.bytes)
    else if (input._tag === "End") isOver = true
    else {
      blocks.out -= 1
      spare.push(new Uint8Array(input.block.buffer))
    }
    wake?.()
  })
  return {
    bytes: async function* () {
      for (;;) {
        const piece = pieces.shift()
        if (piece !== undefined) {
          yield piece
          port.postMessage({ _tag: "Read", bytes: piece.length } satisfies StreamOutput)
        } else if (isOver) return
        else await changed()
      }
    },
    /** A block that the other thread does not have. */
    freed: async () => {
      for (;;) {
        const block = spare.pop() ?? (blocks.out < BLOCKS ? new Uint8Array(BLOCK) : undefined)
        if (block !== undefined) return block
        await changed()
      }
    },
    /** All blocks are back. */
    settled: async () => {
      while (blocks.out > 0) await changed()
    },
    send: (block: Uint8Array<ArrayBuffer>, length: number) => {
      blocks.out += 1
      const output: StreamOutput = { _tag: "Lines", lines: block.subarray(0, length) }
      port.postMessage(output, [block.buffer])
    }
  }
}
