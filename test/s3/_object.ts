import { createHash } from "node:crypto"
import { Stream } from "effect"
import type { NewObject } from "../../src/services/ObjectStorage.ts"

export function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}

/** An object to put, in chunks of `chunk` bytes, that says the truth of itself. */
export function objectOf(
  key: string,
  content: string | Uint8Array,
  chunk: number = 64 * 1024
): NewObject<never> {
  const bytes = Buffer.from(content)
  const pieces = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) =>
    bytes.subarray(index * chunk, (index + 1) * chunk)
  )
  const sha256 = sha256Of(bytes)
  const metadata = { hour: "2025-11-10T21", events: "2", sha256 }
  return { key, size: bytes.length, sha256, metadata, body: Stream.fromIterable(pieces) }
}
