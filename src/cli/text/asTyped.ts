/**
 * Commands in messages as they have to be typed: for the same lake, and started as this program was.
 *
 * @module
 */
import { basename, relative } from "node:path"
import type { CommandLine } from "../settings/commandLine.ts"
import { SEPARATOR } from "../settings/parse.ts"
import {
  commandEntries,
  type CommandName,
  declaredBy,
  lakeSettings,
  type SettingName,
  settings
} from "../settings/table.ts"

const NAMES = commandEntries.map(([name]) => name).sort((one, other) => other.length - one.length)
/** A command, and the word that must follow some: `resolve 2025-11-10T21`. */
const COMMAND = new RegExp(
  `\\bamplitude-lake (${NAMES.join("|")})((?<=${NAMES.filter(takesWord).join("|")}) [^\\s-]\\S*)?(?= |$)`,
  "gm"
)
const PLAIN = /^[\w./:=@%+,-]+$/

/** The text with its commands in full: those flags of this run that say which lake and which source are repeated. */
export function asTyped(text: string, flags: CommandLine["flags"], program: string): string {
  return text.replace(COMMAND, (_, name: CommandName, word = "") =>
    [program, `${name}${word}`, ...repeated(name, flags)].join(" ")
  )
}

/** How to start this program: `node dist/main.js` in a clone, else by its name. */
export function programName(path: string, folder: string): string {
  const within = relative(folder, path)
  return basename(path) === "main.js" && !within.startsWith("..")
    ? `node ${quoted(within)}`
    : "amplitude-lake"
}

function takesWord(name: CommandName): boolean {
  return declaredBy(name).some((it) => settings[it].argument !== undefined)
}

function repeated(name: CommandName, flags: CommandLine["flags"]): ReadonlyArray<string> {
  const declared: ReadonlyArray<SettingName> = declaredBy(name)
  return lakeSettings.flatMap((it) => {
    const { flag, isPrivate } = settings[it]
    const given = flags[it]
    if (given === undefined || flag === undefined || isPrivate || !declared.includes(it)) return []
    // A file is what each command means by itself.
    if (it === "warehouse" && given !== "snowflake") return []
    const [word = ""] = flag.split(" ")
    if (given === true) return [word]
    return String(given)
      .split(SEPARATOR)
      .map((text) => `${word} ${quoted(text)}`)
  })
}

/** A word for a POSIX shell. */
function quoted(text: string): string {
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
