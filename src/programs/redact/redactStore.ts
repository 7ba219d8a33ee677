import { Effect, Option, Stream } from "effect"
import type { Hour } from "../../services/Hour.ts"
import { hourOfKey } from "../../services/HourKey.ts"
import { isLakeKey, keyBeforeReplaced } from "../../services/LakeMark.ts"
import { addressOf, type ObjectInfo, ObjectStorage } from "../../services/ObjectStorage.ts"
import { Progress } from "../../services/Progress.ts"
import { type HourObject, type Lake, takeLake } from "../plan/inventory.ts"
import { carryChoice, carryRefusals } from "../resolve/carryDecisions.ts"
import { Run } from "../run/Run.ts"
import { asStep, Redaction } from "./Redaction.ts"
import { redactObject, type Searched } from "./redactObject.ts"

/** Listings of one redaction that removes lines: other runs may land or replace hours meanwhile. */
const ROUNDS = 4

/** What was searched, by key: the ETag that the object had then. */
type Done = Map<string, string>

/**
 * Searches every object of an hour in the store, and what was replaced. Where lines are removed, the
 * store is listed again until nothing is new: hours first, because a run that replaces one keeps the
 * old object before.
 */
export const redactStore = Effect.fn("redactStore")(function* () {
  const { retry } = yield* Run
  const { isApplied, tally } = yield* Redaction
  const store = yield* ObjectStorage
  const done: Done = new Map()
  const isNew = ({ etag, key }: ObjectInfo) => done.get(key) !== etag
  for (let round = 1; round <= (isApplied ? ROUNDS : 1); round++) {
    const lake = yield* retry(takeLake(store))
    const hours = [...hoursOf(lake)].filter(([, objects]) => objects.some(isNew)).sort()
    yield* redactHours(lake, hours, done)
    const { others, replaced } = yield* listBeside
    const left = replaced.filter(isNew)
    yield* redactReplaced(left, done)
    if (round === 1) {
      for (const { key } of others) {
        const message = "it is no hour's, so it was not searched"
        tally.unsearched.push({ path: addressOf(store, key), message })
      }
    }
    if (hours.length + left.length === 0 || tally.postponed > 0) return
  }
})

/** Every object of each hour, also those that a person has chosen another one over. */
function hoursOf({ inventory, superseded }: Lake): ReadonlyMap<Hour, ReadonlyArray<HourObject>> {
  const hours = new Map(inventory)
  for (const { hour, kept, objects } of superseded) hours.set(hour, [...kept, ...objects])
  return hours
}

const redactHours = Effect.fn("redactStore.hours")(function* (
  lake: Lake,
  hours: ReadonlyArray<readonly [Hour, ReadonlyArray<HourObject>]>,
  done: Done
) {
  const { concurrency } = yield* Run
  const store = yield* ObjectStorage
  const progress = yield* Progress
  progress.planned(hours.length)
  yield* Effect.forEach(
    hours,
    ([hour, objects]) =>
      asStep(
        objects.map(({ key }) => addressOf(store, key)).join(" and "),
        Effect.gen(function* () {
          for (const { etag, key } of objects) done.set(key, etag)
          let isRewritten = false
          for (const { format, key } of objects) {
            const searched = { key, format, hour, place: "store" } as const
            isRewritten = (yield* search(searched, done)) || isRewritten
          }
          if (isRewritten) yield* carryDecisions(lake, hour)
        })
      ).pipe(Effect.annotateLogs({ hour })),
    { concurrency, discard: true }
  )
})

const search = Effect.fnUntraced(function* (object: Searched, done: Done) {
  const store = yield* ObjectStorage
  const { etag, isRewritten } = yield* redactObject(store, object)
  done.set(object.key, etag)
  return isRewritten
})

/** What people decided about an hour names its objects by their ETags. */
const carryDecisions = Effect.fnUntraced(function* (lake: Lake, hour: Hour) {
  const store = yield* ObjectStorage
  const choice = lake.superseded.find((it) => it.hour === hour)
  if (choice !== undefined) yield* carryChoice(store, choice)
  yield* carryRefusals(store, lake, { hour, objects: lake.inventory.get(hour) ?? [] })
})

const redactReplaced = Effect.fn("redactStore.replaced")(function* (
  objects: ReadonlyArray<ObjectInfo>,
  done: Done
) {
  const { concurrency } = yield* Run
  const store = yield* ObjectStorage
  const progress = yield* Progress
  progress.planned(objects.length, "objects")
  yield* Effect.forEach(
    objects,
    ({ etag, key }) => {
      const before = Option.getOrElse(keyBeforeReplaced(key), () => key)
      const format = before.endsWith(".gz") ? "jsonl.gz" : "jsonl"
      const hour = Option.getOrUndefined(Option.map(hourOfKey(before), (it) => it.hour))
      done.set(key, etag)
      return asStep(addressOf(store, key), search({ key, format, hour, place: "replaced" }, done))
    },
    { concurrency, discard: true }
  )
})

/** What a store has beside its hours and marks. */
const listBeside = Effect.gen(function* () {
  const { retry } = yield* Run
  const store = yield* ObjectStorage
  const replaced: Array<ObjectInfo> = []
  const others: Array<ObjectInfo> = []
  yield* retry(
    Effect.suspend(() => {
      replaced.length = 0
      others.length = 0
      return Stream.runForEach(store.list, (info) =>
        Effect.sync(() => {
          if (Option.isSome(keyBeforeReplaced(info.key))) replaced.push(info)
          else if (info.size > 0 && !isLakeKey(info.key) && Option.isNone(hourOfKey(info.key))) {
            others.push(info)
          }
        })
      )
    })
  )
  return { replaced, others }
})
