/**
 * Empty objects below a lake's prefix that record what a person decided or a run found. They are only ever added: a mark
 * counts until its counterpart, an object of the same name in the folder beside it, takes it back.
 *
 * @module
 */
import { Option, Schema } from "effect"
import { ReferenceStream } from "./Amplitude.ts"
import { Hour } from "./Hour.ts"
import { Window } from "./Window.ts"

/** A folder of marks, and the folder of the counterparts that take them back. */
export const markFolders = {
  accepted: ".amplitude-lake-accepted/",
  withdrawn: ".amplitude-lake-withdrawn/",
  conflicts: ".amplitude-lake-conflicts/",
  resolved: ".amplitude-lake-resolved/"
} as const
export type MarkFolder = keyof typeof markFolders

/** Where objects that were replaced are kept. */
const REPLACED = ".amplitude-lake-replaced/"

/** Where the lists of a day are kept. */
const REFERENCE = ".amplitude-lake-reference/"

/** Whether a key below the prefix is one of the lake's own that no pipeline takes for an hour. */
export function isLakeKey(key: string): boolean {
  return [...Object.values(markFolders), REPLACED, REFERENCE].some((folder) =>
    key.startsWith(folder)
  )
}

/** Where a list of a UTC day such as `2025-11-10` is kept, below the prefix. */
export function referenceKey(date: string, stream: string): string {
  return `${REFERENCE}${date}/${stream}.json`
}

/** A list of a day that a store has. */
export interface StoredList {
  /** Such as `2025-11-10`. */
  readonly date: string
  readonly stream: ReferenceStream
  /** Below the prefix. */
  readonly key: string
}

/** The list that a key below the prefix is; `None` for any other object. */
export function listOfKey(key: string): Option.Option<StoredList> {
  const date = key.slice(REFERENCE.length, REFERENCE.length + 10)
  const stream = ReferenceStream.literals.find((it) => referenceKey(date, it) === key)
  return stream !== undefined && Schema.is(Hour)(`${date}T00`)
    ? Option.some({ date, stream, key })
    : Option.none()
}

/** Where an object that is replaced is kept, below the prefix. */
export function replacedKey(key: string, lineset: string): string {
  return `${REPLACED}${key}.${lineset}`
}

/** The key that a replaced object had before; `None` for any other object. */
export function keyBeforeReplaced(key: string): Option.Option<string> {
  return key.startsWith(REPLACED)
    ? Option.some(key.slice(REPLACED.length).replace(/\.[0-9a-f]{12}$/, ""))
    : Option.none()
}

/** The key of a mark, below the prefix. */
export function markKey(folder: MarkFolder, name: string): string {
  return `${markFolders[folder]}${name}`
}

export interface Mark {
  readonly folder: MarkFolder
  readonly name: string
}

/** The mark that a key below the prefix is; `None` for any other object. */
export function markOfKey(key: string): Option.Option<Mark> {
  for (const folder of Object.keys(markFolders) as ReadonlyArray<MarkFolder>) {
    const path = markFolders[folder]
    if (key.startsWith(path)) return Option.some({ folder, name: key.slice(path.length) })
  }
  return Option.none()
}

/** Gaps that a person has declared final. */
export interface Acceptance {
  /** `2025-07-31T22--2025-08-16T08--1` */
  readonly name: string
  readonly window: Window
}

/** The name of the `number`-th acceptance of a window; the first is 1. */
export function acceptanceName({ first, last }: Window, number: number): string {
  return `${first}--${last}--${number}`
}

/** `None` for a name that no acceptance has. */
export function acceptanceOf(name: string): Option.Option<Acceptance> {
  const [first, last, number, ...more] = name.split("--")
  if (more.length > 0 || !/^[1-9]\d*$/.test(number ?? "")) return Option.none()
  return Option.map(Schema.decodeUnknownOption(Window)({ first, last }), (window) => ({
    name,
    window
  }))
}

/** Two versions of an hour that a person has to choose between: the store's, and ours, refused. */
export interface RefusedVersion {
  readonly _tag: "Refused"
  /** `2025-08-01T03--000050c2fa4b--9f86d081884c` */
  readonly name: string
  readonly hour: Hour
  /** Of our version. */
  readonly lineset: string
  /** What tells the store's object from any other. */
  readonly fingerprint: string
}

/** The name of a conflict: our lineset, and what tells the store's object from any other. */
export function conflictName(hour: Hour, lineset: string, fingerprint: string): string {
  return `${hour}--${lineset}--${fingerprint}`
}

/** The name of the decision about an hour that a store has in several versions. */
export function doubledName(hour: Hour, fingerprint: string): string {
  return `${hour}--doubled--${fingerprint}`
}

/** `None` for a name that no refused version has. */
export function conflictOf(name: string): Option.Option<RefusedVersion> {
  const [hour, lineset, fingerprint, ...more] = name.split("--")
  const isName = /^[0-9a-f]{12}$/
  if (more.length > 0 || lineset === undefined || fingerprint === undefined) return Option.none()
  if (!isName.test(lineset) || !isName.test(fingerprint)) return Option.none()
  return Option.map(Schema.decodeUnknownOption(Hour)(hour), (it) => ({
    _tag: "Refused",
    name,
    hour: it,
    lineset,
    fingerprint
  }))
}
