import { Either, type Redacted } from "effect"
import { type Parse, secret } from "./parse.ts"

export interface Setting<A> {
  /** `--lag-hours <n>`; absent for secrets, which have no flag. */
  readonly flag?: string
  /** `<hour>`: a word that follows the command, in the place of a flag. */
  readonly argument?: string
  readonly help: string
  /** Its heading in `--help`. */
  readonly group: string
  /** Variables of the environment or the env file; the first one that is set counts. */
  readonly variables: ReadonlyArray<string>
  /** Legacy variables, read from the env file only, under the rule of `keys`. */
  readonly fileVariables: ReadonlyArray<string>
  readonly parse: Parse<A>
  readonly fallback: A
  /** The default as `--help` shows it; empty if there is none. */
  readonly shown: string
  /** Whether its text may contain a secret, which no message may repeat. */
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

interface ArgumentOptions {
  readonly argument: string
  readonly help: string
  readonly parse: Parse<string>
}

interface SecretOptions {
  readonly help: string
  readonly variables: ReadonlyArray<string>
  readonly fileVariables: ReadonlyArray<string>
}

const noText: Parse<boolean> = () => Either.left("a flag without a value")

/** Constructors for the settings under one heading of `--help`. */
export function settingsUnder(group: string) {
  const common = { group, variables: [], fileVariables: [], shown: "", isPrivate: false }
  return {
    /** A setting that always has a value. */
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
    /** A word that must follow the command. */
    argument: (options: ArgumentOptions): Setting<string> => ({
      ...common,
      fallback: "",
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
