import type { Redacted } from "effect"
import { onOrOff, type Parse, secret } from "./parse.ts"

/** What the name of every variable that is made from a flag begins with. */
export const VARIABLE_PREFIX = "AMPLITUDE_LAKE_"

/** `AMPLITUDE_LAKE_LAG_HOURS` for `--lag-hours <hours>`. */
export function variableOf(flag: string): string {
  return VARIABLE_PREFIX + flagName(flag).slice(2).replaceAll("-", "_").toUpperCase()
}

/** `--lag-hours` for `--lag-hours <hours>`. */
export function flagName(flag: string): string {
  return flag.split(" ")[0] ?? flag
}

/** The heading of flags that only tests and trials need. */
export const TESTING = "Testing:"

export interface Setting<A> {
  /** `--lag-hours <n>`; absent for secrets, which have no flag. */
  readonly flag?: string
  /** `<hour>`: a word that follows the command, in the place of a flag. */
  readonly argument?: string
  readonly help: string
  /** Its heading in `--help`. */
  readonly group: string
  /**
   * Variables of equal standing: the one that is made from the flag, then older names. They count in
   * the environment first, then in the env file.
   */
  readonly variables: ReadonlyArray<string>
  /** Older variables that count, one after the other, only if none of `variables` is set anywhere. */
  readonly legacyVariables: ReadonlyArray<string>
  /** Legacy variables, read from the env file only, under the rule of `keys`. */
  readonly fileVariables: ReadonlyArray<string>
  readonly parse: Parse<A>
  readonly fallback: A
  /** The default as `--help` shows it; empty if there is none. */
  readonly shown: string
  /** Whether its flag may come several times; what came is joined. */
  readonly repeats?: boolean
  /** Whether its text may contain a secret, which no message may repeat. */
  readonly isPrivate: boolean
}

interface ToggleOptions {
  readonly flag: string
  readonly help: string
  /**
   * Whether it says what one run does, not how a lake is. Then it has no variable, because one that
   * is left in an env file would act in every run. Defaults to `false`.
   */
  readonly acts?: boolean
}

interface OptionalOptions<A> extends ToggleOptions {
  readonly repeats?: boolean
  readonly parse: Parse<A>
  /** Older names of its variable. */
  readonly variables?: ReadonlyArray<string>
  readonly legacyVariables?: ReadonlyArray<string>
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
  /** Defaults to any text without blanks. */
  readonly parse?: Parse<Redacted.Redacted>
  readonly help: string
  readonly variables: ReadonlyArray<string>
  readonly fileVariables: ReadonlyArray<string>
}

function variablesOf({
  acts = false,
  flag,
  variables = []
}: Pick<OptionalOptions<unknown>, "acts" | "flag" | "variables">): ReadonlyArray<string> {
  return acts ? variables : [variableOf(flag), ...variables]
}

/** Constructors for the settings under one heading of `--help`. */
export function settingsUnder(group: string) {
  const common = {
    group,
    variables: [],
    legacyVariables: [],
    fileVariables: [],
    shown: "",
    isPrivate: false
  }
  return {
    /** A setting that always has a value. */
    value: <A>(options: ValueOptions<A>): Setting<A> => ({
      ...common,
      shown: String(options.fallback),
      ...options,
      variables: variablesOf(options)
    }),
    optional: <A>(options: OptionalOptions<A>): Setting<A | undefined> => ({
      ...common,
      fallback: undefined,
      ...options,
      variables: variablesOf(options)
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
      parse: onOrOff,
      fallback: false,
      ...options,
      variables: variablesOf(options)
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
