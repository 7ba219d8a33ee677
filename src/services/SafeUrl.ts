/**
 * URLs that credentials and events may be sent to: https, or plain http to this machine, with no user or password in them.
 *
 * @module
 */
import { Either } from "effect"

/** Why a URL is refused. The text of the URL is never part of it: that may be a secret. */
export type UnsafeUrl = "NotAUrl" | "HoldsCredentials" | "NotEncrypted"

/** Whether a URL leads to this machine itself. */
export function isLoopback(url: URL): boolean {
  return isLoopbackHost(url.hostname)
}

/** Whether a host name, with or without the brackets of IPv6, is this machine. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|::1|\[::1\]|127(\.\d+){3})$/.test(host)
}

/** Whether nobody else can read what is sent there: https, or http that stays on this machine. */
export function isEncrypted(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))
}

/** Reads a URL: https, or plain http on loopback, without a user or password. */
export function parseSafeUrl(text: string): Either.Either<URL, UnsafeUrl> {
  if (!URL.canParse(text)) return Either.left("NotAUrl")
  const url = new URL(text)
  if (url.username !== "" || url.password !== "") return Either.left("HoldsCredentials")
  return isEncrypted(url) ? Either.right(url) : Either.left("NotEncrypted")
}

const REFUSALS: Readonly<Record<UnsafeUrl, string>> = {
  NotAUrl: "is not a URL",
  HoldsCredentials: "must not hold a user or password",
  NotEncrypted: "must be https, or plain http on loopback"
}

/** A refusal in words that follow a name: `the webhook's URL must be https, or plain http on loopback`. */
export function unsafeUrlText(problem: UnsafeUrl): string {
  return REFUSALS[problem]
}

/** Reads an origin such as `https://amplitude.com`: a safe URL that ends with its host. A refusal never repeats the text. */
export function parseSafeOrigin(text: string): Either.Either<URL, string> {
  return Either.flatMap(
    Either.mapLeft(parseSafeUrl(text), (problem) =>
      problem === "NotAUrl" ? "is not a URL such as https://amplitude.com" : unsafeUrlText(problem)
    ),
    (url) =>
      url.pathname === "/" && url.search === "" && url.hash === ""
        ? Either.right(url)
        : Either.left("must end with its host, without a path or query")
  )
}
