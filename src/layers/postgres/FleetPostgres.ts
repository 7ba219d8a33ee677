import { Effect, Layer, Option, type ParseResult, type Redacted, Schema } from "effect"
import { Fleet, FleetError, type FleetLake, type TakenWindow } from "../../services/Fleet.ts"
import { Hour } from "../../services/Hour.ts"
import { Window } from "../../services/Window.ts"
import { connect, type Connection, placeOf } from "./connection.ts"
import * as tables from "./tables.ts"

export interface FleetPostgresOptions {
  /** Such as `postgres://user:password@host/database`. It must lead to the server itself: a pool between gives a lane's locks to others. */
  readonly url: Redacted.Redacted
}

const Standing = Schema.Struct({
  first: Hour,
  last: Hour,
  stopped: Schema.Boolean,
  windows: Schema.Int,
  running: Schema.Int,
  done: Schema.Int,
  hours: Schema.Int,
  hours_done: Schema.Int,
  workers: Schema.Int
})
const Taken = Schema.Struct({
  backfill: Schema.String,
  first: Hour,
  last: Hour,
  turn: Schema.Int,
  location: Schema.String
})

/** How often a lane makes sure that it still has its session. */
const BEAT = "5 seconds"

export function make({ url }: FleetPostgresOptions): Effect.Effect<Fleet["Type"]> {
  return Effect.sync(() => {
    const place = placeOf(url)
    let isReady = false
    const open = Effect.gen(function* () {
      const connection = yield* connect(url)
      if (!isReady) yield* prepare(connection, place)
      isReady = true
      return connection
    })
    const rows: Connection["rows"] = (...query) =>
      Effect.scoped(Effect.flatMap(open, (connection) => connection.rows(...query)))

    return Fleet.of({
      place,
      submit: ({ dates, lanes, location, source, whole, windows }) =>
        Effect.map(
          rows("submit", tables.SUBMIT, [
            location,
            source,
            dates,
            whole.first,
            whole.last,
            lanes,
            windows.map(({ first }) => first),
            windows.map(({ last }) => last),
            windows.map(({ length }) => length)
          ]),
          idOf
        ),
      find: ({ dates, location, source }) =>
        Effect.map(rows("look at", tables.FIND, [location, source, dates]), idOf),
      standing: (backfill) =>
        Effect.flatMap(rows("look at", tables.STANDING, [backfill]), ([row]) =>
          row === undefined
            ? Effect.fail(
                new FleetError({
                  reason: "NotFound",
                  method: "look at",
                  place,
                  detail: `backfill ${backfill} is not known, or was purged`
                })
              )
            : Effect.map(
                readable(place, "look at", Schema.decodeUnknown(Standing)(row)),
                ({ first, hours_done: hoursDone, last, stopped: isStopped, ...counts }) => ({
                  ...counts,
                  whole: new Window({ first, last }),
                  hoursDone,
                  isStopped
                })
              )
        ),
      results: (backfill) =>
        Effect.map(rows("look at", tables.RESULTS, [backfill]), (found) =>
          found.map(({ result }) => result)
        ),
      stop: (backfill) => Effect.asVoid(rows("stop", tables.STOP, [backfill])),
      purge: (days) =>
        Effect.map(
          Effect.zipRight(
            rows("purge", tables.END),
            rows("purge", `with gone as (${tables.PURGE} returning 1) select from gone`, [days])
          ),
          ({ length }) => length
        ),
      lane: Effect.map(open, (connection) => laneOf(connection, place))
    })
  })
}

function idOf(found: ReadonlyArray<Readonly<Record<string, unknown>>>): Option.Option<string> {
  return Option.map(Option.fromNullable(found[0]), ({ id }) => String(id))
}

/** A row that somebody altered fails by name. */
function readable<A>(
  place: string,
  method: FleetError["method"],
  row: Effect.Effect<A, ParseResult.ParseError>
): Effect.Effect<A, FleetError> {
  return Effect.mapError(
    row,
    ({ message }) =>
      new FleetError({
        reason: "Failed",
        method,
        place,
        detail: `a row cannot be read: ${message}`
      })
  )
}

function keyOf({ backfill, turn, window }: TakenWindow) {
  return [backfill, window.first, turn]
}

function laneOf({ lost, rows }: Connection, place: string) {
  /** The lane of the window that was taken. */
  let held: readonly [source: string, lane: number] | undefined
  const letGo = Effect.suspend(() => {
    const values = held
    held = undefined
    return values === undefined ? Effect.void : rows("record in", tables.UNLOCK, values)
  })
  const beat = Effect.forever(Effect.delay(rows("take from", "select 1"), BEAT))

  const take = Effect.fnUntraced(function* (lakes: ReadonlyArray<FleetLake>, worker: string) {
    const locations = lakes.map(({ location }) => location)
    const lanes = yield* rows("take from", tables.LANES, [
      locations,
      lakes.map(({ source }) => source)
    ])
    for (const { lane, source } of lanes) {
      const key = [String(source), Number(lane)] as const
      const [lock] = yield* rows("take from", tables.LOCK, key)
      if (lock?.["is_held"] !== true) continue
      held = key
      const mine = lakes.filter((it) => it.source === source).map(({ location }) => location)
      const [row] = yield* rows("take from", tables.TAKE, [...key, worker, mine])
      if (row !== undefined) {
        const { first, last, ...rest } = yield* readable(
          place,
          "take from",
          Schema.decodeUnknown(Taken)(row)
        )
        return Option.some({ ...rest, source: key[0], window: new Window({ first, last }) })
      }
      yield* letGo
    }
    return Option.none()
  })

  return {
    lost: Effect.raceFirst(lost, beat),
    // Whoever is interrupted meanwhile closes the session, and thereby frees what it has taken.
    take,
    finish: (taken: TakenWindow, result: unknown, stops: boolean) =>
      rows("record in", tables.FINISH, [...keyOf(taken), JSON.stringify(result)]).pipe(
        Effect.zipRight(stops ? rows("stop", tables.STOP, [taken.backfill]) : Effect.void),
        Effect.zipRight(rows("record in", tables.END)),
        Effect.zipRight(letGo),
        Effect.asVoid
      ),
    giveBack: (taken: TakenWindow) =>
      Effect.asVoid(Effect.zipRight(rows("record in", tables.GIVE_BACK, keyOf(taken)), letGo))
  }
}

/** Makes the tables where there are none, which needs the right to create a schema. */
const prepare = Effect.fnUntraced(function* ({ rows }: Connection, place: string) {
  const [found] = yield* rows("open", tables.HAS_TABLES)
  if (found?.["there"] !== true) yield* rows("open", tables.TABLES)
  const [version] = yield* rows("open", `select number from ${tables.SCHEMA}.version`)
  if (Number(version?.["number"]) <= tables.VERSION) return
  return yield* new FleetError({
    reason: "TooNew",
    method: "open",
    place,
    detail: `its tables are of version ${String(version?.["number"])}, this program knows ${tables.VERSION}: use the version of the other workers`
  })
})

/**
 * A fleet's state in Postgres 14 or newer, in a schema of its own. It needs the package `pg`.
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import * as FleetPostgres from "amplitude-lake/layers/FleetPostgres"
 *
 * export const fleet = FleetPostgres.layer({ url: Redacted.make("postgres://lake@localhost/lake") })
 * ```
 */
export function layer(options: FleetPostgresOptions): Layer.Layer<Fleet> {
  return Layer.effect(Fleet, make(options))
}
