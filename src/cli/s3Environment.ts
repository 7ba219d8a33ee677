import { Either, Option, Redacted } from "effect"

/** What the environment and the env file say of S3 besides the settings. */
export interface S3Environment {
  /** Variables that the SDK's own chain is to find; `undefined` where a blank one is to go. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** A pair under one of the older names, where no standard name is set. */
  readonly credentials: Option.Option<{
    readonly accessKeyId: string
    readonly secretAccessKey: Redacted.Redacted
  }>
}

/** Nothing of S3. */
export const noS3Environment: S3Environment = { variables: {}, credentials: Option.none() }

type Variables = Readonly<Record<string, string | undefined>>

/** Names under which older pipelines kept the same two keys; each counts as a pair only. */
const ALIASES = [
  ["AWS_ACCESS_KEY", "AWS_SECRET_KEY"],
  ["Access_key_ID", "Secret_access_key"],
  ["AWS_PYTHON_USER_ACCESS_KEY", "AWS_PYTHON_USER_SECRET_KEY"]
] as const

/** Who the SDK's chain is to be. Any of them in the environment, and none of the env file's is mixed in. */
const IDENTITY = [
  "AWS_ACCESS_KEY_ID",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
  "AWS_PROFILE",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_ROLE_ARN"
]

function textOf(variables: Variables, name: string): string {
  return variables[name]?.trim() ?? ""
}

/** Settles who S3 is asked as, or names the alias pairs that are not whole. */
export function settleS3(
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
  const variables = {
    ...Object.fromEntries(blank.map((name) => [name, undefined])),
    ...Object.fromEntries(inherited.map((name) => [name, textOf(file, name)]))
  }
  if (isNamed || inherited.some((name) => IDENTITY.includes(name))) {
    return Either.right({ variables, credentials: Option.none() })
  }

  const find = (name: string) => textOf(environment, name) || textOf(file, name)
  const pairs = ALIASES.map(([id, secret]) => ({
    id,
    secret,
    accessKeyId: find(id),
    secretAccessKey: find(secret)
  }))
  const whole = pairs.find((pair) => pair.accessKeyId !== "" && pair.secretAccessKey !== "")
  if (whole !== undefined) {
    const { accessKeyId, secretAccessKey } = whole
    const credentials = { accessKeyId, secretAccessKey: Redacted.make(secretAccessKey) }
    return Either.right({ variables, credentials: Option.some(credentials) })
  }
  const halves = pairs.filter((pair) => pair.accessKeyId !== "" || pair.secretAccessKey !== "")
  return halves.length === 0
    ? Either.right({ variables, credentials: Option.none() })
    : Either.left(
        halves.map(({ id, secret, accessKeyId }) => {
          const [there, missing] = accessKeyId === "" ? [secret, id] : [id, secret]
          return `${there} is set without ${missing}: looked in the environment and in ${fileName}`
        })
      )
}
