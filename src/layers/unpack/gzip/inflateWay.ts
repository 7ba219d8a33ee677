import { createGunzip, createInflateRaw } from "node:zlib"
import { type GunzipMembers, gunzipHere } from "./gunzipHere.ts"
import { inflateHere, openEngine } from "./inflateHere.ts"
import { type Inflate, inflate } from "./inflater.ts"
import { refusal } from "../refusal.ts"

interface Outcome {
  readonly text: string
  readonly unread: number
}

/** What an engine makes of bytes; nothing if it refuses them. */
function inflated(makeEngine: Parameters<Inflate>[0], bytes: Buffer): Outcome | undefined {
  const { close, finish, push, unread } = openEngine(makeEngine, refusal("nothing"))
  try {
    const texts = [...push(bytes)].map(String)
    const left = unread()
    return { text: [...texts, ...[...finish()].map(String)].join(""), unread: left }
  } catch {
    return undefined
  } finally {
    close()
  }
}

let tested: boolean | undefined

/**
 * Whether this runtime has what `inflateHere` and `gunzipHere` need. Tested once, with a gzip member:
 * intact, truncated, changed, with bytes appended, and without its header.
 */
function canInflateHere(): boolean {
  return (tested ??= isRight())
}

function isNewline(found: Outcome | undefined, unread: number): boolean {
  return found?.text === "\n" && found.unread === unread
}

function isRight(): boolean {
  const member = Buffer.from("1f8b0800000000000003e302009306d73201000000", "hex")
  const changed = Buffer.from(member).fill(0, 13, 17)
  return (
    isNewline(inflated(createGunzip, member), 0) &&
    isNewline(inflated(createGunzip, Buffer.concat([member, Buffer.alloc(1)])), 1) &&
    isNewline(inflated(createInflateRaw, member.subarray(10)), 8) &&
    [member.subarray(0, -1), changed].every((it) => inflated(createGunzip, it) === undefined) &&
    inflated(createInflateRaw, member.subarray(10, 12)) === undefined
  )
}

/** How to inflate: `fast` by undocumented calls where they pass a test, `portable` never by them. */
export type InflateWay = "fast" | "portable"

/** Whether this thread inflates, by the undocumented calls. Touches none of them for `portable`. */
export function isHere(way: InflateWay): boolean {
  return way === "fast" && canInflateHere()
}

export function inflateBy(way: InflateWay): Inflate {
  return isHere(way) ? inflateHere : inflate
}

/** The same for gzip. */
export function gunzipBy(way: InflateWay, chunkSize?: number): GunzipMembers {
  return isHere(way)
    ? gunzipHere
    : (source, refuse) => inflate(createGunzip, source, refuse, chunkSize)
}

/** What became of the undocumented calls, as `Unpacker` reports it. */
export function undocumentedCalls(way: InflateWay) {
  if (way === "portable") return "switched off"
  return canInflateHere() ? "used" : "not available"
}
