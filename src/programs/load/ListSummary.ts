import { Schema } from "effect"
import { ReferenceStream } from "../../services/Amplitude.ts"
import { errorName, type RunError } from "../run/failureKind.ts"
import { Failure } from "../run/Summary.ts"

/** A list of a UTC day, such as that of the cohorts of `2025-11-10`. */
export const ListName = Schema.Struct({ date: Schema.String, stream: ReferenceStream })
export type ListName = typeof ListName.Type

/** What became of the lists of a store. */
export const ListSummary = Schema.Struct({
  /** Loaded by this run. */
  loaded: Schema.NonNegativeInt,
  /** Loaded before. */
  skipped: Schema.NonNegativeInt,
  /** Not reached within the run's longest duration. */
  postponed: Schema.NonNegativeInt,
  failed: Schema.Array(Schema.Struct({ ...ListName.fields, ...Failure.fields }))
})
export type ListSummary = typeof ListSummary.Type

/** What became of a list. */
export type ListOutcome = ListName &
  (
    | { readonly _tag: "Loaded" | "Skipped" | "Postponed" }
    | { readonly _tag: "Failed"; readonly error: RunError }
  )

/** Lists are reported by date and stream. */
export function summarizeLists(outcomes: ReadonlyArray<ListOutcome>): ListSummary {
  const count = (tag: ListOutcome["_tag"]) => outcomes.filter(({ _tag }) => _tag === tag).length
  return {
    loaded: count("Loaded"),
    skipped: count("Skipped"),
    postponed: count("Postponed"),
    failed: outcomes.flatMap((it) =>
      it._tag === "Failed"
        ? [
            {
              date: it.date,
              stream: it.stream,
              error: errorName(it.error),
              message: it.error.message
            }
          ]
        : []
    )
  }
}
