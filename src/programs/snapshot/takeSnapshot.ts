import { Effect, Option, Stream } from "effect"
import {
  Amplitude,
  AmplitudeError,
  ReferenceStream,
  referenceStreams
} from "../../services/Amplitude.ts"
import { Clock } from "../../services/Clock.ts"
import { referenceKey } from "../../services/LakeMark.ts"
import { addressOf, type ObjectHead, ObjectStorage } from "../../services/ObjectStorage.ts"
import { exitCodeOf } from "../run/exitCode.ts"
import { errorName, failureKind, type RunError } from "../run/failureKind.ts"
import type { FailureKind } from "../run/HourOutcome.ts"
import { LandingError } from "../run/LandingError.ts"
import type { RetryOptions } from "../run/retryPolicy.ts"
import { asRun, Run } from "../run/Run.ts"
import { sha256Of } from "../run/sha256Of.ts"
import { entriesIn } from "./listEntries.ts"
import { type List, Snapshot } from "./Snapshot.ts"

export interface SnapshotOptions extends RetryOptions {
  /** Program version written into the metadata. Defaults to that of this package. */
  readonly version?: string | undefined
}

/**
 * Stores Amplitude's lists of events, cohorts and annotations as they are, one object each for the
 * UTC day. A day has each list once: what is there is neither requested nor replaced. A list that
 * fails stops no other.
 */
export const takeSnapshot = Effect.fn("takeSnapshot")(
  function* (_options: SnapshotOptions = {}) {
    const { retry } = yield* Run
    const store = yield* ObjectStorage
    const now = yield* Effect.flatMap(Clock, (clock) => clock.now)
    const date = new Date(now).toISOString().slice(0, 10)
    const standing = yield* Effect.forEach(ReferenceStream.literals, (stream) => {
      const key = referenceKey(date, stream)
      return Effect.map(retry(store.head(key)), (head) => ({ stream, key, head }))
    })
    if (standing.some(({ head }) => Option.isNone(head))) yield* retry(store.check)
    const kinds = new Set<FailureKind>()
    const lists = yield* Effect.forEach(standing, ({ head, key, stream }) =>
      Option.isSome(head)
        ? Effect.succeed(presentList(stream, key, head.value))
        : storeList(stream, key, now).pipe(
            Effect.catchAll((error: RunError) => {
              kinds.add(failureKind(error))
              const { message } = error
              const failed: List = {
                stream,
                key,
                state: "failed",
                error: errorName(error),
                message
              }
              return Effect.as(Effect.logError(message), failed)
            })
          )
    )
    const isDone = lists.some(({ state }) => state !== "failed")
    return new Snapshot({ date, lists, exitCode: exitCodeOf({ kinds, isDone, isTouched: true }) })
  },
  (self, options) => asRun(self, options)
)

function presentList(stream: ReferenceStream, key: string, { metadata, size }: ObjectHead): List {
  const records = /^\d{1,15}$/.test(metadata["records"] ?? "")
    ? Number(metadata["records"])
    : undefined
  return {
    stream,
    key,
    state: "present",
    size,
    ...(records === undefined ? {} : { records }),
    ...(metadata["sha256"] === undefined ? {} : { sha256: metadata["sha256"] })
  }
}

const storeList = Effect.fn("takeSnapshot.storeList")(function* (
  stream: ReferenceStream,
  key: string,
  now: number
) {
  const { retry, version } = yield* Run
  const store = yield* ObjectStorage
  const { reference } = yield* Amplitude
  if (reference === undefined) {
    const detail = "this source has none"
    return yield* new AmplitudeError({ reason: "Rejected", stream, detail })
  }
  const { bytes, records } = yield* retry(
    Effect.flatMap(reference(stream), (it) => judged(stream, it))
  )
  const sha256 = yield* sha256Of(bytes)
  const size = bytes.length
  const time = new Date(now).toISOString()
  const metadata = { stream, records: String(records), sha256, time, version }
  const body = Stream.make(bytes)
  const isNew = yield* retry(store.put({ key, size, sha256, metadata, body }))
  const head = yield* retry(store.head(key))
  if (!isNew && Option.isSome(head)) return presentList(stream, key, head.value)
  if (!Option.exists(head, (it) => it.size === size && it.metadata["sha256"] === sha256)) {
    return yield* new LandingError({
      reason: "NotVerified",
      detail: `"${addressOf(store, key)}" does not match what was uploaded; inspect it, delete it and run again`
    })
  }
  yield* Effect.logInfo(`Stored ${records} ${stream} in "${addressOf(store, key)}"`)
  return { stream, key, state: "stored", records, size, sha256 } satisfies List
})

/** The bytes, if they are a list. An error page of a proxy is worth another request. */
function judged(stream: ReferenceStream, bytes: Uint8Array) {
  const records = entriesIn(bytes, referenceStreams[stream].field)?.length
  return records === undefined
    ? new AmplitudeError({
        reason: "Unavailable",
        stream,
        detail: `the answer is no JSON with a list under "${referenceStreams[stream].field}"; if it stays so, check for a proxy on the way`
      })
    : Effect.succeed({ bytes, records })
}
