/**
 * Reads the text of one setting: what it means, or what was expected in its place.
 *
 * @module
 */
import { Duration, Either, Option, Redacted } from "effect"
import { type Hour, parseHour } from "../../services/Hour.ts"

export interface Parse<A> {
  (text: string): Either.Either<A, string>
  /** All that it takes, where that can be listed. */
  readonly choices?: ReadonlyArray<string>
}

export const text: Parse<string> = Either.right

/** What stands between the texts of a flag that takes several: it can be in no argument. */
export const SEPARATOR = "\0"

export const texts: Parse<ReadonlyArray<string>> = (value) => Either.right(value.split(SEPARATOR))

export const secret: Parse<Redacted.Redacted> = (value) => Either.right(Redacted.make(value))

/** One of the literals of a schema. */
export function oneOf<const A extends string>(literals: ReadonlyArray<A>): Parse<A> {
  const parse = (value: string) =>
    Either.fromNullable(
      literals.find((literal) => literal === value),
      () => `one of ${literals.join(", ")}`
    )
  return Object.assign(parse, { choices: literals })
}

/** A whole number of at least `least`, and at most `most`. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): Parse<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most
      ? Either.right(number)
      : Either.left(`a whole number, ${range}`)
  }
}

/** An hour, or a day: its first hour for `T00`, its last for `T23`. */
export function hourOrDay(clock: "T00" | "T23"): Parse<Hour> {
  return (value) =>
    Either.fromOption(
      Option.orElse(parseHour(value), () => parseHour(value + clock)),
      () => "an hour as 20251110T00 or 2025-11-10T00, or a day as 2025-11-10"
    )
}

const SECONDS = { s: 1, m: 60, h: 3600 } as const
const YEAR = Duration.days(365)

/** `90s`, `30m` or `2h`; longer than nothing, and a year at most. */
export const duration: Parse<Duration.Duration> = (value) => {
  const match = /^(\d+)([smh])$/.exec(value)
  const unit = (match?.[2] ?? "s") as keyof typeof SECONDS
  const time = Duration.seconds(Number(match?.[1] ?? 0) * SECONDS[unit])
  return Duration.between(time, { minimum: Duration.seconds(1), maximum: YEAR })
    ? Either.right(time)
    : Either.left("a duration as 90s, 30m or 2h, a year at most")
}

/** An instant with its time zone, in milliseconds since 1970. */
export const instant: Parse<number> = (value) => {
  const match = /^(\d{4}-\d\d-\d\dT\d\d):\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.exec(value)
  // Date.parse takes the 30th of February for the 2nd of March.
  const isInCalendar = Option.isSome(parseHour(match?.[1] ?? ""))
  const millis = isInCalendar ? Date.parse(value) : Number.NaN
  return Number.isFinite(millis)
    ? Either.right(millis)
    : Either.left("an instant as 2025-11-10T21:00:00Z")
}

/** A folder of keys, which ends in a slash unless it is the root (`/`). */
export const prefix: Parse<string> = (value) => {
  const segments = value.replace(/^\/$/, "").replace(/\/$/, "").split("/")
  if (segments.length === 1 && segments[0] === "") return Either.right("")
  return segments.every((segment) => segment !== "" && !segment.startsWith("."))
    ? Either.right(`${segments.join("/")}/`)
    : Either.left(
        "a key prefix as python-import/, whose folders are not empty and begin with no dot"
      )
}

/** An ARN of a KMS key: its alias would be none in a policy. */
export const keyArn: Parse<string> = (value) =>
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(value)
    ? Either.right(value)
    : Either.left("the ARN of a KMS key, as arn:aws:kms:eu-west-2:111122223333:key/…")

/** An ARN of a user or role, or of a whole account. */
export const principalArn: Parse<string> = (value) =>
  /^arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)\/[\w+=,.@/-]+)$/.test(value)
    ? Either.right(value)
    : Either.left("the ARN of an IAM user or role, as arn:aws:iam::111122223333:user/…")

/** What AWS takes for an external id. */
export const externalId: Parse<string> = (value) =>
  /^[\w+=,.@:/-]{2,1224}$/.test(value)
    ? Either.right(value)
    : Either.left("an external id: 2 letters, digits or +=,.@:/_- at least")

/** A file that the node exporter would read. */
export const prometheusFile: Parse<string> = (value) =>
  /[^/\\]\.prom$/.test(value)
    ? Either.right(value)
    : Either.left("a file whose name ends in .prom: the node exporter reads no other")

/** A bucket's name, as S3's rules for general purpose buckets have it; no address and no path. */
export const bucket: Parse<string> = (value) =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value)
    ? Either.right(value)
    : Either.left("a bucket's name: 3 to 63 small letters, digits, dots and dashes, without s3://")

/** A container's name, as Azure's rules have it; no address and no path. */
export const container: Parse<string> = (value) =>
  /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(value)
    ? Either.right(value)
    : Either.left(
        "a container's name: 3 to 63 small letters, digits and single dashes, without an address"
      )
