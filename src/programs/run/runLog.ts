import { Effect, Option, Ref } from "effect"
import type { Hour } from "../../services/Hour.ts"
import type { Window } from "../../services/Window.ts"
import { type Adoption, withFiles } from "./Adoption.ts"
import type { HourOutcome } from "./HourOutcome.ts"
import type { LakeFindings } from "./Summary.ts"

/** What a run has done so far. */
export interface SoFar {
  /** `null` before the run has planned its hours. */
  readonly window: Window | null
  readonly outcomes: ReadonlyMap<Hour, HourOutcome>
  readonly lake?: LakeFindings | undefined
  /** The Amplitude project, once the run has learned it. */
  readonly project?: string | undefined
  /** Absent if the run adopts no files of other programs. */
  readonly adoption?: Adoption | undefined
}

/** Records a run while it goes on, for the report of one that is interrupted. */
export interface RunLog {
  readonly planned: (plan: {
    readonly window: Window | null
    /** Of hours that the run leaves as they are. */
    readonly outcomes: ReadonlyArray<HourOutcome>
    readonly lake: LakeFindings
  }) => Effect.Effect<void>
  /** The outcome of an hour; the last one counts. */
  readonly ended: (outcome: HourOutcome) => Effect.Effect<void>
  /** The lake's Amplitude project, as far as it is known. */
  readonly ofProject: (project: Option.Option<string>) => Effect.Effect<void>
  /** What became of files of other programs; without any, that the run adopts them. */
  readonly files: (files?: Partial<Adoption>) => Effect.Effect<void>
  readonly soFar: Effect.Effect<SoFar>
}

export const makeRunLog: Effect.Effect<RunLog> = Effect.map(
  Ref.make<Omit<SoFar, "adoption" | "outcomes" | "project">>({ window: null }),
  (plan) => {
    const outcomes = new Map<Hour, HourOutcome>()
    let known: string | undefined
    let adoption: Adoption | undefined
    const ended = (outcome: HourOutcome) =>
      Effect.sync(() => void outcomes.set(outcome.hour, outcome))
    return {
      planned: ({ lake, outcomes: others, window }) =>
        Effect.zipRight(
          Ref.set(plan, { window, lake }),
          Effect.forEach(
            others.filter(({ hour }) => !outcomes.has(hour)),
            ended,
            { discard: true }
          )
        ),
      ended,
      ofProject: (project) =>
        Effect.sync(() => {
          known = Option.getOrElse(project, () => known)
        }),
      files: (files) =>
        Effect.sync(() => {
          adoption = withFiles(adoption, files)
        }),
      soFar: Effect.map(Ref.get(plan), (it) => ({
        ...it,
        outcomes: new Map(outcomes),
        project: known,
        adoption
      }))
    }
  }
)
