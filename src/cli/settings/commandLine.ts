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
import type { Setting } from "./setting.ts"
import {
  commandEntries,
  type CommandName,
  families,
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

const [connection, account, ...proofs] = azureVariables
const AZURE = `
Azure:
  ${connection}, or ${account}
  with ${proofs.slice(0, 2).join(" or ")}. With the account
  alone, DefaultAzureCredential finds the credentials. Read from the
  environment or the env file.`

/**
 * Reads the command line. After printing help or the version to stdout it returns 0, after
 * explaining a misuse on stderr 2, else the command. A flag with a blank value is ignored.
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
    .configureHelp({ helpWidth: 80 })
    .configureOutput({
      ...output,
      // The text after an equals sign or a short flag may be a secret.
      outputError: (text, write) =>
        write(text.replace(/('--[^'= ]*)=.*'/s, "$1'").replace(/('-[^-' ])[^', ].*'/s, "$1'"))
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
    for (const setting of command.settings) {
      const option = optionOf(settings[setting])
      if (option !== undefined) sub.addOption(option)
    }
    if (command.settings.includes("container")) sub.addHelpText("after", AZURE)
    if (command.settings.includes("apiKey")) sub.addHelpText("after", KEYS)
    const words = command.settings.filter((it) => settings[it].argument !== undefined)
    for (const word of words) {
      sub.addArgument(new Argument(settings[word].argument ?? "", settings[word].help))
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

function optionOf({ flag, help, variables, shown, group }: Setting<unknown>): Option | undefined {
  if (flag === undefined) return undefined
  const notes = [shown === "" ? "" : `default: ${shown}`, ...variables].filter((it) => it !== "")
  const option = new Option(flag, notes.length === 0 ? help : `${help} (${notes.join("; ")})`)
  return (option.required ? option.argParser(parserOf(option)) : option).helpGroup(group)
}

/** Reads a value. If a flag takes several, they are joined. */
function parserOf({ variadic }: Option) {
  return (text: string, before: unknown) =>
    variadic && typeof before === "string"
      ? `${before}${SEPARATOR}${notAFlag(text)}`
      : notAFlag(text)
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
      return given === undefined || String(given).trim() === "" ? [] : [[name, given]]
    })
  )
}
