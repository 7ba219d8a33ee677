import { Effect, Schema } from "effect"
import { Hour } from "../../services/Hour.ts"
import type { Read } from "./read.ts"

const N = Schema.Number

/** What became of the lines that were loaded. */
export const readCounting = Effect.fnUntraced(function* (read: Read) {
  const [loaded] = yield* read(
    { loadedHours: N, firstLoaded: Schema.NullOr(Hour), lastLoaded: Schema.NullOr(Hour), lines: N },
    `select count(*)::double as "loadedHours", strftime(min(hour), '%Y-%m-%dT%H') as "firstLoaded",
  strftime(max(hour), '%Y-%m-%dT%H') as "lastLoaded", coalesce(sum(events), 0)::double as lines from amplitude.loads`
  )
  const [lines] = yield* read(
    { modelled: N, malformed: N, duplicates: N, late: N, future: N, redacted: N, behindHours: N },
    `select ${["modelled", "malformed", "duplicates", "late", "future", "redacted"]
      .map((name) => `coalesce(sum(coverage.${name}), 0)::double as ${name}`)
      .join(", ")},
  count(*) filter (coalesce(loads.events, 0) <> coalesce(coverage.modelled, 0) + coalesce(coverage.malformed, 0))::double as "behindHours"
from analytics.coverage as coverage full join amplitude.loads as loads on loads.hour = coverage.hour`
  )
  return {
    loadedHours: loaded?.loadedHours ?? 0,
    firstLoaded: loaded?.firstLoaded ?? null,
    lastLoaded: loaded?.lastLoaded ?? null,
    lines: loaded?.lines ?? 0,
    modelled: lines?.modelled ?? 0,
    malformed: lines?.malformed ?? 0,
    duplicates: lines?.duplicates ?? 0,
    late: lines?.late ?? 0,
    future: lines?.future ?? 0,
    redacted: lines?.redacted ?? 0,
    behindHours: lines?.behindHours ?? 0
  }
})
