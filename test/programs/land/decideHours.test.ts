import assert from "node:assert/strict"
import { Option } from "effect"
import { describe, it } from "vitest"
import type { Answer } from "../../../src/programs/fetch/askForWindow.ts"
import { decideHours, type FileReport } from "../../../src/programs/land/decideHours.ts"
import { ArchiveError } from "../../../src/services/ArchiveFolder.ts"
import { hour } from "../../fixtures/world.ts"

const h20 = hour("2025-11-10T20")
const h21 = hour("2025-11-10T21")
const h22 = hour("2025-11-10T22")

const at = (askedAt: number): Answer => ({ askedAt, archive: Option.none() })
const [older, newer] = [at(1), at(2)]
const error = new ArchiveError({
  reason: "Failed",
  method: "open",
  path: "a.zip",
  detail: "as told"
})

const read = (answer: Answer, hours = [h20], lacks = hours): FileReport => ({
  _tag: "Read",
  hours,
  lacks,
  answer
})
const passedOver: FileReport = { _tag: "PassedOver", hours: [h20] }
const unread: FileReport = { _tag: "Unread", hours: [h20], error }

interface Case {
  readonly reports: ReadonlyArray<FileReport>
  readonly dates?: ReadonlyArray<typeof h20>
  readonly present?: ReadonlyArray<typeof h20>
  readonly done?: ReadonlyArray<typeof h20>
  readonly found: Readonly<
    Record<string, "Silent 1" | "Silent 2" | "Skipped" | "Failed" | "Pending">
  >
}

const cases: Readonly<Record<string, Case>> = {
  "no hour was requested": { reports: [], found: {} },
  "the archive's name covers the hour": { reports: [read(newer)], found: { [h20]: "Silent 2" } },
  "the name does not say that all it lacks was settled": {
    reports: [read(newer, [h20], [])],
    found: { [h20]: "Pending" }
  },
  "both dates cover the hour": {
    reports: [read(newer, [], [])],
    dates: [h20, h21],
    found: { [h20]: "Silent 2", [h21]: "Silent 2" }
  },
  "time proves most: of several files, the oldest answers for the dates": {
    reports: [read(newer, [], []), read(older, [], [])],
    dates: [h20],
    found: { [h20]: "Silent 1" }
  },
  "the file whose name covers the hour answers before the oldest": {
    reports: [read(older, [h21]), read(newer, [h20])],
    dates: [h20, h21, h22],
    found: { [h20]: "Silent 2", [h21]: "Silent 1", [h22]: "Silent 1" }
  },
  "of two files that cover the hour, the first answers": {
    reports: [read(newer), read(older)],
    found: { [h20]: "Silent 2" }
  },
  "a file that cannot be read may have it": {
    reports: [read(older), unread],
    found: { [h20]: "Failed" }
  },
  "it stands already, whatever file cannot be read": {
    reports: [unread],
    present: [h20],
    found: { [h20]: "Skipped" }
  },
  "an archive has lines of it": { reports: [read(newer), unread], done: [h20], found: {} },
  "a file that was passed over says nothing": {
    reports: [passedOver],
    dates: [h21],
    found: { [h20]: "Pending", [h21]: "Pending" }
  }
}

describe("decideHours()", () => {
  for (const [name, { reports, dates = [], present = [], done = [], found }] of Object.entries(
    cases
  )) {
    it(name, () => {
      const decided = decideHours(reports, {
        dates,
        isPresent: (hour) => present.includes(hour),
        isDone: (hour) => done.includes(hour)
      })
      const told = decided.map((it) => [
        it.hour,
        it._tag === "Silent" ? `Silent ${it.answer.askedAt}` : it._tag
      ])
      assert.deepEqual(Object.fromEntries(told), found)
    })
  }
})
