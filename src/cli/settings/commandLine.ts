import {
  Argument,
  Command,
  CommanderError,
  InvalidArgumentError,
  Option,
  type OutputConfiguration
} from "commander"
import { EXIT, exitCodes } from "../../programs/run/exitCode.ts"
import { completionHelp, completionScript, shells } from "./completion.ts"
import { SEPARATOR } from "./parse.ts"
import { flagName, type Setting, variableOf } from "./setting.ts"
import {
  commandEntries,
  type CommandName,
  families,
  inOrder,
  keys,
  type SettingName,
  settings
} from "./table.ts"
import { azureVariables } from "./azureEnvironment.ts"
import { version } from "../../programs/run/version.ts"

/** What was typed: a command and its flags as text. */
export interface CommandLine {
  readonly command: CommandName
  readonly flags: Readonly<Partial<Record<SettingName, string | boolean>>>
}

const EXIT_CODES = `
Exit codes:
${Object.entries(exitCodes)
  .map(([code, meaning]) => `  ${code.padEnd(5)}${meaning}`)
  .join("\n")}`

const standard = keys.flatMap((name) => settings[name].variables)
const aliases = keys.flatMap((name) => settings[name].fileVariables)
const KEYS = `
Keys:
${keys
  .map((name) => settings[name])
  .map(({ variables, help }) => `  ${variables.join(", ").padEnd(16)}${help}`)
  .join("\n")}
  Read from the environment or the env file. Secrets have no flag.
  The legacy pair ${aliases.join(" and ")} in the env file counts if
  neither ${standard.join(" nor ")} is set anywhere.`

/** Says once for all flags of a command which variables set them. */
function variablesHelp(names: ReadonlyArray<SettingName>): string {
  const used: ReadonlyArray<Setting<unknown>> = names.map((name) => settings[name])
  const flags = used.flatMap(({ flag, variables }) =>
    flag === undefined ? [] : [{ flag, name: flagName(flag), older: variables.slice(1), variables }]
  )
  const typed = flags.filter(({ variables }) => variables.length === 0).map(({ name }) => name)
  const older = flags.flatMap(({ name, older: names }) => names.map((it) => `${it} (${name})`))
  const example = flags.find(({ variables }) => variables.length > 0)
  if (example === undefined) return ""
  return [
    "\nVariables:",
    wrapped(
      `Each flag has a variable, ${variableOf(example.flag)} for ${example.name}, which counts in the environment or in the env file.${
        typed.length === 0 ? "" : ` These can only be typed: ${typed.join(", ")}.`
      }${older.length === 0 ? "" : ` Older names: ${older.join(", ")}.`} Precedence: flag, environment, env file.`
    )
  ].join("\n")
}

const WIDTH = 80

/** Breaks a text into lines, as commander breaks the help of a flag. */
function wrapped(text: string): string {
  const lines = [""]
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`
    if (longer.length + 1 <= WIDTH) lines[lines.length - 1] = longer
    else lines.push(` ${word}`)
  }
  return lines.map((line) => ` ${line}`).join("\n")
}

const [connection, account, ...proofs] = azureVariables
const AZURE = `
Azure:
  ${connection}, or ${account}
  with ${proofs.slice(0, 2).join(" or ")}. With the account
  alone, DefaultAzureCredential finds the credentials. Read from the
  environment or the env file.`

const { databaseUrl } = settings
const DATABASE = `
Database:
  ${databaseUrl.variables.join(", ")}  ${databaseUrl.help}
  Read from the environment or the env file.`

/**
 * Reads the command line. After printing help or the version to stdout it returns 0, after
 * explaining a misuse on stderr 2, else the command. A blank value is a misuse: it is what an unset
 * variable of a shell leaves.
 */
export function readCommandLine(
  argv: ReadonlyArray<string>,
  output: Pick<OutputConfiguration, "writeOut" | "writeErr"> = {}
): CommandLine | number {
  let read: CommandLine | number | undefined
  const program = new Command("amplitude-lake")
    .description(
      "Copies Amplitude's raw events into your own storage, one object per UTC hour: complete, verified, exactly once."
    )
    .version(version, "-V, --version", "show the version")
    .helpCommand("help [command]", "Show the help of a command")
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", EXIT_CODES)
    .configureHelp({ helpWidth: WIDTH })
    .configureOutput({
      ...output,
      // The text after an equals sign or a short flag may be a secret.
      outputError: (text, write) =>
        write(
          text.replace(/('--[^'= ]*)=.*'/s, "$1'").replace(/('-[^-' ])[^', ].*'/s, "$1'") +
            ownersOf(text)
        )
    })
    .allowExcessArguments(false)
    // "gaps accept" has flags of the same names as "gaps", which would take them.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("Run with --help for usage.")

  for (const [name, command] of commandEntries) {
    const sub = parentOf(program, name)
      .command(name.split(" ").at(-1) ?? name)
      .summary(command.help.replace(/\.( .*)?$/s, ""))
      .description(command.help)
      .helpOption("-h, --help", "show this help")
      .enablePositionalOptions()
    // The flags of the other commands take most of the time, and are not needed.
    if (!name.split(" ").every((word) => argv.includes(word))) continue
    for (const setting of inOrder(command.settings)) {
      const option = optionOf(settings[setting], command.helps?.[setting])
      if (option !== undefined) sub.addOption(option)
    }
    sub.addHelpText("after", () => variablesHelp(command.settings))
    if (command.settings.includes("container")) sub.addHelpText("after", AZURE)
    if (command.settings.includes("apiKey")) sub.addHelpText("after", KEYS)
    if (command.settings.includes("databaseUrl")) sub.addHelpText("after", DATABASE)
    const words = command.settings.filter((it) => settings[it].argument !== undefined)
    for (const word of words) {
      const argument = new Argument(settings[word].argument ?? "", settings[word].help)
      sub.addArgument(argument.argParser(notBlank))
    }
    sub.action((...typed: ReadonlyArray<string | Record<string, string | boolean>>) => {
      const options = typed[words.length] as Record<string, string | boolean>
      const flags = byName(command.settings, options)
      const given = Object.fromEntries(words.map((word, index) => [word, String(typed[index])]))
      read = { command: name, flags: { ...flags, ...given } }
    })
  }

  program
    .command("completion")
    .summary("Print a shell completion script")
    .description(completionHelp)
    .addArgument(new Argument("<shell>").choices(shells))
    .helpOption("-h, --help", "show this help")
    .action((shell: (typeof shells)[number]) => {
      const write = output.writeOut ?? ((text: string) => process.stdout.write(text))
      write(completionScript(shell))
      read = EXIT.done
    })

  try {
    program.parse(argv, { from: "user" })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? EXIT.done : EXIT.usage
  }
  return read ?? EXIT.usage
}

/** Which commands have the flag that one does not know. */
function ownersOf(error: string): string {
  const [, name] = /unknown option '(--[a-z-]+)/.exec(error) ?? []
  const owners = commandEntries.flatMap(([command, entry]) => {
    const flags = entry.settings.map((it) => (settings[it] as Setting<unknown>).flag)
    return flags.some((it) => it !== undefined && flagName(it) === name) ? [command] : []
  })
  return owners.length === 0 ? "" : `${name} is for: ${owners.join(", ")}.\n`
}

/** The parent of a command: the program or, for a two-word command, its first word. */
function parentOf(program: Command, name: string): Command {
  const [family = "", second] = name.split(" ")
  if (second === undefined) return program
  const help = families[family] ?? ""
  return (
    program.commands.find((it) => it.name() === family) ??
    program
      .command(family)
      .summary(help.replace(/\.$/, ""))
      .description(help)
      .helpCommand("help [command]", "Show the help of a command")
      .helpOption("-h, --help", "show this help")
  )
}

function optionOf(
  { flag, group, help, repeats, shown }: Setting<unknown>,
  helpHere = help
): Option | undefined {
  if (flag === undefined) return undefined
  const option = new Option(flag, shown === "" ? helpHere : `${helpHere} (default: ${shown})`)
  const takesText = option.required || option.optional
  return (takesText ? option.argParser(parserOf(option, repeats)) : option).helpGroup(group)
}

/** Reads a value. If a flag takes several, they are joined. */
function parserOf({ variadic }: Option, repeats = false) {
  return (text: string, before: unknown) =>
    (variadic || repeats) && typeof before === "string"
      ? `${before}${SEPARATOR}${notBlank(notAFlag(text))}`
      : notBlank(notAFlag(text))
}

function notBlank(text: string): string {
  if (text.trim() !== "") return text
  throw new InvalidArgumentError("It is blank: give it a value, or leave it out for the default.")
}

/** Commander takes any next argument as the value: `--dump --json` would write to `--json`. */
function notAFlag(text: string): string {
  if (!text.startsWith("--")) return text
  throw new InvalidArgumentError("Its value is missing: this looks like a flag.")
}

function byName(
  names: ReadonlyArray<SettingName>,
  options: Readonly<Record<string, string | boolean>>
): CommandLine["flags"] {
  return Object.fromEntries(
    names.flatMap((name) => {
      const option = optionOf(settings[name])
      const given = option === undefined ? undefined : options[option.attributeName()]
      return given === undefined ? [] : [[name, given]]
    })
  )
}
