import * as fs from "node:fs/promises"
import { Effect, Option, type Scope } from "effect"
import type { UnpackerError } from "../../services/Unpacker.ts"
import { attempt, closeFile, type FileFailure } from "../disk/files.ts"
import type { HourDigest } from "./hourDigest.ts"
import type { DraftedHour } from "./makeUnpacker.ts"

/**
 * Digests an hour and has its object written to a draft, which is flushed to disk then. A draft that
 * cannot be written stays empty: whoever lands the hour writes it then, and meets the same error.
 */
export const writeDraft = (
  draft: Effect.Effect<Option.Option<string>, never, Scope.Scope>,
  digest: (file: number | undefined) => Effect.Effect<HourDigest, UnpackerError>
): Effect.Effect<DraftedHour, UnpackerError, Scope.Scope> =>
  Effect.acquireUseRelease(
    Effect.flatMap(draft, Effect.transposeMapOption(open)).pipe(
      Effect.catchAll(giveUp),
      Effect.map(Option.getOrUndefined)
    ),
    Effect.fnUntraced(function* (file) {
      const { unwritten, ...hour } = yield* digest(file?.handle.fd)
      if (file === undefined) return hour
      const { handle, path } = file
      const written: Effect.Effect<void, Pick<FileFailure, "detail">> = unwritten === undefined
        ? attempt(() => handle.sync())
        : Effect.fail({ detail: unwritten })
      return yield* written.pipe(
        Effect.as({ ...hour, draft: path }),
        Effect.tapError(() => Effect.ignore(attempt(() => handle.truncate(0)))),
        Effect.catchAll((failure) => Effect.as(giveUp(failure), hour))
      )
    }),
    (file) => (file === undefined ? Effect.void : closeFile(file.handle))
  )

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
