import { Option, Schema } from "effect"
import type { ArchiveName } from "../../services/Spool.ts"
import { Window } from "../../services/Window.ts"

const NAME = /^(?<identity>.+)~(?<first>[^~]+)~(?<last>[^~]+)~(?<askedAt>\d{1,16})\.zip$/

/**
 * The file name of an archive, `<identity>~<first>~<last>~<askedAt>.zip`; `None` if it could not be
 * parsed back.
 */
export function archiveFile(name: ArchiveName): Option.Option<string> {
  const file = `${name.identity}~${name.window.first}~${name.window.last}~${name.askedAt}.zip`
  const isSafe = !/^\.|[/\\\0]/.test(file) && Option.isSome(parseArchiveFile(file))
  return isSafe ? Option.some(file) : Option.none()
}

/** The error text for an archive without a valid file name. */
export function unnameable(name: ArchiveName): string {
  return `the identity "${name.identity}" and the time ${name.askedAt} do not make a file name`
}

/** Parses such a file name; `None` for any other. */
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

/** The archives of one source among file names, without duplicates, oldest window first. */
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
