/**
 * The command that removes people's events.
 *
 * @module
 */
import * as fs from "node:fs/promises"
import { Effect, Layer } from "effect"
import { countIds, nobody, type People, readPeople } from "../../../programs/redact/People.ts"
import type { RedactionSummary } from "../../../programs/redact/RedactionSummary.ts"
import { redactPeople } from "../../../programs/redact/redactPeople.ts"
import { EXIT } from "../../../programs/run/exitCode.ts"
import { ObjectStorage } from "../../../services/ObjectStorage.ts"
import { CommandError } from "../../CommandError.ts"
import type { ReportOf } from "../../json/outputs.ts"
import {
  archiveFilesLayer,
  archiveFolderLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "../../layers.ts"
import type { SettingsOf } from "../../settings/settingsOf.ts"
import { advised } from "../../text/advice.ts"
import { otherPlaces, redactionText } from "../../text/lake/redactionText.ts"
import { retryOf } from "../options.ts"
import { type Work, work } from "../Report.ts"
import { soFar } from "./soFar.ts"

export function redact(settings: SettingsOf<"redact">): Work<ReportOf<"redact">> {
  const { concurrency, maxDuration, yes } = settings
  const { interrupted, keep } = soFar<ReportOf<"redact">>()
  return work({
    layer: Layer.mergeAll(
      storeLayer(settings),
      stagingLayer(settings),
      spoolLayer(settings),
      archiveFolderLayer(settings),
      archiveFilesLayer(),
      unpackerLayer()
    ),
    run: Effect.gen(function* () {
      const { place } = yield* ObjectStorage
      const people = yield* peopleOf(settings)
      const reportOf = (summary: RedactionSummary) => {
        const found = {
          ...summary,
          failed: summary.failed.map((it) => advised(it)),
          elsewhere: otherPlaces(settings)
        }
        return { json: found, text: () => redactionText(found, place), exitCode: found.exitCode }
      }
      const report = reportOf(
        yield* redactPeople(people, {
          ...retryOf(settings),
          concurrency,
          maxDuration,
          apply: yes,
          onInterrupt: (summary) => keep(reportOf(summary))
        })
      )
      yield* keep(report)
      return report
    }),
    interrupted
  })
}

/** The people of the flags and of the file. */
const peopleOf = Effect.fnUntraced(function* (
  settings: Pick<SettingsOf<"redact">, "amplitudeIds" | "deviceIds" | "peopleFile" | "userIds">
) {
  const { amplitudeIds = [], deviceIds = [], peopleFile, userIds = [] } = settings
  const file: People = peopleFile === undefined ? nobody : yield* readFile(peopleFile)
  const people: People = {
    userIds: new Set([...userIds, ...file.userIds]),
    amplitudeIds: new Set([...amplitudeIds, ...file.amplitudeIds].map((id) => String(Number(id)))),
    deviceIds: new Set([...deviceIds, ...file.deviceIds])
  }
  if (countIds(people) > 0) return people
  return yield* new CommandError({
    message: "nobody is named: use --user-id, --amplitude-id, --device-id or --file",
    exitCode: EXIT.usage
  })
})

const readFile = Effect.fnUntraced(function* (file: string) {
  const text = yield* Effect.tryPromise({
    try: () => fs.readFile(file, "utf8"),
    catch: (cause) =>
      new CommandError({
        message: `--file "${file}" cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
        exitCode: EXIT.usage
      })
  })
  const people = readPeople(text)
  if (!("problems" in people)) return people
  const { problems } = people
  const more = problems.length > NAMED ? `; and ${problems.length - NAMED} more lines` : ""
  return yield* new CommandError({
    message: `--file "${file}" cannot be used: ${problems.slice(0, NAMED).join("; ")}${more}`,
    exitCode: EXIT.usage
  })
})

/** How many wrong lines a message names. */
const NAMED = 5
