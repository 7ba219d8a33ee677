import * as fs from "node:fs/promises"
import { Effect, Option, type Scope } from "effect"
import type { UnpackerError } from "../../services/Unpacker.ts"
import { attempt, closeFile, type FileFailure } from "../disk/files.ts"
import type { HourDigest } from "./hourDigest.ts"
import type { DraftedHour } from "./makeUnpacker.ts"

/**
 * Digests an hour, has its object written to a draft meanwhile, and flushes it. A draft that cannot be
 * written stays empty: the hour is written when it lands, and meets the same error there.
 */
export const digestToDraft = (
  draft: Effect.Effect<Option.Option<string>, never, Scope.Scope>,
  digest: (file: string | undefined) => Effect.Effect<HourDigest, UnpackerError>
): Effect.Effect<DraftedHour, UnpackerError, Scope.Scope> =>
  Effect.acquireUseRelease(
    Effect.flatMap(draft, Effect.transposeMapOption(open)).pipe(
      Effect.catchAll(giveUp),
      Effect.map(Option.getOrUndefined)
    ),
    Effect.fnUntraced(function* (file) {
      if (file === undefined) return yield* digest(undefined)
      const { handle, path } = file
      const empty = Effect.ignore(attempt(() => handle.truncate(0)))
      const { whyUnwritten, ...hour } = yield* Effect.onError(digest(path), () => empty)
      const written: Effect.Effect<void, Pick<FileFailure, "detail">> = whyUnwritten === undefined
        ? attempt(() => handle.sync())
        : Effect.fail({ detail: whyUnwritten })
      return yield* written.pipe(
        Effect.as({ ...hour, draft: path }),
        Effect.tapError(() => empty),
        Effect.catchAll((failure) => Effect.as(giveUp(failure), hour))
      )
    }),
    (file) => (file === undefined ? Effect.void : closeFile(file.handle))
  )

// The descriptor stays in this thread, since other threads of Deno do not know it. Open before anything is
// written, it learns of every error of the disk when it is flushed.
const open = (path: string) =>
  Effect.map(
    attempt(() => fs.open(path, "r+")),
    (handle) => ({ handle, path })
  )

const giveUp = ({ detail }: Pick<FileFailure, "detail">) =>
  Effect.as(
    Effect.logDebug(`Cannot write an hour ahead of its landing: ${detail}`),
    Option.none<never>()
  )
