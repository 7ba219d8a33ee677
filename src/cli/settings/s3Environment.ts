import { Either, Option, Redacted } from "effect"
import type { S3Credentials } from "../../layers/s3/ObjectStorageS3.ts"
import { isEncrypted } from "../../services/SafeUrl.ts"
import { secretProblem } from "./env/secretForm.ts"

/** What the environment and the env file set for S3, besides the settings. */
interface S3Environment {
  /** Variables for the SDK's credential chain; `undefined` removes a blank one. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** A pair under legacy names, if no standard name is set. */
  readonly credentials: Option.Option<S3Credentials>
  /** What counts although the env file says otherwise. */
  readonly warnings: ReadonlyArray<string>
}

type Variables = Readonly<Record<string, string | undefined>>

/** Legacy names of the same two keys. Each counts only as a pair. */
const ALIASES = [
  ["AWS_ACCESS_KEY", "AWS_SECRET_KEY"],
  ["Access_key_ID", "Secret_access_key"],
  ["AWS_PYTHON_USER_ACCESS_KEY", "AWS_PYTHON_USER_SECRET_KEY"]
] as const

const STANDARD = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] as const

/**
 * The identity that the SDK's chain uses. If the environment sets any of these, those of the env
 * file are ignored.
 */
const IDENTITY: ReadonlyArray<string> = [
  ...STANDARD,
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN"
]

/** The endpoint of an S3-compatible store. */
const ENDPOINTS = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]

/** The variables for S3, besides the settings. */
export const s3Variables: ReadonlyArray<string> = [
  ...IDENTITY,
  ...ALIASES.flat(),
  ...ENDPOINTS,
  "AWS_REGION",
  "AWS_DEFAULT_REGION"
]

/** The variables for S3 that count, each with the place that it is taken from. */
export function s3Counting(
  environment: Variables,
  file: Variables
): ReadonlyMap<string, "environment" | "file"> {
  const isSet = (name: string) => textOf(environment, name) !== "" || textOf(file, name) !== ""
  const isNamed = IDENTITY.some((name) => textOf(environment, name) !== "")
  const pair = IDENTITY.some(isSet) ? undefined : ALIASES.find((names) => names.every(isSet))
  const used = s3Variables.filter((name) => {
    const isAlias = ALIASES.some((names) => names.some((it) => it === name))
    return isSet(name) && (!isAlias || pair?.some((it) => it === name))
  })
  return new Map(
    used
      .map((name) => [name, textOf(environment, name) === "" ? "file" : "environment"] as const)
      .filter(([name, place]) => place === "environment" || !isNamed || !IDENTITY.includes(name))
  )
}

function textOf(variables: Variables, name: string): string {
  return variables[name]?.trim() ?? ""
}

/** Whether nobody on the way to an endpoint can read the traffic. */
function isSafe(endpoint: string): boolean {
  return URL.canParse(endpoint) && isEncrypted(new URL(endpoint))
}

/** A sentence for each unsafe endpoint, without its text, which may contain a password. */
function endpointProblems(
  environment: Variables,
  file: Variables,
  fileName: string
): ReadonlyArray<string> {
  return ENDPOINTS.flatMap((name) => {
    const own = textOf(environment, name)
    const endpoint = own || textOf(file, name)
    if (endpoint === "" || isSafe(endpoint)) return []
    const where = own === "" ? fileName : "the environment"
    return [`${name} in ${where} must be an https URL, or plain http on loopback`]
  })
}

/** A sentence for each key that no header can carry, without its text. */
function formProblems(
  environment: Variables,
  file: Variables,
  fileName: string
): ReadonlyArray<string> {
  return [...STANDARD, "AWS_SESSION_TOKEN", ...ALIASES.flat()].flatMap((name) => {
    const own = textOf(environment, name)
    const problem = secretProblem(own || textOf(file, name))
    const where = own === "" ? fileName : "the environment"
    return problem === undefined ? [] : [`${name} in ${where} ${problem}`]
  })
}

/** Resolves the credentials and endpoint for S3, or names unsafe endpoints and incomplete pairs. */
export function resolveS3(
  environment: Variables,
  file: Variables,
  fileName: string
): Either.Either<S3Environment, ReadonlyArray<string>> {
  const unsafe = [
    ...endpointProblems(environment, file, fileName),
    ...formProblems(environment, file, fileName)
  ]
  const identity = resolveIdentity(environment, file, fileName)
  if (unsafe.length === 0) return identity
  return Either.left([
    ...unsafe,
    ...Either.match(identity, { onLeft: (it) => it, onRight: () => [] })
  ])
}

function resolveIdentity(
  environment: Variables,
  file: Variables,
  fileName: string
): Either.Either<S3Environment, ReadonlyArray<string>> {
  const isNamed = IDENTITY.some((name) => textOf(environment, name) !== "")
  const aliases: ReadonlyArray<string> = ALIASES.flat()
  const inherited = Object.keys(file).filter(
    (name) =>
      name.startsWith("AWS_") &&
      !aliases.includes(name) &&
      textOf(file, name) !== "" &&
      textOf(environment, name) === "" &&
      !(isNamed && IDENTITY.includes(name))
  )
  const blank = Object.keys(environment).filter(
    (name) =>
      name.startsWith("AWS_") && environment[name] !== undefined && textOf(environment, name) === ""
  )
  // A secret from a file often ends in a line break, which the SDK would send as part of it.
  const untrimmed = Object.keys(environment).filter(
    (name) => name.startsWith("AWS_") && textOf(environment, name) !== (environment[name] ?? "")
  )
  const variables = {
    ...Object.fromEntries(untrimmed.map((name) => [name, textOf(environment, name)])),
    ...Object.fromEntries(blank.map((name) => [name, undefined])),
    ...Object.fromEntries(inherited.map((name) => [name, textOf(file, name)]))
  }
  if (isNamed || inherited.some((name) => IDENTITY.includes(name))) {
    const named = isNamed ? environment : file
    const where = isNamed ? "the environment" : fileName
    const pair = pairOf(STANDARD, (name) => textOf(named, name))
    const halves = halvesOf([pair])
    if (halves.length > 0) return Either.left(halves.map((half) => `${half} in ${where}`))
    const hides = isNamed && STANDARD.every((name) => textOf(file, name) !== "")
    const hidden = hides ? `, so those in ${fileName} do not count` : ""
    if (pair.accessKeyId === "" && textOf(named, "AWS_SESSION_TOKEN") !== "") {
      const keys = STANDARD.join(" and ")
      return Either.left([
        `AWS_SESSION_TOKEN in ${where} is set without ${keys}${hidden}: unset it`
      ])
    }
    const isProfile = pair.accessKeyId === "" && textOf(named, "AWS_PROFILE") !== ""
    const warnings =
      isProfile && hides
        ? [`AWS_PROFILE in the environment is used: the keys in ${fileName} do not count`]
        : []
    return Either.right({ variables, credentials: Option.none(), warnings })
  }

  const find = (name: string) => textOf(environment, name) || textOf(file, name)
  const pairs = ALIASES.map((names) => pairOf(names, find))
  const whole = pairs.find((pair) => pair.accessKeyId !== "" && pair.secretAccessKey !== "")
  if (whole !== undefined) {
    const { accessKeyId, secretAccessKey } = whole
    const credentials = { accessKeyId, secretAccessKey: Redacted.make(secretAccessKey) }
    return Either.right({ variables, credentials: Option.some(credentials), warnings: [] })
  }
  const halves = halvesOf(pairs)
  return halves.length === 0
    ? Either.right({ variables, credentials: Option.none(), warnings: [] })
    : Either.left(halves.map((half) => `${half}: looked in the environment and in ${fileName}`))
}

interface Pair {
  readonly id: string
  readonly secret: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

function pairOf([id, secret]: readonly [string, string], find: (name: string) => string): Pair {
  return { id, secret, accessKeyId: find(id), secretAccessKey: find(secret) }
}

/** A sentence for each pair of which only one variable is set. */
function halvesOf(pairs: ReadonlyArray<Pair>): ReadonlyArray<string> {
  return pairs
    .filter(({ accessKeyId, secretAccessKey }) => (accessKeyId === "") !== (secretAccessKey === ""))
    .map(({ id, secret, accessKeyId }) => {
      const [there, missing] = accessKeyId === "" ? [secret, id] : [id, secret]
      return `${there} is set without ${missing}`
    })
}
