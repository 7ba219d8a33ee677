import { Clock as EffectClock, Effect, Option, Ref, Scope } from "effect"
import { Amplitude, AmplitudeError } from "../../services/Amplitude.ts"
import { Clock } from "../../services/Clock.ts"
import { Progress } from "../../services/Progress.ts"
import { Spool, type SpooledArchive, type SpoolError } from "../../services/Spool.ts"
import type {
  OpenOptions,
  UnpackedArchive,
  Unpacker,
  UnpackerError
} from "../../services/Unpacker.ts"
import type { Window } from "../../services/Window.ts"
import { clockSkew, skewText, type TimedAnswer } from "./clockSkew.ts"
import { countBytes } from "../run/countBytes.ts"
import { Run } from "../run/Run.ts"
import { inSpanEach } from "../run/telemetry.ts"
import { unpackArchive } from "./unpackArchive.ts"

/** A verified archive, and the spooled file behind it. */
export interface OpenArchive {
  readonly spooled: SpooledArchive
  readonly unpacked: UnpackedArchive
}

/** Amplitude's answer for one window. */
export interface Answer {
  /**
   * The earliest time that the answer can reflect, by this machine's clock and by Amplitude's, in
   * milliseconds since 1970.
   */
  readonly askedAt: number
  /** `None` if Amplitude has, or reports, no events in the window. */
  readonly archive: Option.Option<OpenArchive>
}

/** How often a window is requested whose archive is broken. */
const BROKEN_ARCHIVE_TRIES = 3

/**
 * Whether two smaller requests may succeed where this one failed: of an archive whose directory is
 * bad, the hours of one half may be fine.
 */
export function isWorthHalving(
  error: AmplitudeError | UnpackerError | { readonly _tag: "SpoolError" | "LandingError" }
): boolean {
  // An error page in place of an archive says nothing about its directory.
  if (error._tag === "UnpackerError") {
    return error.reason !== "Unreadable" && error.reason !== "NotZip"
  }
  return error._tag === "AmplitudeError" && isTooMuch(error)
}

/** Whether Amplitude reports that the window is too large, or its gateway timed out. */
export function isTooMuch(error: AmplitudeError): boolean {
  return error.reason === "TooLarge" || error.reason === "GatewayTimeout"
}

/**
 * Verifies a spooled archive, and flushes it meanwhile. Drops it if either fails, unless it could not
 * be read.
 */
export const openArchive = Effect.fn("openArchive")(function* (
  spooled: SpooledArchive,
  options: OpenOptions = {}
): Effect.fn.Return<OpenArchive, UnpackerError | SpoolError, Run | Unpacker | Spool | Scope.Scope> {
  const { gate } = yield* Run
  const spool = yield* Spool
  const unpacking = gate.unpackings.withPermits(1)(unpackArchive(spooled, options))
  const unpacked = yield* Effect.zipLeft(unpacking, spool.flush(spooled), {
    concurrent: true
  }).pipe(
    Effect.tapError((error) =>
      error.reason === "Unreadable"
        ? Effect.void
        : Effect.catchAll(spool.drop(spooled), (failure) => Effect.logWarning(failure.message))
    )
  )
  return { spooled, unpacked }
})

interface AskOptions extends Pick<OpenOptions, "draftFor"> {
  /** How often it is requested if its archives are broken. Defaults to 3. */
  readonly tries?: number | undefined
}

/**
 * Requests a window until its archive is in the spool and verified, or retrying cannot help. Of the
 * last of `tries` archives, all hours count of which no part was refused. The archive can be read
 * while the scope is open.
 */
export const askForWindow = Effect.fn("askForWindow")(function* (
  window: Window,
  { draftFor, tries = BROKEN_ARCHIVE_TRIES }: AskOptions = {}
): Effect.fn.Return<
  Answer,
  AmplitudeError | UnpackerError | SpoolError,
  Amplitude | Clock | Run | Spool | Unpacker | Scope.Scope
> {
  const { retry } = yield* Run
  let broken = 0
  const asRequest = inSpanEach("request", { window: String(window) })
  const attempt = Effect.flatMap(download(window, asRequest), ({ askedAt, spooled }) =>
    Effect.map(
      Effect.transposeMapOption(spooled, (archive) =>
        openArchive(archive, { draftFor, salvage: broken + 1 >= tries })
      ),
      (archive): Answer => ({ askedAt, archive })
    )
  )
  return yield* retry(attempt, {
    while: (error) => {
      switch (error._tag) {
        case "AmplitudeError":
          return error.isTransient && !(window.length > 1 && isTooMuch(error))
        case "UnpackerError":
          broken += 1
          return error.reason !== "Unreadable" && broken < tries
        case "SpoolError":
          return error.isTransient
      }
    }
  })
})

/**
 * Makes one request and saves its answer in the spool. The connection closes when this returns; the
 * archive belongs to the caller's scope.
 */
const download = Effect.fn("askForWindow.download")(function* (
  window: Window,
  asRequest: ReturnType<typeof inSpanEach>
) {
  const { gate } = yield* Run
  const amplitude = yield* Amplitude
  const clock = yield* Clock
  const spool = yield* Spool
  const held = yield* Effect.scope
  const progress = yield* Progress

  const request = Effect.gen(function* () {
    const refused = yield* Ref.get(gate.refusal)
    if (Option.isSome(refused)) {
      return yield* new AmplitudeError({ ...refused.value, window })
    }
    const asked = yield* clock.now
    const sent = yield* EffectClock.currentTimeMillis
    yield* Effect.logInfo(`Exporting ${window} from Amplitude`)
    const answer = yield* amplitude.export(window)
    const answered = yield* EffectClock.currentTimeMillis
    yield* warnOfSkew({ date: answer.date, sent, answered })
    const askedAt = Option.match(answer.date, {
      onNone: () => asked,
      // This machine's clock may have been set back since.
      onSome: (date) => Math.min(asked, date - Math.max(0, answered - sent))
    })
    const spooled = yield* Effect.transposeMapOption(answer.archive, ({ bytes, size }) =>
      Scope.extend(
        spool.save(
          { identity: amplitude.identity, window, askedAt },
          countBytes(bytes, progress.received),
          size
        ),
        held
      )
    )
    const bytes = Option.match(spooled, { onNone: () => 0, onSome: ({ size }) => size })
    yield* Effect.annotateCurrentSpan("bytes", bytes)
    return { askedAt, spooled }
  })
  return yield* request.pipe(
    Effect.tapErrorTag("AmplitudeError", (error) =>
      error.reason === "Unauthorized" || error.reason === "Forbidden"
        ? Ref.set(gate.refusal, Option.some(error))
        : Effect.void
    ),
    Effect.scoped,
    asRequest,
    gate.requests.withPermits(1)
  )
})

const warnOfSkew = Effect.fnUntraced(function* (answer: TimedAnswer) {
  const { gate } = yield* Run
  const text = Option.flatMap(clockSkew(answer), skewText)
  if (Option.isNone(text)) return
  if (yield* Ref.getAndSet(gate.isSkewSaid, true)) return
  yield* Effect.logWarning(text.value)
})
