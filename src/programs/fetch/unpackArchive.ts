import { Effect } from "effect"
import type { Format } from "../../services/HourKey.ts"
import type { SpooledArchive } from "../../services/Spool.ts"
import { Unpacker } from "../../services/Unpacker.ts"
import { inSpan } from "../run/telemetry.ts"

/** Reads and checks an archive whole, as one span. */
export const unpackArchive = Effect.fnUntraced(
  function* (archive: SpooledArchive, format: Format) {
    const unpacked = yield* (yield* Unpacker).open(archive, format)
    const hours = [...unpacked.hours.values()]
    yield* Effect.annotateCurrentSpan({
      hours: hours.length,
      events: hours.reduce((sum, { events }) => sum + events, 0)
    })
    return unpacked
  },
  (self, { window, size }) => inSpan("unpack", { window: String(window), bytes: size })(self)
)
