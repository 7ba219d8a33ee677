import { Effect } from "effect"

/** The SHA-256 of bytes, in hexadecimal. */
export function sha256Of(bytes: Uint8Array): Effect.Effect<string> {
  return Effect.promise(async () => {
    const digest = await globalThis.crypto.subtle.digest("SHA-256", new Uint8Array(bytes))
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  })
}
