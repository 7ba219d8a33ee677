import { Effect } from "effect"
import type { SpooledArchive } from "../../services/Spool.ts"
import { type OpenOptions, Unpacker } from "../../services/Unpacker.ts"
import { Run } from "../run/Run.ts"
import { inSpan } from "../run/telemetry.ts"

/** Verifies a whole archive, inside one span. */
export const unpackArchive = Effect.fnUntraced(
  function* (archive: SpooledArchive, options: OpenOptions = {}) {
    const { format } = yield* Run
    const unpacker = yield* Unpacker
    const unpacked = yield* unpacker.open(archive, format, options)
    const hours = [...unpacked.hours.values()]
    yield* Effect.annotateCurrentSpan({
      hours: hours.length,
      events: hours.reduce((sum, { events }) => sum + events, 0)
    })
    return unpacked
  },
  (self, { window, size }) => inSpan("unpack", { window: String(window), bytes: size })(self)
)
