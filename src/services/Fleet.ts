/**
 * What the machines of a fleet share: backlogs, cut into windows, and which of them are done.
 *
 * @module
 */
import { Context, type Effect, type Option, Schema, type Scope } from "effect"
import type { Window } from "./Window.ts"

/** Why a call to the fleet's database failed, and whether a retry could help. */
export class FleetError extends Schema.TaggedError<FleetError>()("FleetError", {
  reason: Schema.Literal(
    /** It cannot be reached, does not answer, or has ended the connection. */
    "Unavailable",
    "AccessDenied",
    /** It cannot be used as it is configured: there is no such database, or a package is missing. */
    "Misconfigured",
    /** A newer version of this program made its tables. */
    "TooNew",
    /** No backfill of this lake and these dates is known. */
    "NotFound",
    /** A window was begun again and again, and its worker died each time. */
    "Abandoned",
    "Failed"
  ),
  method: Schema.Literal("open", "submit", "look at", "take from", "record in", "stop", "purge"),
  /** The database, without user and password. */
  place: Schema.String,
  detail: Schema.String
}) {
  /** True if the same call may succeed later. */
  get isTransient(): boolean {
    return this.reason === "Unavailable"
  }
  override get message(): string {
    return `Cannot ${this.method} the fleet's database "${this.place}": ${this.reason}: ${this.detail}`
  }
}

/** A lake, and who may request its hours. Neither reveals a key. */
export interface FleetLake {
  /** The location of its store. */
  readonly location: string
  /** The identity of its Amplitude project: what the limit of requests at once is for. */
  readonly source: string
}

/** One open backfill has a name; the same name is the same backfill. */
export interface BackfillName extends FleetLake {
  /** What was typed: two dates, or nothing for all gaps. */
  readonly dates: string
}

export interface NewBackfill extends BackfillName {
  /** The hours from which and up to which its summary judges the lake. */
  readonly whole: Window
  /** Windows that may be on their way at once. */
  readonly lanes: number
  /** Cover what is missing, and nothing else. */
  readonly windows: ReadonlyArray<Window>
}

/** How far a backfill is. */
export interface FleetStanding {
  readonly whole: Window
  readonly windows: number
  readonly running: number
  readonly done: number
  readonly hours: number
  readonly hoursDone: number
  /** Workers with a window of it. */
  readonly workers: number
  readonly isStopped: boolean
}

/** A window that a lane has taken. */
export interface TakenWindow extends FleetLake {
  readonly backfill: string
  readonly window: Window
  /** How often it has been taken, this time included. */
  readonly turn: number
}

/** Takes one window at a time. Whatever it holds falls free when its scope closes or its process dies. */
export interface FleetLane {
  /** Fails when the lane no longer holds what it has taken. */
  readonly lost: Effect.Effect<never, FleetError>

  /**
   * Takes a window of one of these lakes that no other lane has, the newest first; `None` if there is none,
   * or its project has as many windows on their way as it may.
   */
  readonly take: (
    lakes: ReadonlyArray<FleetLake>,
    worker: string
  ) => Effect.Effect<Option.Option<TakenWindow>, FleetError>

  /** Records the result of a window, and lets go of it. With `stops`, no other window of its backfill begins. */
  readonly finish: (
    taken: TakenWindow,
    result: unknown,
    stops: boolean
  ) => Effect.Effect<void, FleetError>

  /** Lets go of a window that was not finished. */
  readonly giveBack: (taken: TakenWindow) => Effect.Effect<void, FleetError>
}

export class Fleet extends Context.Tag("amplitude-lake/Fleet")<
  Fleet,
  {
    /** The database, for messages. */
    readonly place: string

    /**
     * Begins a backfill, or goes on with the open one of the same name, also where that was stopped. A new one
     * without windows is not recorded.
     */
    readonly submit: (backfill: NewBackfill) => Effect.Effect<Option.Option<string>, FleetError>

    /** The open backfill of a name, or else the last one. */
    readonly find: (name: BackfillName) => Effect.Effect<Option.Option<string>, FleetError>

    readonly standing: (backfill: string) => Effect.Effect<FleetStanding, FleetError>

    /** The results of the finished windows. */
    readonly results: (backfill: string) => Effect.Effect<ReadonlyArray<unknown>, FleetError>

    /** Lets no other window begin. Those on their way are finished. */
    readonly stop: (backfill: string) => Effect.Effect<void, FleetError>

    /** Forgets backfills that ended at least this many days ago, and returns their number. */
    readonly purge: (days: number) => Effect.Effect<number, FleetError>

    readonly lane: Effect.Effect<FleetLane, FleetError, Scope.Scope>
  }
>() {}
