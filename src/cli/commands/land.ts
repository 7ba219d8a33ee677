/**
 * The commands that land hours in a store or in staging.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { countGaps } from "../../programs/plan/gaps.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import {
  allHours,
  archivedHours,
  fetchHours,
  planHours,
  planSync,
  recheckWindow,
  syncHours
} from "../../programs/runPipeline.ts"
import { addHours } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import type { Window } from "../../services/Window.ts"
import {
  archiveFilesLayer,
  archiveFolderLayer,
  clockLayer,
  sourceLayer,
  spoolLayer,
  stagingLayer,
  storeLayer,
  unpackerLayer
} from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { AskedSource, SettingsOf } from "../settings/settingsOf.ts"
import { planText, stagedText } from "../text/printed.ts"
import { movingOf, runOptions } from "./options.ts"
import { type Work, work } from "./Report.ts"
import { summarized } from "./summaryReport.ts"

type Landing = SettingsOf<"fetch" | "all">

export function fetch(settings: SettingsOf<"fetch">): Work<ReportOf<"fetch">> {
  const { source } = settings
  return source._tag === "Unasked" ? plan(settings) : land(settings, source, fetchHours)
}

export function all(settings: SettingsOf<"all">): Work<ReportOf<"all">> {
  const { source } = settings
  switch (source._tag) {
    case "Unasked":
      return plan(settings)
    case "Archives":
      return landFiles(settings, source.files)
    default:
      return land(settings, source, allHours)
  }
}

export function sync(settings: SettingsOf<"sync">): Work<ReportOf<"sync">> {
  if (settings.dryRun) return showSync(settings)
  return work({
    layer: Layer.mergeAll(
      clockLayer({ now: undefined }),
      storeLayer(settings),
      stagingLayer(settings),
      unpackerLayer()
    ),
    ...summarized(
      (options) =>
        syncHours({ ...movingOf(settings), adoptProject: settings.adoptProject, ...options }),
      Effect.map(ObjectStorage, ({ place }) => ({ place }))
    )
  })
}

function land(
  settings: Landing,
  source: AskedSource,
  program: typeof fetchHours | typeof allHours
): Work<ReportOf<"fetch" | "all">> {
  const run = settings.recheck ? recheckWindow : program
  const isStaged = run === fetchHours
  const where = isStaged ? Staging : ObjectStorage
  return work({
    layer: Layer.mergeAll(
      sourceLayer(source),
      clockLayer(settings),
      storeLayer(settings),
      stagingLayer(settings),
      unpackerLayer(settings),
      archiveFolderLayer(settings),
      spoolLayer(settings)
    ),
    ...summarized(
      (options) => run({ ...runOptions(settings), ...options }),
      Effect.gen(function* () {
        const { place } = yield* where
        return { place, isStaged, source }
      })
    )
  })
}

function landFiles(
  settings: SettingsOf<"all">,
  files: ReadonlyArray<string>
): Work<ReportOf<"all">> {
  return work({
    layer: Layer.mergeAll(
      clockLayer(settings),
      storeLayer(settings),
      stagingLayer(settings),
      unpackerLayer(settings),
      archiveFilesLayer()
    ),
    ...summarized(
      (options) => archivedHours(files, { ...runOptions(settings), ...options }),
      Effect.map(ObjectStorage, ({ place }) => ({ place }))
    )
  })
}

/** Shows what fetch or all would request. */
function plan(settings: Landing): Work<ReportOf<"fetch" | "all">> {
  return work({
    layer: Layer.mergeAll(clockLayer(settings), storeLayer(settings), stagingLayer(settings)),
    run: Effect.map(planHours(runOptions(settings)), (found) => ({
      json: {
        dryRun: true,
        window: windowOf(found.window),
        present: found.present,
        missing: found.missing,
        open: found.open,
        accepted: found.accepted,
        olderGaps: countGaps(found.lake.gaps({ last: addHours(found.window.first, -1) })),
        conflicts: found.lake.conflicts.map(({ hour, name }) => ({ hour, name })),
        requests: found.requests.map(windowOf)
      },
      text: () => planText(found),
      exitCode: EXIT.done
    }))
  })
}

function windowOf({ first, last }: Window) {
  return { first, last }
}

/** Shows what sync would upload. */
function showSync(settings: SettingsOf<"sync">): Work<ReportOf<"sync">> {
  const { adoptProject } = settings
  return work({
    layer: Layer.merge(storeLayer(settings), stagingLayer(settings)),
    run: Effect.map(planSync({ ...movingOf(settings), adoptProject }), (found) => {
      const staged = [...found.staged.keys()].sort()
      const { elsewhere } = found
      return {
        json: { dryRun: true, staged, stagedElsewhere: elsewhere },
        text: () => stagedText(staged, elsewhere),
        exitCode: EXIT.done
      }
    })
  })
}
