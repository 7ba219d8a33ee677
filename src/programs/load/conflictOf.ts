import type { LoadedHour } from "../../services/Warehouse.ts"
import type { LoadConflict } from "./LoadSummary.ts"
import type { Looked } from "./lookUp.ts"

/** An hour of which store and ledger have different lines. `problems` are those of its object. */
export function conflictOf(
  { hour, objects, row, store }: Pick<Looked, "hour" | "objects" | "row" | "store">,
  prefix: string,
  problems?: ReadonlyArray<string>
): LoadConflict {
  return {
    hour,
    keys: objects.map(({ key }) => prefix + key),
    isUndecided: store._tag === "Several",
    ...(problems !== undefined
      ? { problems }
      : store._tag === "Ours"
        ? { store: linesOf(store.metadata) }
        : {}),
    ...(row === undefined ? {} : { warehouse: linesOf(row) })
  }
}

function linesOf({ events, lineset }: Pick<LoadedHour, "events" | "lineset">) {
  return { events, lineset }
}
