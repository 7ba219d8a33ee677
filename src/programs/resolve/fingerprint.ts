import { Effect } from "effect"

const LENGTH = 12

/** Tells an object from any other under its key: the beginning of the SHA-256 of its ETag. */
export const fingerprintOf = (etag: string): Effect.Effect<string> =>
  Effect.promise(() => crypto.subtle.digest("SHA-256", new TextEncoder().encode(etag))).pipe(
    Effect.map((digest) =>
      [...new Uint8Array(digest)]
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("")
        .slice(0, LENGTH)
    )
  )
