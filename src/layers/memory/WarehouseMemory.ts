import { randomUUID } from "node:crypto"
import { Effect, Layer, Option } from "effect"
import { byHour, type Hour } from "../../services/Hour.ts"
import {
  type CalendarHour,
  type HourToLoad,
  LoadedHour,
  type OpenWarehouse,
  type ReferenceList,
  Warehouse,
  WarehouseError,
  type WarehouseLake
} from "../../services/Warehouse.ts"
import { storeLines, sumLines } from "../duckdb/storedLines.ts"

const PLACE = "memory"

interface Memory {
  exists: boolean
  isOpen: boolean
  lake: Option.Option<WarehouseLake>
  readonly loads: Map<Hour, LoadedHour>
  readonly lines: Map<Hour, ReadonlyArray<string>>
  /** By date and stream. */
  readonly lists: Map<
    string,
    { readonly row: ReferenceList; readonly entries: ReadonlyArray<string> }
  >
  calendar: ReadonlyArray<CalendarHour>
}

function failure(
  reason: WarehouseError["reason"],
  method: WarehouseError["method"],
  detail: string
): WarehouseError {
  return new WarehouseError({ reason, method, path: PLACE, detail })
}

const loadHour = Effect.fnUntraced(function* <E, R>(
  { lines, loads }: Memory,
  { read, replaces, row }: HourToLoad<E, R>
): Effect.fn.Return<LoadedHour, WarehouseError | E, R> {
  const { hour } = row
  const checkLedger = Effect.suspend(() =>
    loads.get(hour)?.loadId === replaces
      ? Effect.void
      : Effect.fail(failure("Changed", "load", `${hour} was loaded or removed in between`))
  )
  yield* checkLedger
  const texts: Array<string> = []
  const stored = storeLines((line) => texts.push(line.toString()))
  yield* read((bytes) => Effect.sync(() => stored.update(bytes)))
  yield* checkLedger
  const { events, lineset, storedLineset } = stored.finish()
  if (events !== row.events || lineset !== row.lineset) {
    const detail = `the ${events} lines of ${hour} with lineset ${lineset} are not the ${row.events} with lineset ${row.lineset} that were announced`
    return yield* failure("Differs", "load", detail)
  }
  const loaded = new LoadedHour({ ...row, storedLineset, loadId: randomUUID() })
  loads.set(hour, loaded)
  lines.set(hour, texts)
  return loaded
})

function openMemory(memory: Memory, to: "load" | "read"): OpenWarehouse {
  const writing = <A, E, R>(work: Effect.Effect<A, E, R>) =>
    to === "load"
      ? work
      : Effect.fail(failure("Failed", "load", "it was opened to be read, and cannot be changed"))
  return {
    lake: Effect.sync(() => memory.lake),
    claim: ({ place, project }) =>
      writing(
        Effect.sync(() => {
          const known = Option.flatMap(memory.lake, (lake) => lake.project)
          memory.lake = Option.some({ place, project: Option.orElse(project, () => known) })
        })
      ),
    loads: Effect.sync(() => [...memory.loads.values()].sort(byHour)),
    storedHours: Effect.sync(() =>
      [...memory.lines].flatMap(([hour, lines]) => (lines.length > 0 ? [hour] : [])).sort()
    ),
    digestOf: (hour) =>
      Effect.sync(() => {
        const lines = sumLines()
        for (const line of memory.lines.get(hour) ?? []) lines.add(Buffer.from(line))
        return { ...lines.finish(), isNumbered: true }
      }),
    query: () => Effect.fail(failure("Misconfigured", "query", "a warehouse in memory has no SQL")),
    load: (hour) =>
      Effect.uninterruptibleMask((restore) =>
        writing(loadHour(memory, { ...hour, read: (append) => restore(hour.read(append)) }))
      ),
    build: () => Effect.fail(failure("Misconfigured", "build", "a warehouse in memory has no SQL")),
    setIpRanges: () =>
      Effect.fail(failure("Misconfigured", "build", "a warehouse in memory has no models")),
    relabel: (loadId, names) =>
      writing(
        Effect.sync(() => {
          for (const [hour, it] of memory.loads) {
            if (it.loadId === loadId) memory.loads.set(hour, new LoadedHour({ ...it, ...names }))
          }
        })
      ),
    lists: Effect.sync(() =>
      [...memory.lists].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, { row }]) => row)
    ),
    loadList: (row, entries) =>
      writing(
        Effect.sync(() => {
          memory.lists.set(`${row.date}/${row.stream}`, { row, entries })
        })
      ),
    setCalendar: (hours) =>
      writing(
        Effect.sync(() => {
          memory.calendar = hours
        })
      )
  }
}

/** The service, and what is in it. For tests. */
export const makeTest = Effect.sync(() => {
  const memory: Memory = {
    exists: false,
    isOpen: false,
    lake: Option.none(),
    loads: new Map(),
    lines: new Map(),
    lists: new Map(),
    calendar: []
  }
  const service = Warehouse.of({
    place: PLACE,
    health: Effect.sync(() => ({ isThere: memory.exists, free: Infinity, exposure: "" })),
    open: (to) =>
      Effect.acquireRelease(
        Effect.suspend(() => {
          if (memory.isOpen) return Effect.fail(failure("Busy", "open", "it is open already"))
          if (!memory.exists && to === "read") {
            return Effect.fail(failure("NotFound", "open", "nothing was loaded yet"))
          }
          memory.exists = true
          memory.isOpen = true
          return Effect.succeed(openMemory(memory, to))
        }),
        () =>
          Effect.sync(() => {
            memory.isOpen = false
          })
      )
  })
  return {
    service,
    /** The lines of each loaded hour. */
    lines: memory.lines,
    /** The entries of each loaded list, by date and stream. */
    lists: memory.lists,
    calendar: Effect.sync(() => memory.calendar)
  }
})

/** Keeps what is loaded in memory, and refuses what a real warehouse refuses. It ends with the layer. */
export function make(): Effect.Effect<Warehouse["Type"]> {
  return Effect.map(makeTest, ({ service }) => service)
}

/**
 * @example
 * ```ts
 * import * as WarehouseMemory from "amplitude-lake/layers/WarehouseMemory"
 *
 * export const warehouse = WarehouseMemory.layer()
 * ```
 */
export function layer(): Layer.Layer<Warehouse> {
  return Layer.effect(Warehouse, make())
}
