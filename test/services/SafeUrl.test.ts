import assert from "node:assert/strict"
import { Either } from "effect"
import { describe, it } from "vitest"
import { parseSafeOrigin, parseSafeUrl } from "../../src/services/SafeUrl.ts"

const SAFE = [
  "https://analytics.eu.amplitude.com",
  "https://amplitude.com",
  "https://gateway.example:8443/",
  "http://localhost:8080",
  "http://127.0.0.1",
  "http://127.9.9.9:1",
  "http://[::1]:9"
]

describe("parseSafeUrl()", () => {
  it("takes https, and plain http on loopback", () => {
    for (const text of [...SAFE, "https://hooks.example/T0/B0?token=1"]) {
      assert.deepEqual(parseSafeUrl(text), Either.right(new URL(text)))
    }
  })

  it("says why it refuses a URL, without its text", () => {
    const refused = {
      "no URL": "NotAUrl",
      "https://user:secret@amplitude.com": "HoldsCredentials",
      "https://user@amplitude.com": "HoldsCredentials",
      "http://amplitude.com": "NotEncrypted",
      "http://127.0.0.1.example": "NotEncrypted",
      "http://localhost.example": "NotEncrypted",
      "ftp://127.0.0.1": "NotEncrypted",
      "file:///etc/passwd": "NotEncrypted"
    }
    for (const [text, problem] of Object.entries(refused)) {
      assert.deepEqual(parseSafeUrl(text), Either.left(problem))
    }
  })
})

describe("parseSafeOrigin()", () => {
  it("takes a safe URL that ends with its host", () => {
    for (const text of SAFE) assert.deepEqual(parseSafeOrigin(text), Either.right(new URL(text)))
  })

  it("refuses a path, a query and a fragment, and never repeats the text", () => {
    for (const text of [
      "https://a.example/canary",
      "https://a.example?canary",
      "https://a.example/#canary"
    ]) {
      const refusal = Either.getOrThrow(Either.flip(parseSafeOrigin(text)))
      assert.match(refusal, /must end with its host/)
      assert.doesNotMatch(refusal, /canary/)
    }
  })
})
