import { Option, Schema } from "effect"
import type { ArchiveName } from "../../services/Spool.ts"
import { Window } from "../../services/Window.ts"

const NAME = /^(?<identity>.+)~(?<first>[^~]+)~(?<last>[^~]+)~(?<askedAt>\d{1,16})\.zip$/

/** The file name of an archive, `<identity>~<first>~<last>~<askedAt>.zip`; `None` where it would not read back. */
export function archiveFile(name: ArchiveName): Option.Option<string> {
  const file = `${name.identity}~${name.window.first}~${name.window.last}~${name.askedAt}.zip`
  const isSafe = !/^\.|[/\\\0]/.test(file) && Option.isSome(parseArchiveFile(file))
  return isSafe ? Option.some(file) : Option.none()
}

/** What to say of an archive that no file can be named by. */
export function unnameable(name: ArchiveName): string {
  return `no file can be named by the identity "${name.identity}" and the time ${name.askedAt}`
}

/** Reads such a file name; `None` for any other. */
export function parseArchiveFile(file: string): Option.Option<ArchiveName> {
  const groups = NAME.exec(file)?.groups
  if (groups === undefined) return Option.none()
  return Option.map(
    Schema.decodeUnknownOption(Window)({ first: groups["first"], last: groups["last"] }),
    (window) => ({
      identity: groups["identity"] ?? "",
      window,
      askedAt: Number(groups["askedAt"])
    })
  )
}

/** The archives of one source among some file names: each once, oldest window first. */
export function archivesOf(identity: string, files: Iterable<string>): ReadonlyArray<ArchiveName> {
  return [...new Set(files)]
    .flatMap((file) => Option.toArray(parseArchiveFile(file)))
    .filter((name) => name.identity === identity)
    .sort((one, other) => compare(sortKey(one), sortKey(other)))
}

function sortKey({ window, askedAt }: ArchiveName): string {
  return `${window.first}~${window.last}~${String(askedAt).padStart(16, "0")}`
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
