import { Effect, Option, Stream } from "effect"
import { metadataFromText } from "../../services/HourMetadata.ts"
import { addressOf, ObjectStorage } from "../../services/ObjectStorage.ts"
import { Staging } from "../../services/Staging.ts"
import { FAILED_UPLOADS } from "../land/refuseAsConflict.ts"
import { takeInventory } from "../plan/inventory.ts"
import { originOf, stagedForLake, takeStaging } from "../plan/stagedHours.ts"
import { Run } from "../run/Run.ts"
import { asStep, Redaction } from "./Redaction.ts"
import { redactObject } from "./redactObject.ts"

const OTHER_LAKE = "it is another lake's, so it was not searched"

/** Searches this lake's staged hours on this machine, and the copies of those that were refused. */
export const redactStaging = Effect.fn("redactStaging")(function* () {
  const { retry } = yield* Run
  const { tally } = yield* Redaction
  const store = yield* ObjectStorage
  const staging = yield* Staging
  const skip = (key: string, message: string) =>
    void tally.unsearched.push({ path: addressOf(staging, key), message })
  const found = yield* takeStaging()
  const { foreign, others, staged } = yield* stagedForLake(
    found,
    yield* retry(takeInventory(store))
  )
  for (const key of foreign.values()) skip(key, "it was not created by this program")
  for (const key of others.keys()) skip(key, OTHER_LAKE)
  yield* Effect.forEach(
    [...staged.values()].flat(),
    ({ format, hour, key }) =>
      asStep(
        addressOf(staging, key),
        redactObject(staging, { key, format, hour, place: "staged" })
      ),
    { discard: true }
  )
  const listed = yield* retry(Stream.runCollect(staging.list))
  for (const { key } of [...listed].filter((it) => it.key.startsWith(FAILED_UPLOADS))) {
    const head = yield* retry(staging.head(key))
    if (Option.isNone(head)) continue
    const { metadata } = head.value
    if (originOf(metadata).lake !== store.location) {
      skip(key, OTHER_LAKE)
      continue
    }
    const hour = Option.getOrUndefined(metadataFromText(metadata))?.hour
    const format = key.endsWith(".gz") ? "jsonl.gz" : "jsonl"
    yield* asStep(
      addressOf(staging, key),
      redactObject(staging, { key, format, hour, place: "refused" })
    )
  }
})
