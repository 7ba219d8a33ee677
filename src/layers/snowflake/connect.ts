import { Duration, Effect, Either, type Scope } from "effect"
import { openRoute } from "../../network/route.ts"
import { parseSafeOrigin } from "../../services/SafeUrl.ts"
import { type Client, type ClientOptions, makeClient } from "./client.ts"
import { authorizationOf, type SnowflakeCredentials } from "./credentials.ts"

export interface ConnectionOptions {
  /** Such as `myorg-account` or `xy12345.eu-west-1`. */
  readonly account: string
  readonly credentials: SnowflakeCredentials
  /** Defaults to the account's own host. https, or plain http on loopback. */
  readonly origin?: string | undefined
  /** After that long Snowflake cancels a statement. Defaults to 1 hour. */
  readonly statementTimeout?: Duration.DurationInput | undefined
  /** How long Snowflake may take to answer. Defaults to 2 minutes. */
  readonly answerTimeout?: Duration.DurationInput | undefined
  /** The wait before the first look at a running statement. Defaults to half a second. */
  readonly pollEvery?: Duration.DurationInput | undefined
  /** Program version, for the `User-Agent` and the query tag. */
  readonly version?: string | undefined
}

/** `https://myorg-my-account.snowflakecomputing.com` for `myorg-my_account`. */
function originOf(account: string): string {
  return `https://${account.toLowerCase().replaceAll("_", "-")}.snowflakecomputing.com`
}

/** A client of an account, or why there can be none. Nothing is sent yet. */
export const connect: (
  options: ConnectionOptions,
  path: string,
  context: ClientOptions["context"]
) => Effect.Effect<Either.Either<Client, string>, never, Scope.Scope> = Effect.fnUntraced(
  function* (options, path, context) {
    const origin = Either.mapLeft(
      parseSafeOrigin(options.origin ?? originOf(options.account)),
      (problem) => `the URL of the Snowflake account ${problem}`
    )
    const route = yield* Effect.acquireRelease(
      Effect.sync(() => Either.flatMap(origin, openRoute)),
      (route) =>
        Either.isRight(route) ? Effect.promise(() => route.right.dispatcher.destroy()) : Effect.void
    )
    return Either.gen(function* () {
      return makeClient({
        route: yield* route,
        authorization: yield* authorizationOf(options.account, options.credentials),
        path,
        context,
        userAgent:
          options.version === undefined ? "amplitude-lake" : `amplitude-lake/${options.version}`,
        statementTimeout: Duration.decode(options.statementTimeout ?? "1 hour"),
        answerTimeout: Duration.decode(options.answerTimeout ?? "2 minutes"),
        pollEvery: Duration.decode(options.pollEvery ?? "500 millis")
      })
    })
  }
)
