/**
 * Reads the text of one setting. Each parser returns the value, or what it expected instead.
 *
 * @module
 */
import { Duration, Either, Option, Redacted } from "effect"
import { Shard } from "../../programs/plan/Shard.ts"
import { parseHour } from "../../services/Hour.ts"
import { secretProblem } from "./env/secretForm.ts"

export interface Parse<A> {
  /** `now`, in milliseconds since 1970, is what relative dates are counted from. */
  (text: string, now: number): Either.Either<A, string>
  /** Everything that it accepts, if that can be listed. */
  readonly choices?: ReadonlyArray<string>
}

export const text: Parse<string> = Either.right

/** Separates the values of a flag that takes several. No argument can contain it. */
export const SEPARATOR = "\0"

export const texts: Parse<ReadonlyArray<string>> = (value) => Either.right(value.split(SEPARATOR))

export const secret: Parse<Redacted.Redacted> = (value) => {
  const problem = secretProblem(value)
  return problem === undefined
    ? Either.right(Redacted.make(value))
    : Either.left(`usable: it ${problem}`)
}

/** Accepts the value of a variable that stands for a flag without a value. */
export const onOrOff: Parse<boolean> = (value) => {
  const word = value.toLowerCase()
  if (["true", "1", "yes", "on"].includes(word)) return Either.right(true)
  return ["false", "0", "no", "off"].includes(word)
    ? Either.right(false)
    : Either.left("true or false")
}

/** Accepts one of the literals. */
export function oneOf<const A extends string>(literals: ReadonlyArray<A>): Parse<A> {
  const parse = (value: string) =>
    Either.fromNullable(
      literals.find((literal) => literal === value),
      () => `one of ${literals.join(", ")}`
    )
  return Object.assign(parse, { choices: literals })
}

/** Accepts a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): Parse<number> {
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `from ${least} to ${most}`
  return (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most
      ? Either.right(number)
      : Either.left(`a whole number, ${range}`)
  }
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** The milliseconds of `90s`, `50m`, `24h` or `30d`. */
function durationIn(text: string): number | undefined {
  const [, count, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * UNITS[unit as keyof typeof UNITS]
}

const YEAR = Duration.days(365)

/** Accepts `90s`, `50m`, `24h` or `30d`: from one second to a year. */
export const duration: Parse<Duration.Duration> = (value) => {
  const time = Duration.millis(durationIn(value) ?? 0)
  return Duration.between(time, { minimum: Duration.seconds(1), maximum: YEAR })
    ? Either.right(time)
    : Either.left("a duration such as 90s, 50m, 24h or 30d, of at most a year")
}

const NAMES = { ms: "milliseconds", h: "hours", d: "days" } as const

/** Accepts a duration, or a bare number of a unit, and returns how many of that unit it has. */
export function durationOf(unit: keyof typeof NAMES, least: number, most: number): Parse<number> {
  const example = unit === "ms" ? "2s" : unit === "h" ? "24h" : "30d"
  return (value) => {
    const millis = durationIn(/^\d+$/.test(value) ? value + unit : value) ?? Number.NaN
    const number = millis / UNITS[unit]
    return Number.isInteger(number) && number >= least && number <= most
      ? Either.right(number)
      : Either.left(
          `a whole number of ${NAMES[unit]} from ${least} to ${most}, or a duration such as ${example}`
        )
  }
}

/** Accepts `3/16`. Where numbers begin with 0, as in Kubernetes, 0 stands for the last. */
export const shard: Parse<Shard> = (value) => {
  const [, number, count] = /^(\d{1,5})\/([1-9]\d{0,3})$/.exec(value) ?? []
  const shards = Number(count)
  const it = Number(number)
  return count !== undefined && it <= shards
    ? Either.right(new Shard({ shard: it === 0 ? shards : it, shards }))
    : Either.left("a share of the days such as 3/16: the third of sixteen")
}

/** Accepts an instant with its time zone, and returns milliseconds since 1970. */
export const instant: Parse<number> = (value) => {
  const match = /^(\d{4}-\d\d-\d\dT\d\d):\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.exec(value)
  // Date.parse reads the 30th of February as the 2nd of March.
  const isInCalendar = Option.isSome(parseHour(match?.[1] ?? ""))
  const millis = isInCalendar ? Date.parse(value) : Number.NaN
  return Number.isFinite(millis)
    ? Either.right(millis)
    : Either.left("an instant such as 2025-11-10T21:00:00Z")
}

/** Accepts a folder of keys, and returns it with one slash at its end; the root (`/`) is empty. */
export const prefix: Parse<string> = (value) => {
  const segments = value.replace(/^\/$/, "").replace(/\/$/, "").split("/")
  if (segments.length === 1 && segments[0] === "") return Either.right("")
  return segments.every((segment) => segment !== "" && !segment.startsWith("."))
    ? Either.right(`${segments.join("/")}/`)
    : Either.left(
        "a key prefix such as python-import/: no leading slash, no empty folder, none that begins with a dot"
      )
}

/** Accepts the ARN of a KMS key. An alias would not work in a policy. */
export const keyArn: Parse<string> = (value) =>
  /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/.test(value)
    ? Either.right(value)
    : Either.left("the ARN of a KMS key, such as arn:aws:kms:eu-west-2:111122223333:key/…")

/** Accepts the ARN of a user, a role or a whole account. */
export const principalArn: Parse<string> = (value) =>
  /^arn:aws[a-z-]*:iam::\d{12}:(root|(user|role)\/[\w+=,.@/-]+)$/.test(value)
    ? Either.right(value)
    : Either.left("the ARN of an IAM user or role, such as arn:aws:iam::111122223333:user/…")

/** Accepts the ARN of a role in AWS' public partition, where Snowflake's `s3://` is. */
export const roleArn: Parse<string> = (value) =>
  /^arn:aws:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(value)
    ? Either.right(value)
    : Either.left("the ARN of an IAM role, such as arn:aws:iam::111122223333:role/snowflake-reader")

/** Accepts the ARN of an SQS queue. */
export const queueArn: Parse<string> = (value) =>
  /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:\d{12}:[\w.-]+$/.test(value)
    ? Either.right(value)
    : Either.left(
        "the ARN of an SQS queue, such as arn:aws:sqs:eu-west-2:111122223333:sf-snowpipe-…"
      )

/** Accepts a tenant of Azure by its ID. */
export const tenant: Parse<string> = (value) =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)
    ? Either.right(value.toLowerCase())
    : Either.left("the ID of an Azure tenant, such as 8f0c4a52-1b2c-4d3e-8f90-123456789abc")

/** Accepts what AWS accepts as an external ID. */
export const externalId: Parse<string> = (value) =>
  /^[\w+=,.@:/-]{2,1224}$/.test(value)
    ? Either.right(value)
    : Either.left(
        "an external ID: at least 2 characters, each a letter, a digit or one of +=,.@:/_-"
      )

/** Accepts a file name that the node exporter reads. */
export const prometheusFile: Parse<string> = (value) =>
  /[^/\\]\.prom$/.test(value)
    ? Either.right(value)
    : Either.left("a file whose name ends in .prom: the node exporter reads no others")

/** Accepts a bucket name by S3's rules for general purpose buckets, but no URL and no path. */
export const bucket: Parse<string> = (value) =>
  /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value)
    ? Either.right(value)
    : Either.left(
        "a bucket name: 3 to 63 lowercase letters, digits, dots and dashes, without s3://"
      )

/** Accepts a container name by Azure's rules, but no URL and no path. */
export const container: Parse<string> = (value) =>
  /^(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(value)
    ? Either.right(value)
    : Either.left(
        "a container name: 3 to 63 lowercase letters, digits and single dashes, without a URL"
      )
