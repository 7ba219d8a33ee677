/**
 * Shell completion of commands, flags and their values: a script generated from the settings.
 * Completing does not start the program.
 *
 * @module
 */
import type { Setting } from "./setting.ts"
import { commandEntries, families, settings } from "./table.ts"

export const shells = ["bash", "zsh", "fish"] as const

export const completionHelp =
  `Print a script that completes amplitude-lake's commands, flags and values in a shell. Put this into
~/.bashrc: eval "$(amplitude-lake completion bash)"; into ~/.zshrc, after compinit: eval "$(amplitude-lake completion zsh)"; into
~/.config/fish/config.fish: amplitude-lake completion fish | source.`.replaceAll("\n", " ")

interface Flag {
  /** With its dashes. */
  readonly name: string
  readonly help: string
  /** Its value: none, one of these words, any text, a folder or a file. */
  readonly value: ReadonlyArray<string> | "text" | "folder" | "file" | undefined
}

interface Completed {
  readonly name: string
  readonly help: string
  readonly flags: ReadonlyArray<Flag>
  /** The words that may follow the command. */
  readonly words: ReadonlyArray<string>
}

const HELP: Flag = { name: "--help", help: "show this help", value: undefined }
const VERSION: Flag = { name: "--version", help: "show the version", value: undefined }

const KINDS: Readonly<Record<string, "folder" | "file">> = {
  "<folder>": "folder",
  "<file>": "file"
}

function flagOf({ flag = "", help, parse }: Setting<unknown>): ReadonlyArray<Flag> {
  const [name = "", placeholder] = flag.split(" ")
  if (name === "") return []
  const kind = KINDS[placeholder?.replace("...", "") ?? ""] ?? "text"
  return [{ name, help, value: placeholder === undefined ? undefined : (parse.choices ?? kind) }]
}

function completed(): ReadonlyArray<Completed> {
  const words = commandEntries.map(([name, { help, settings: used }]) => {
    const [first = name, second] = name.split(" ")
    return { first, second, help: families[first] ?? help, used }
  })
  const named = [...new Set(words.map(({ first }) => first))].map((name) => {
    // A two-word command gets the flags of all its second words.
    const all = words.filter(({ first }) => first === name)
    return {
      name,
      help: (all[0]?.help ?? "").replace(/\.( .*)?$/s, ""),
      flags: [
        ...[...new Set(all.flatMap(({ used }) => used))].flatMap((it) => flagOf(settings[it])),
        HELP
      ],
      words: all.flatMap(({ second }) => second ?? [])
    }
  })
  const names = [...named.map(({ name }) => name), "completion"]
  return [
    ...named,
    { name: "completion", help: "Print a shell completion script", flags: [HELP], words: shells },
    { name: "help", help: "Show the help of a command", flags: [], words: names }
  ]
}

/** The script for a shell. */
export function completionScript(shell: (typeof shells)[number]): string {
  return { bash, zsh, fish }[shell](completed())
}

function bash(all: ReadonlyArray<Completed>): string {
  const flags = [...new Map(all.flatMap(({ flags }) => flags).map((it) => [it.name, it])).values()]
  const free = flags.filter(({ value }) => value === "text").map(({ name }) => name)
  return `_amplitude_lake() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]} words
  [[ $word == "=" ]] && word=""
  [[ $before == "=" ]] && before=\${COMP_WORDS[COMP_CWORD-2]}
  [[ $COMP_CWORD == 1 ]] && command=""
  COMPREPLY=()
  case $before in
    ${free.join("|")}) return ;;
${flags.flatMap(bashValue).join("\n")}
  esac
  case $command in
${all
  .map(
    ({ flags, name, words }) =>
      `    ${name}) words='${[...words, ...flags.map((it) => it.name)].join(" ")}' ;;`
  )
  .join("\n")}
    *) words='${[...all, HELP, VERSION].map(({ name }) => name).join(" ")}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _amplitude_lake amplitude-lake
`
}

/** Splits only at newlines, so file names may hold spaces. `-o filenames` lets bash escape them. */
function bashValue({ name, value }: Flag): ReadonlyArray<string> {
  if (value === undefined || value === "text") return []
  const found =
    typeof value === "string"
      ? `compopt -o filenames 2>/dev/null; local IFS=$'\\n'; COMPREPLY=($(compgen ${value === "folder" ? "-d" : "-f"} -- "$word"))`
      : `COMPREPLY=($(compgen -W '${value.join(" ")}' -- "$word"))`
  return [`    ${name}) ${found}; return ;;`]
}

function zsh(all: ReadonlyArray<Completed>): string {
  const cases = all
    .map((it) => ({ name: it.name, specs: zshSpecs(it) }))
    .map(({ name, specs }) => `        ${name}) _arguments ${specs.join(" \\\n          ")} ;;`)
  return `#compdef amplitude-lake
_amplitude_lake() {
  local -a commands
  commands=(
${all.map(({ help, name }) => `    ${quoteZsh(`${name}:${escapeZsh(help)}`)}`).join("\n")}
  )
  local state line
  typeset -A opt_args
  _arguments -C '--help[show this help]' '--version[show the version]' '1: :->command' '*:: :->rest' && return
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${cases.join("\n")}
      esac ;;
  esac
}
compdef _amplitude_lake amplitude-lake
`
}

function zshSpecs({ flags, words }: Completed): ReadonlyArray<string> {
  return [
    ...flags.map(({ help, name, value }) =>
      quoteZsh(`${name}${value === undefined ? "" : "="}[${escapeZsh(help)}]${zshValue(value)}`)
    ),
    ...(words.length === 0 ? [] : [quoteZsh(`1:word:(${words.join(" ")})`)])
  ]
}

function zshValue(value: Flag["value"]): string {
  if (value === undefined) return ""
  if (value === "folder") return ":folder:_files -/"
  if (value === "file") return ":file:_files"
  return value === "text" ? ":value: " : `:value:(${value.join(" ")})`
}

function quoteZsh(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function escapeZsh(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, "\\$&")
}

function fish(all: ReadonlyArray<Completed>): string {
  const complete = "complete -c amplitude-lake"
  const top = `${complete} -n __fish_use_subcommand`
  const lines = all.flatMap(({ flags, help, name, words }) => {
    const here = `${complete} -n ${quoteFish(`__fish_seen_subcommand_from ${name}`)}`
    return [
      `${top} -a ${name} -d ${quoteFish(help)}`,
      ...(words.length === 0 ? [] : [`${here} -a ${quoteFish(words.join(" "))}`]),
      ...flags.map(
        (flag) =>
          `${here} -l ${flag.name.slice(2)}${fishValue(flag.value)} -d ${quoteFish(flag.help)}`
      )
    ]
  })
  const options = [HELP, VERSION].map(
    ({ help, name }) => `${top} -l ${name.slice(2)} -d ${quoteFish(help)}`
  )
  return `${[`${complete} -f`, ...options, ...lines].join("\n")}\n`
}

function fishValue(value: Flag["value"]): string {
  if (value === undefined) return ""
  if (value === "folder") return " -xa '(__fish_complete_directories)'"
  if (value === "file") return " -rF"
  return value === "text" ? " -x" : ` -xa ${quoteFish(value.join(" "))}`
}

function quoteFish(text: string): string {
  return `'${text.replaceAll(/['\\]/g, "\\$&")}'`
}
