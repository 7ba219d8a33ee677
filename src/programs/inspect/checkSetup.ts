import { Clock as EffectClock, Effect, Either, Option, Schema, Stream } from "effect"
import { Amplitude } from "../../services/Amplitude.ts"
import { Clock } from "../../services/Clock.ts"
import { Folders, FolderError, type WorkingFolder } from "../../services/Folders.ts"
import type { Hour } from "../../services/Hour.ts"
import { ObjectStorage } from "../../services/ObjectStorage.ts"
import { Unpacker } from "../../services/Unpacker.ts"
import { Warehouse, WarehouseError } from "../../services/Warehouse.ts"
import { Webhook } from "../../services/Webhook.ts"
import { Window } from "../../services/Window.ts"
import { countGaps, GapCount, gapsBetween, outermost } from "../plan/gaps.ts"
import { type Inventory, type Lake, takeLake } from "../plan/inventory.ts"
import { describeConflicts } from "../resolve/conflictMarks.ts"
import { OpenConflict } from "../resolve/OpenConflict.ts"
import { clockSkew, skewText, type TimedAnswer } from "../fetch/clockSkew.ts"
import { ExitCode, exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind, type RunError } from "../run/failureKind.ts"
import * as defaults from "../run/defaults.ts"
import type { FailureKind } from "../run/HourOutcome.ts"
import { asRun, type LagOptions, type SettleOptions } from "../run/Run.ts"

/** The result of one check of the setup. */
export const SetupCheck = Schema.Struct({
  name: Schema.String,
  /** `unknown` if another failure made this check impossible. */
  state: Schema.Literal("ok", "fail", "unknown"),
  /** What was found and, after a failure, what to do. */
  message: Schema.String,
  /** Class and reason of the failure, such as `AmplitudeError.Forbidden`. */
  error: Schema.optional(Schema.String)
})
export type SetupCheck = typeof SetupCheck.Type

export class SetupChecks extends Schema.Class<SetupChecks>("SetupChecks")({
  checks: Schema.Array(SetupCheck),
  /** Gaps of the whole lake; `null` where there is none, or the store could not be listed. */
  gaps: Schema.NullOr(GapCount),
  /** Conflicts that nobody has resolved. */
  conflicts: Schema.Array(OpenConflict),
  /** 0 if nothing failed; otherwise the first of 8, 7, 2, 3 or 5 that applies. */
  exitCode: ExitCode
}) {}

export interface CheckOptions extends SettleOptions {
  /** The body that is posted to the webhook, if there is one. */
  readonly testMessage?: object | undefined
  /** Whether to report a warehouse that does not exist yet. Defaults to `false`. */
  readonly expectsWarehouse?: boolean | undefined
}

/** A check, and the kind of its failure. */
interface Finding {
  readonly check: SetupCheck
  readonly kind?: FailureKind
  /** Whether hours are missing. */
  readonly isIncomplete?: boolean
}

/** What is wrong with the hours of a lake. */
interface LakeReport {
  readonly gaps: GapCount | null
  readonly conflicts: ReadonlyArray<OpenConflict>
}

/** In bytes. Archives soon fill less than this. */
const LEAST_SPACE = 1e9

/** Amplitude's limit, in bytes. */
const LARGEST_ARCHIVE = 4e9

/** How much larger lines are than their archive, at least: 13 in our measurements. */
const RATIO = 10

/**
 * Tests everything that a run needs, even after a failure: the keys (by exporting one closed hour
 * and discarding it), the clock (against that answer), the store (as every run does first), what is
 * missing or contradictory in it, the folders and their free space, and the warehouse and the webhook if they are provided. Lands nothing. Like a run,
 * it leaves an empty probe object that listings hide.
 */
export const checkSetup = Effect.fn("checkSetup")(function* (options: CheckOptions = {}) {
  const folders = yield* Folders
  const lakeThenFolders = Effect.flatMap(checkLake(options), (lake) =>
    Effect.map(
      Effect.forEach(folders.all, (folder) => checkFolder(folder, lake.archives), {
        concurrency: "unbounded"
      }),
      (found) => ({ ...lake, findings: [...lake.findings, ...found.flat()] })
    )
  )
  const [amplitude, { findings, gaps, conflicts }, ...others] = yield* Effect.all(
    [
      checkAmplitude(options),
      lakeThenFolders,
      checkWarehouse(options.expectsWarehouse),
      checkInflating,
      checkWebhook(options.testMessage)
    ],
    { concurrency: "unbounded" }
  )
  const all = [...amplitude, ...findings, ...others.flat()]
  const kinds = new Set(all.flatMap(({ kind }) => (kind === undefined ? [] : [kind])))
  return new SetupChecks({
    checks: all.map(({ check }) => check),
    gaps,
    conflicts,
    exitCode: exitCodeOf({
      kinds,
      isDone: false,
      isTouched: false,
      isIncomplete: all.some(({ isIncomplete }) => isIncomplete)
    })
  })
})

function ok(name: string, message: string): Finding {
  return { check: SetupCheck.make({ name, state: "ok", message }) }
}

const WEBHOOK_TIMEOUT = "10 seconds"

/** Posts the test message, if a webhook is provided. */
const checkWebhook = Effect.fn("checkSetup.webhook")(function* (
  message: object = {}
): Effect.fn.Return<ReadonlyArray<Finding>> {
  const webhook = yield* Effect.serviceOption(Webhook)
  if (Option.isNone(webhook)) return []
  return yield* webhook.value.post(message, WEBHOOK_TIMEOUT).pipe(
    Effect.as([ok("webhook", "has accepted a test message")]),
    Effect.catchAll(({ isTransient, message, reason }) => {
      const check = {
        name: "webhook",
        state: "fail",
        message,
        error: `WebhookError.${reason}`
      } as const
      const kind: FailureKind = isTransient ? "temporary" : "permanent"
      return Effect.succeed([{ check: SetupCheck.make(check), kind }])
    })
  )
})

function failed(name: string, error: RunError | FolderError): Finding {
  const { message } = error
  const check = { name, state: "fail", message, error: errorName(error) } as const
  return { check: SetupCheck.make(check), kind: failureKind(error) }
}

/** The keys and, with the same answer, the clock. */
const checkAmplitude = Effect.fn("checkSetup.amplitude")(function* ({
  lagHours = defaults.lagHours
}: LagOptions) {
  const amplitude = yield* Amplitude
  const clock = yield* Clock
  const hour = yield* clock.newestClosedHour(lagHours)
  const sent = yield* EffectClock.currentTimeMillis
  const asked = Effect.gen(function* () {
    const { archive, date } = yield* amplitude.export(new Window({ first: hour, last: hour }))
    const answered = yield* EffectClock.currentTimeMillis
    const what = Option.isSome(archive) ? "and its archive discarded" : "which has no events"
    return [
      ok("keys", `accepted: ${hour} was exported as a test, ${what}`),
      checkClock({ date, sent, answered })
    ]
  })
  return yield* Effect.scoped(asked).pipe(
    Effect.catchAll((error) => {
      const message = "not compared, because there was no answer from Amplitude"
      const check = SetupCheck.make({ name: "clock", state: "unknown", message })
      return Effect.succeed([failed("keys", error), { check }])
    })
  )
})

function checkClock(answer: TimedAnswer): Finding {
  return Option.match(clockSkew(answer), {
    onNone: () => {
      const message = "not compared, because Amplitude's answer has no Date"
      return { check: SetupCheck.make({ name: "clock", state: "unknown", message }) }
    },
    onSome: (skew) =>
      Option.match(skewText(skew), {
        onNone: () => ok("clock", `${Math.round(Math.abs(skew) / 1000)} s from Amplitude's clock`),
        onSome: (message) => ({
          check: SetupCheck.make({ name: "clock", state: "fail", message, error: "ClockSkew" }),
          kind: "permanent"
        })
      })
  })
}

/** What the whole listing says; if it breaks off, a failure of the store. */
const lakeOr = (
  store: ObjectStorage["Type"]
): Effect.Effect<Either.Either<Lake, ReadonlyArray<Finding>>> =>
  Effect.map(
    Effect.either(takeLake(store)),
    Either.mapLeft((error) => [failed("store", error)])
  )

/** The store and, if it can be listed, the hours that are missing and the open conflicts. */
const checkLake = Effect.fn("checkSetup.lake")(function* ({
  settleHours = defaults.settleHours
}: SettleOptions) {
  const store = yield* ObjectStorage
  const clock = yield* Clock
  const findings = yield* checkStore
  const isBroken = findings.some(({ kind }) => kind !== undefined)
  const lake = isBroken ? Either.left(findings) : yield* lakeOr(store)
  if (Either.isLeft(lake)) {
    const unknown = ["gaps", "conflicts"].map((name): Finding => {
      const message = "not looked for, because the store could not be listed"
      return { check: SetupCheck.make({ name, state: "unknown", message }) }
    })
    const report: LakeReport = { gaps: null, conflicts: [] }
    return { ...report, archives: 0, findings: [...lake.left, ...unknown] }
  }
  const { acceptances, conflicts: open, inventory } = lake.right
  const last = yield* clock.newestClosedHour(settleHours)
  const first = outermost(inventory.keys())
  const isAccepted = (hour: Hour) => acceptances.some(({ window }) => window.includes(hour))
  const isGap = (hour: Hour) => !inventory.has(hour) && !isAccepted(hour)
  const gaps = countGaps(first === undefined ? [] : gapsBetween(first, last, isGap))
  const conflicts = yield* asRun(describeConflicts(store, open), { retries: 0 })
  return {
    gaps,
    conflicts,
    archives: archivesOf(inventory),
    findings: [...findings, gapFinding(gaps), conflictFinding(conflicts)]
  }
})

/** The bytes of the archives that a run holds at once, by the largest hour of the lake. */
function archivesOf(inventory: Inventory): number {
  let largest = 0
  for (const objects of inventory.values()) {
    const zipped = objects.map(({ format, size }) => (format === "jsonl" ? size / RATIO : size))
    largest = Math.max(
      largest,
      zipped.reduce((sum, size) => sum + size, 0)
    )
  }
  return defaults.lanes * Math.min(LARGEST_ARCHIVE, defaults.requestHours * largest)
}

function gapFinding(gaps: GapCount | null): Finding {
  const name = "gaps"
  if (gaps === null) return ok(name, "no settled hour is missing")
  const message = `${gaps.hours} settled hours are missing, from ${gaps.first} to ${gaps.last}`
  const check = SetupCheck.make({ name, state: "fail", message, error: "Gaps" })
  return { check, isIncomplete: true }
}

function conflictFinding(conflicts: ReadonlyArray<OpenConflict>): Finding {
  const name = "conflicts"
  if (conflicts.length === 0) return ok(name, "none is open")
  const hours = [...new Set(conflicts.map(({ hour }) => hour))].join(", ")
  const message = `two versions exist of ${hours}, and a person has to choose`
  const check = SetupCheck.make({ name, state: "fail", message, error: "Conflicts" })
  return { check, kind: "integrity" }
}

const checkStore = Effect.gen(function* () {
  const store = yield* ObjectStorage
  return yield* Effect.gen(function* () {
    yield* store.check
    const first = yield* Stream.runHead(store.list)
    // Reading can need more permissions than looking an object up, for example on a key.
    yield* Effect.transposeMapOption(first, ({ key }) => Stream.runHead(store.get(key)))
    const read = Option.match(first, {
      onNone: () => "empty so far",
      onSome: ({ key }) => `"${key}" can be read`
    })
    return [ok("store", `${store.place}: readable and writable, refuses overwrites; ${read}`)]
  }).pipe(Effect.catchAll((error) => Effect.succeed([failed("store", error)])))
}).pipe(Effect.withSpan("checkSetup.store"))

const INFLATING = {
  used: "by calls inside Node that it does not document, which have passed a test",
  "switched off": "by documented calls only: the faster ones are switched off",
  "not available": "by documented calls only: the faster ones are not available in this runtime"
} as const

/** Says how archives are inflated, which is right either way. */
const checkInflating = Effect.gen(function* () {
  const { undocumentedCalls } = yield* Unpacker
  return [ok("inflating", INFLATING[yield* undocumentedCalls])]
})

const SPOOLING = "work"

/** `archives` is what a run's archives take up in the folder that they are downloaded to. */
const checkFolder = Effect.fn("checkSetup.folder")(function* (
  { name, path, tryOut }: WorkingFolder,
  archives: number
) {
  const found = yield* Effect.either(tryOut)
  if (found._tag === "Left") return [failed(name, found.left)]
  const needed = Math.max(LEAST_SPACE, name === SPOOLING ? archives : 0)
  const free = `${(found.right / 1e9).toFixed(1)} GB free`
  if (found.right >= needed) return [ok(name, `"${path}": writable, ${free}`)]
  const what =
    needed === LEAST_SPACE
      ? "may not be enough for archives"
      : `is not enough for the archives of a catch-up, up to ${(needed / 1e9).toFixed(1)} GB by the lake's largest hour`
  const detail = `${free}, which ${what}; free some space or use a folder on another disk`
  return [failed(name, new FolderError({ reason: "NoSpace", path, detail }))]
})

/** The warehouse, if one is provided: whether it opens, who can read it, and the space beside it. */
const checkWarehouse = Effect.fn("checkSetup.warehouse")(function* (
  isExpected = false
): Effect.fn.Return<ReadonlyArray<Finding>> {
  const name = "warehouse"
  const found = yield* Effect.serviceOption(Warehouse)
  if (Option.isNone(found)) return []
  const { health, open, place } = found.value
  return yield* Effect.gen(function* () {
    const { exposure, free, isThere } = yield* health
    if (!isThere && !isExpected) return []
    const room = Number.isFinite(free) ? `, ${(free / 1e9).toFixed(1)} GB free` : ""
    const failure = (reason: WarehouseError["reason"], detail: string) =>
      new WarehouseError({ reason, method: "open", path: place, detail })
    if (free < LEAST_SPACE) {
      return yield* failure("NoSpace", `${room.slice(2)}, which may not be enough for a load`)
    }
    if (!isThere) return [ok(name, `"${place}" does not exist yet: load makes it${room}`)]
    const loads = yield* Effect.scoped(Effect.flatMap(open("read"), (it) => it.loads))
    if (exposure !== "") return yield* failure("Misconfigured", exposure)
    return [ok(name, `"${place}": ${loads.length} hours loaded${room}`)]
  }).pipe(Effect.catchAll((error) => Effect.succeed([failed(name, error)])))
})
