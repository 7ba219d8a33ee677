/**
 * URLs that credentials and events may be sent to: https, or plain http on loopback, without a user
 * or password.
 *
 * @module
 */
import { Either } from "effect"

/** Why a URL is refused. Never contains the URL, which may be secret. */
export type UnsafeUrl = "NotAUrl" | "HoldsCredentials" | "NotEncrypted"

/** Whether a URL leads to this machine. */
export function isLoopback(url: URL): boolean {
  return isLoopbackHost(url.hostname)
}

/** Whether a host name, with or without the brackets of IPv6, is this machine. */
export function isLoopbackHost(host: string): boolean {
  return /^(localhost|::1|\[::1\]|127(\.\d+){3})$/.test(host)
}

/** Whether nobody else can read what is sent there: https, or http on loopback. */
export function isEncrypted(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))
}

/** Parses a URL: https, or plain http on loopback, without a user or password. */
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

/**
 * A refusal as text to follow a name: `the webhook's URL must be https, or plain http on loopback`.
 */
export function unsafeUrlText(problem: UnsafeUrl): string {
  return REFUSALS[problem]
}

/**
 * Parses an origin such as `https://amplitude.com`: a safe URL without a path. A refusal never
 * contains the URL.
 */
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
