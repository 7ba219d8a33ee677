import { Effect, Option, Stream } from "effect"
import { Clock } from "../../services/Clock.ts"
import { DAY } from "../../services/Hour.ts"
import { hourOfKey } from "../../services/HourKey.ts"
import type { ObjectStorage } from "../../services/ObjectStorage.ts"
import {
  type CleanOptions,
  failedLeftover,
  type Leftover,
  removing,
  type LeftoverId
} from "./Leftover.ts"
import { Run } from "../run/Run.ts"

/**
 * Aborts unfinished uploads: those of dead runs and, with `abortUploads`, those without activity
 * for a day.
 */
export const cleanUploads = Effect.fn("cleanUploads")(function* (
  place: ObjectStorage["Type"],
  options: CleanOptions
): Effect.fn.Return<ReadonlyArray<Leftover>, never, Clock | Run> {
  const { abortUploads = false } = options
  const { retry } = yield* Run
  const { unfinished } = place
  if (unfinished === undefined) return []
  const since = (yield* Effect.flatMap(Clock, (clock) => clock.now)) - DAY
  const found = yield* retry(Stream.runCollect(unfinished.list(since))).pipe(
    Effect.catchAll((error) =>
      // Listing uploads needs a permission that only `abortUploads` requires.
      !abortUploads && error.reason === "AccessDenied"
        ? Effect.as(
            Effect.logWarning(`Could not look for unfinished uploads: ${error.message}`),
            []
          )
        : Effect.succeed([failedLeftover({ kind: "upload", path: place.place, size: 0 }, error)])
    )
  )
  // Other programs may be uploading unrelated objects here, especially with an empty prefix.
  const uploads = [...found].filter(
    (it) => "fate" in it || it.key === undefined || Option.isSome(hourOfKey(it.key))
  )
  return yield* Effect.forEach(uploads, (upload) => {
    if ("fate" in upload) return Effect.succeed(upload)
    const { isOrphan, path, size, touched } = upload
    const what: LeftoverId = { kind: "upload", path, size }
    if (!isOrphan && !abortUploads) {
      const detail = `no activity since ${new Date(touched).toISOString().slice(0, 16)}Z`
      return Effect.succeed<Leftover>({ ...what, fate: "kept", detail })
    }
    const detail = isOrphan ? "left by a run that has ended" : "no activity for a day"
    return removing(what, detail, options, retry(unfinished.abort(upload)))
  })
})
