import { Either } from "effect"
import { isLoopback } from "./_amplitudeOrigin.ts"

/** Reads a webhook's URL: https, or plain http on loopback. A refusal never repeats the text, which may be a secret. */
export function parseWebhook(text: string): Either.Either<URL, string> {
  if (!URL.canParse(text)) return Either.left("it is none")
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") {
    return Either.left("it must not hold a user or password")
  }
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))
    ? Either.right(url)
    : Either.left("it must be https, or plain http on loopback")
}
