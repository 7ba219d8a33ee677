import { Effect, Option } from "effect"
import { noLines, sameLines } from "../../services/LinesDigest.ts"
import { addressOf, type ObjectHead, ObjectStorage } from "../../services/ObjectStorage.ts"
import type { ExportedHour } from "../fetch/handOver.ts"
import { digestLanded } from "../land/landObject.ts"
import { toLand } from "../land/landMissing.ts"
import { hasReplaced, isRedacted } from "../land/refuseAsConflict.ts"
import { refuseDoubled } from "../land/refuseDoubled.ts"
import type { HourObject, Lake } from "../plan/inventory.ts"
import { carryChoice } from "../resolve/carryDecisions.ts"
import { isResolved } from "../resolve/conflictMarks.ts"
import { objectChanged, replaceObject } from "../resolve/replaceObject.ts"
import { endConflict } from "../resolve/resolveConflict.ts"
import { ResolveError } from "../resolve/ResolveError.ts"
import { Run } from "../run/Run.ts"
import type { RelandedHour } from "./RelandSummary.ts"

/** What became of an hour that Amplitude was asked for again. */
export type Relanded =
  | ({ readonly _tag: "Replaced" } & RelandedHour)
  | { readonly _tag: "Same" | "Redacted" | "Decided" }

export interface RelandHourOptions {
  /** Whether to report what would be replaced. Defaults to `false`. */
  readonly dryRun?: boolean | undefined
  /** Who replaces hours, for the mark that ends a conflict. */
  readonly user: string
}

/**
 * Replaces a landed hour by what Amplitude returns now, if these are other lines: on the condition
 * of its ETag, and the old object is kept. What only a person may decide is refused. An object that
 * another run replaces meanwhile is compared once more.
 */
export const relandHour = Effect.fn("relandHour")(function* (
  exported: ExportedHour,
  lake: Lake,
  options: RelandHourOptions
) {
  const { hour } = exported
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const objects = lake.inventory.get(hour) ?? []
  yield* refuseDoubled(store, objects)
  const { key } = yield* onlyObject(store, objects)
  const look = Effect.flatMap(
    retry(store.head(key)),
    Option.match({
      onNone: () => changed(store, key),
      onSome: (head) => Effect.succeed(head)
    })
  )
  const attempt = (head: ObjectHead) => compareAndReplace(exported, lake, { ...options, head })
  const before = yield* look
  return yield* Effect.catchAll(attempt(before), (error) =>
    Effect.flatMap(look, (now) => (now.etag === before.etag ? Effect.fail(error) : attempt(now)))
  )
})

const compareAndReplace = Effect.fnUntraced(function* (
  exported: ExportedHour,
  lake: Lake,
  { dryRun = false, head, user }: RelandHourOptions & { readonly head: ObjectHead }
) {
  const { hour } = exported
  const { version } = yield* Run
  const store = yield* ObjectStorage
  const { key } = head
  const address = addressOf(store, key)
  const landed = yield* digestLanded(store, [key])
  const ours = Option.getOrElse(exported.unpacked, () => noLines)
  const refused = lake.conflicts.flatMap((it) =>
    it._tag === "Refused" && it.hour === hour ? [it] : []
  )
  const endConflicts = Effect.forEach(
    dryRun ? [] : refused.filter(({ lineset }) => lineset === ours.lineset),
    (it) => endConflict(it, { keep: "ours", user }),
    { discard: true }
  )
  if (sameLines(landed, ours)) {
    yield* endConflicts
    return { _tag: "Same" } satisfies Relanded
  }
  if (isRedacted(head)) {
    if (hasReplaced(head, ours)) return { _tag: "Redacted" } satisfies Relanded
    return yield* new ResolveError({
      reason: "Redacted",
      detail: `a person's events were removed from "${address}", and what Amplitude returns now may still contain them`
    })
  }
  if (yield* isResolved(store, { hour, ours, objects: [head] })) {
    return { _tag: "Decided" } satisfies Relanded
  }
  const other = refused.find(({ lineset }) => lineset !== ours.lineset)
  if (other !== undefined) {
    return yield* new ResolveError({
      reason: "OtherVersion",
      detail: `Amplitude now returns ${ours.events} events, lineset ${ours.lineset}, for ${hour}, whose open conflict is about lineset ${other.lineset}`
    })
  }
  if (Option.isNone(exported.unpacked) || ours.events === 0) {
    return yield* new ResolveError({
      reason: "Emptied",
      detail: `Amplitude returns no events for ${hour} now, and "${address}" has ${landed.events}`
    })
  }
  const found = {
    hour,
    object: address,
    before: { events: landed.events, lineset: landed.lineset },
    after: { events: ours.events, lineset: ours.lineset }
  }
  if (dryRun) return { _tag: "Replaced", ...found, replaced: null } satisfies Relanded
  const target = toLand(exported, exported.unpacked.value, key, version)
  const replaced = yield* replaceObject(store, head, target).pipe(
    Effect.catchTag("ResolveError", () => changed(store, key))
  )
  const choice = lake.superseded.find((it) => it.hour === hour)
  if (choice !== undefined) yield* carryChoice(store, choice)
  yield* endConflicts
  yield* Effect.logInfo(`Replaced "${key}": ${ours.events} events in the place of ${landed.events}`)
  return { _tag: "Replaced", ...found, replaced } satisfies Relanded
})

/** The object that can take an hour's new lines. */
const onlyObject = Effect.fnUntraced(function* (
  store: ObjectStorage["Type"],
  objects: ReadonlyArray<HourObject>
) {
  const [object, ...others] = objects
  // What another pipeline wrote under Amplitude's part names counts as one of several files.
  if (object !== undefined && others.length === 0 && object.form !== "parts") return object
  const addresses = objects.map(({ key }) => addressOf(store, key)).join('" and "')
  return yield* new ResolveError({
    reason: "SeveralObjects",
    detail: `"${addresses}" hold the hour under Amplitude's part names, and no single object can replace them`
  })
})

function changed(store: ObjectStorage["Type"], key: string): ResolveError {
  const { reason } = objectChanged(store, key)
  return new ResolveError({
    reason,
    detail: `"${addressOf(store, key)}" changed while it was compared with what Amplitude returns; run again`
  })
}
