import { Effect } from "effect"
import { byKey, type ObjectInfo } from "../../services/ObjectStorage.ts"

/** What tells objects from any others: 12 hexadecimal digits of the SHA-256 of their ETags. */
export function fingerprintOf(
  objects: ReadonlyArray<Pick<ObjectInfo, "key" | "etag">>
): Effect.Effect<string> {
  const [one, ...more] = objects
  const text =
    one !== undefined && more.length === 0
      ? one.etag
      : [...objects]
          .sort(byKey)
          .map(({ etag, key }) => `${key}\n${etag}\n`)
          .join("")
  return Effect.promise(async () => {
    const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))
    const bytes = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"))
    return bytes.join("").slice(0, 12)
  })
}
