import {
  Argument,
  Command,
  CommanderError,
  InvalidArgumentError,
  Option,
  type OutputConfiguration
} from "commander"
import { exitCodes } from "../../programs/run/exitCode.ts"
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
import { version } from "../version.ts"

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
  Read from the environment or the env file. A secret has no flag.
  Where the env file has ${aliases.join(" and ")} instead, and neither
  ${standard.join(" nor ")} is set anywhere, that pair counts.`

const [connection, account, ...proofs] = azureVariables
const AZURE = `
Azure:
  ${connection}, or ${account}
  with ${proofs.slice(0, 2).join(" or ")}; with the account's
  name alone, whoever DefaultAzureCredential finds. From the environment
  or the env file.`

/**
 * Reads the command line. Help and version are printed to stdout, a misuse is explained on stderr:
 * either is answered by the exit code (0 or 2) instead of a command. A flag with blank text is no
 * flag.
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
    .version(version)
    .helpCommand("help [command]", "the help of a command")
    .helpOption("-h, --help", "this text")
    .addHelpText("after", EXIT_CODES)
    .configureHelp({ helpWidth: 80 })
    .configureOutput({
      ...output,
      // What follows the equals sign, or a short flag, may be a secret.
      outputError: (text, write) =>
        write(text.replace(/('--[^'= ]*)=.*'/s, "$1'").replace(/('-[^-' ])[^', ].*'/s, "$1'"))
    })
    .allowExcessArguments(false)
    .exitOverride()
    .showHelpAfterError("See --help for what is possible.")

  for (const [name, command] of commandEntries) {
    const sub = parentOf(program, name)
      .command(name.split(" ").at(-1) ?? name)
      .summary(command.help.replace(/\.( .*)?$/s, ""))
      .description(command.help)
      .helpOption("-h, --help", "this text")
    for (const setting of command.settings) {
      const option = optionOf(settings[setting])
      if (option !== undefined) sub.addOption(option)
    }
    if (command.settings.includes("container")) sub.addHelpText("after", AZURE)
    if (command.settings.includes("apiKey")) sub.addHelpText("after", KEYS)
    sub.action((options: Record<string, string | boolean>) => {
      read = { command: name, flags: byName(command.settings, options) }
    })
  }

  program
    .command("completion")
    .summary("Print what completes commands and flags in a shell")
    .description(completionHelp)
    .addArgument(new Argument("<shell>").choices(shells))
    .helpOption("-h, --help", "this text")
    .action((shell: (typeof shells)[number]) => {
      const write = output.writeOut ?? ((text: string) => process.stdout.write(text))
      write(completionScript(shell))
      read = 0
    })

  try {
    program.parse(argv, { from: "user" })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : 2
  }
  return read ?? 2
}

/** What a command stands below: the program or, for one of two words, the first of them. */
function parentOf(program: Command, name: string): Command {
  const [family = ""] = name.split(" ")
  const help = families[family]
  if (help === undefined) return program
  return (
    program.commands.find((it) => it.name() === family) ??
    program
      .command(family)
      .summary(help.replace(/\.$/, ""))
      .description(help)
      .helpCommand("help [command]", "the help of a command")
      .helpOption("-h, --help", "this text")
  )
}

function optionOf({ flag, help, variables, shown, group }: Setting<unknown>): Option | undefined {
  if (flag === undefined) return undefined
  const notes = [shown === "" ? "" : `default: ${shown}`, ...variables].filter((it) => it !== "")
  const option = new Option(flag, notes.length === 0 ? help : `${help} (${notes.join("; ")})`)
  return (option.required ? option.argParser(parserOf(option)) : option).helpGroup(group)
}

/** Reads a value; those of a flag that takes several are joined. */
function parserOf({ variadic }: Option) {
  return (text: string, before: unknown) =>
    variadic && typeof before === "string"
      ? `${before}${SEPARATOR}${notAFlag(text)}`
      : notAFlag(text)
}

/**
 * Commander takes whatever follows a flag for its value, so that `--dump --json` would write to a
 * folder `--json`.
 */
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
