import { Either, type Redacted } from "effect"
import { type Parse, secret } from "./parse.ts"

export interface Setting<A> {
  /** `--lag-hours <n>`; absent for secrets, which no flag may carry. */
  readonly flag?: string
  readonly help: string
  /** The part of `--help` that it stands in. */
  readonly group: string
  /** Variables of the environment or the env file, first come first served. */
  readonly variables: ReadonlyArray<string>
  /** Further variables that count in the env file only, and as `keys` says. */
  readonly fileVariables: ReadonlyArray<string>
  readonly parse: Parse<A>
  readonly fallback: A
  /** The default as `--help` shows it; empty where there is none to show. */
  readonly shown: string
  /** Whether its text may hold a secret, so that no message repeats it. */
  readonly isPrivate: boolean
}

interface ToggleOptions {
  readonly flag: string
  readonly help: string
}

interface OptionalOptions<A> extends ToggleOptions {
  readonly parse: Parse<A>
  readonly variables?: ReadonlyArray<string>
  readonly isPrivate?: boolean
}

interface ValueOptions<A> extends OptionalOptions<A> {
  readonly fallback: NoInfer<A>
}

interface SecretOptions {
  readonly help: string
  readonly variables: ReadonlyArray<string>
  readonly fileVariables: ReadonlyArray<string>
}

const noText: Parse<boolean> = () => Either.left("a flag without a value")

/** What makes the settings of one part of `--help`. */
export function settingsUnder(group: string) {
  const common = { group, variables: [], fileVariables: [], shown: "", isPrivate: false }
  return {
    /** One that always has a value. */
    value: <A>(options: ValueOptions<A>): Setting<A> => ({
      ...common,
      shown: String(options.fallback),
      ...options
    }),
    optional: <A>(options: OptionalOptions<A>): Setting<A | undefined> => ({
      ...common,
      fallback: undefined,
      ...options
    }),
    /** A flag without a value. */
    toggle: (options: ToggleOptions): Setting<boolean> => ({
      ...common,
      parse: noText,
      fallback: false,
      ...options
    }),
    secret: (options: SecretOptions): Setting<Redacted.Redacted | undefined> => ({
      ...common,
      parse: secret,
      fallback: undefined,
      isPrivate: true,
      ...options
    })
  }
}
