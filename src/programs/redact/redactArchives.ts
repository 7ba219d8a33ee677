import { Effect, Option } from "effect"
import { ArchiveFiles } from "../../services/ArchiveFiles.ts"
import { ArchiveFolder } from "../../services/ArchiveFolder.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Spool, type SpooledArchive } from "../../services/Spool.ts"
import { Unpacker } from "../../services/Unpacker.ts"
import { findProject } from "../plan/findProject.ts"
import { takeInventory } from "../plan/inventory.ts"
import type { RunError } from "../run/failureKind.ts"
import { Run } from "../run/Run.ts"
import { searchLines } from "./lines.ts"
import { asStep, Redaction } from "./Redaction.ts"
import type { FoundLinesAt } from "./RedactionSummary.ts"

/**
 * Searches the archives on this machine: those in the spool that no run holds, and those that were
 * kept. One that holds a line is removed as a whole; the next run requests what it still needs.
 */
export const redactArchives = Effect.fn("redactArchives")(function* () {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const inventory = yield* retry(takeInventory(store))
  const project = yield* findProject([{ store, inventory }])
  yield* redactSpool(project)
  yield* redactKept(project)
})

const redactSpool = Effect.fn("redactArchives.spool")(function* (project: Option.Option<string>) {
  const { isApplied, tally } = yield* Redaction
  const spool = yield* Spool
  const { archives, halves } = yield* spool.survey
  for (const { path } of halves) {
    yield* asStep(
      path,
      Effect.gen(function* () {
        if (isApplied) yield* spool.prune
        tally.found.push({
          place: "spooled",
          path,
          lines: 0,
          fate: isApplied ? "removed" : "found"
        })
      })
    )
  }
  for (const archive of archives) {
    const { path } = archive
    yield* asStep(
      path,
      Effect.scoped(
        Effect.gen(function* () {
          const claimed = yield* spool.claim(archive)
          if (Option.isNone(claimed)) {
            tally.unsearched.push({ path, message: "another run holds it" })
            return
          }
          const held = claimed.value
          yield* redactArchive(held, "spooled", { project, remove: spool.drop(held) })
        })
      )
    )
  }
})

const redactKept = Effect.fn("redactArchives.kept")(function* (project: Option.Option<string>) {
  const folder = yield* Effect.serviceOption(ArchiveFolder)
  const files = yield* Effect.serviceOption(ArchiveFiles)
  if (Option.isNone(folder) || Option.isNone(files)) return
  for (const kept of yield* folder.value.list) {
    yield* asStep(
      kept.path,
      Effect.scoped(
        Effect.gen(function* () {
          const { archive } = yield* files.value.open(kept.path)
          yield* redactArchive(archive, "archive", { project, remove: folder.value.remove(kept) })
        })
      )
    )
  }
})

interface ArchiveOptions {
  /** The lake's project, if it is known. */
  readonly project: Option.Option<string>
  readonly remove: Effect.Effect<void, RunError>
}

/** Searches an archive, and removes it if it holds a line. */
const redactArchive = Effect.fnUntraced(function* (
  archive: SpooledArchive,
  place: FoundLinesAt["place"],
  { project, remove }: ArchiveOptions
) {
  const { isApplied, people, tally } = yield* Redaction
  const unpacker = yield* Unpacker
  const { path } = archive
  const skip = (message: string) => void tally.unsearched.push({ path, message })
  const opened = yield* Effect.either(
    unpacker.open(archive, "jsonl", { salvage: true, repacked: true })
  )
  if (opened._tag === "Left") {
    if (opened.left.reason === "Unreadable") return yield* opened.left
    return skip(`it cannot be unpacked: ${opened.left.detail}`)
  }
  const { broken, hours, project: own } = opened.right
  if (Option.isSome(own) && Option.isSome(project) && own.value !== project.value) {
    return skip(`it is of Amplitude project ${own.value}`)
  }
  if (broken.size > 0) skip(`${[...broken.keys()].join(", ")} in it cannot be read`)
  let lines = 0
  for (const { body } of hours.values()) {
    const search = searchLines(people)
    const onLines = (bytes: Uint8Array) => Effect.sync(() => search.update(bytes))
    const read = yield* unpacker.digest(path, body, "jsonl", { onLines })
    const { numbers, unparsed } = search.finish()
    lines += numbers.length
    tally.lines += read.events
    tally.bytes += read.bytes
    tally.unparsed += unparsed
  }
  tally.objects += 1
  if (lines === 0) return
  if (isApplied) yield* remove
  tally.found.push({ place, path, lines, fate: isApplied ? "removed" : "found" })
})
