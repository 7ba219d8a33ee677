import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, Scope } from "effect"
import type { ReferenceStream } from "../../src/services/Amplitude.ts"
import { addHours, Hour } from "../../src/services/Hour.ts"
import {
  type HourToLoad,
  type OpenWarehouse,
  ReferenceList,
  type Warehouse,
  WarehouseError
} from "../../src/services/Warehouse.ts"
import { hourToLoad, rowOf } from "../fixtures/hourToLoad.ts"

/** A warehouse, and a look at the rows of its events behind its back, while it is closed. */
export interface Depot {
  readonly warehouse: Warehouse["Type"]
  readonly rows: Effect.Effect<ReadonlyArray<readonly [hour: string, line: number, text: string]>>
  /** The entries of a stream's lists, while it is closed, too. */
  readonly entries: (
    stream: ReferenceStream
  ) => Effect.Effect<ReadonlyArray<readonly [date: string, number: number, entry: string]>>
  /** Gives an hour other lines, behind its back, too. */
  readonly setLines: (hour: Hour, texts: ReadonlyArray<string>) => Effect.Effect<unknown>

  /** Of a warehouse that reads the store by itself, and compares counts and ETags instead of digests. */
  readonly store?: DepotStore
}

interface DepotStore {
  /** Puts what a warehouse that does not read the store would be given. */
  readonly put: (hour: HourToLoad<never, never>) => Effect.Effect<void>
  /** A line as it comes back. */
  readonly kept: (text: string) => string
}

const [H20, H21] = ["2025-11-10T20", "2025-11-10T21"] as const
const TWO = '{"a":1}\n{"a":2}\n'
const OTHER = '{"b":1}\n{"b":2}\n{"b":3}\n'
const TOLD = new Error("the store is gone")
const DIGEST = "another digest"

const listOf = (date: string, stream: ReferenceStream, entries: number, sha256 = "0") =>
  new ReferenceList({
    date,
    stream,
    key: `events/it's/${date}/${stream}.json`,
    entries,
    sha256,
    loadedAt: Date.parse("2025-11-12T12:00:00Z")
  })

const asIs = (text: string) => text

const reasonOf = (error: unknown) => (error instanceof WarehouseError ? error.reason : undefined)

/** What every `Warehouse` layer must do, whatever is behind it. `make` makes a new one each time. */
export function warehouseContract(name: string, make: Effect.Effect<Depot, never, Scope.Scope>) {
  const opened = <A, E>(
    { store, warehouse }: Depot,
    use: (open: OpenWarehouse) => Effect.Effect<A, E>,
    to: "load" | "read" = "load"
  ) => Effect.scoped(Effect.flatMap(warehouse.open(to), (open) => use(withStore(open, store))))

  const loaded = <E>(depot: Depot, hour: HourToLoad<E, never>) =>
    opened(depot, (it) => it.load(hour))

  const ledger = (depot: Depot) =>
    Effect.map(
      opened(depot, ({ loads }) => loads, "read"),
      (rows) => rows.map(({ events, hour }) => [hour, events] as const)
    )

  /** Loads an hour that must fail, and returns the error. */
  const refused = <E>(depot: Depot, hour: HourToLoad<E, never>) => Effect.flip(loaded(depot, hour))

  const test = (what: string, run: (depot: Depot) => Effect.Effect<void, unknown, Scope.Scope>) =>
    it.scopedLive(what, () => Effect.flatMap(make, run))

  describe(`${name} keeps the Warehouse contract`, () => {
    test("shows an hour with its lines and its ledger row", (depot) =>
      Effect.gen(function* () {
        const hour = hourToLoad(H21, TWO)
        const row = yield* loaded(depot, hour)
        const storedLineset = depot.store === undefined ? row.lineset : ""
        assert.deepEqual({ ...row }, { ...hour.row, ...pick(row), storedLineset })
        assert.deepEqual(yield* depot.rows, [
          [H21, 1, '{"a":1}'],
          [H21, 2, '{"a":2}']
        ])
        const [kept] = yield* opened(depot, ({ loads }) => loads, "read")
        assert.deepEqual({ ...kept }, { ...row })
      }))

    test("numbers lines in order, however many, of any length and encoding", (depot) =>
      Effect.gen(function* () {
        const texts = Array.from(
          { length: 17_000 },
          (_, n) => `{"n":${n},"text":"${"é提x".repeat(n % 7)}\ud800"}`
        )
        yield* loaded(depot, hourToLoad(H21, texts.join("\n\n")))
        assert.deepEqual(
          yield* depot.rows,
          texts.map((text, index) => [
            H21,
            index + 1,
            (depot.store?.kept ?? asIs)(Buffer.from(text).toString())
          ])
        )
      }))

    test("lists the ledger by hour, and gives each load an id of its own", (depot) =>
      Effect.gen(function* () {
        const [one, other] = [yield* loaded(depot, hourToLoad(H21, TWO))].concat(
          yield* loaded(depot, hourToLoad(H20, ""))
        )
        assert.notEqual(one?.loadId, other?.loadId)
        assert.deepEqual(yield* ledger(depot), [
          [H20, 0],
          [H21, 2]
        ])
        assert.equal((yield* depot.rows).length, 2)
      }))

    const wrong = {
      [DIGEST]: hourToLoad(H21, TWO, { lineset: "000000000001" }),
      "a line too many": hourToLoad(H21, TWO, { events: 1 }),
      "a line too few": hourToLoad(H21, TWO, { events: 3 }),
      "other lines of the same number": { ...hourToLoad(H21, TWO), row: rowOf(H21, "{}\n[]\n") }
    }
    test("leaves nothing of an hour whose lines are not those that were announced", (depot) =>
      Effect.gen(function* () {
        yield* loaded(depot, hourToLoad(H20, OTHER))
        yield* opened(depot, ({ load }) =>
          Effect.forEach(
            Object.entries(wrong).filter(([what]) => depot.store === undefined || what !== DIGEST),
            ([what, hour]) =>
              Effect.map(Effect.flip(load(hour)), ({ reason }) =>
                assert.equal(reason, "Differs", what)
              )
          )
        )
        assert.deepEqual(yield* ledger(depot), [[H20, 3]])
        assert.equal((yield* depot.rows).length, 3)
      }))

    test("leaves nothing of a body that fails after some lines, and fails with its error", (depot) =>
      Effect.gen(function* () {
        if (depot.store !== undefined) return
        const { read, row } = hourToLoad(H21, TWO)
        const error = yield* refused(depot, {
          row,
          read: (append) => Effect.zipRight(read(append), Effect.fail(TOLD))
        })
        assert.equal(error, TOLD)
        assert.deepEqual(yield* ledger(depot), [])
        assert.deepEqual(yield* depot.rows, [])
      }))

    test("leaves nothing of a body that is interrupted, and loads the next one", (depot) =>
      opened(depot, (open) =>
        Effect.gen(function* () {
          const { read, row } = hourToLoad(H21, TWO)
          if (depot.store !== undefined) {
            yield* open.load(hourToLoad(H21, OTHER))
            return
          }
          const fiber = yield* Effect.fork(
            open.load({ row, read: (append) => Effect.zipRight(read(append), Effect.never) })
          )
          yield* Effect.yieldNow()
          yield* Fiber.interrupt(fiber)
          assert.deepEqual(yield* open.loads, [])
          yield* open.load(hourToLoad(H21, OTHER))
        })
      ).pipe(
        Effect.zipRight(depot.rows),
        Effect.map((rows) => assert.equal(rows.length, 3))
      ))

    test("loads an hour once", (depot) =>
      Effect.gen(function* () {
        yield* loaded(depot, hourToLoad(H21, TWO))
        assert.equal(reasonOf(yield* refused(depot, hourToLoad(H21, TWO))), "Changed")
        assert.deepEqual(yield* ledger(depot), [[H21, 2]])
        assert.equal((yield* depot.rows).length, 2)
      }))

    test("loads hours that are given at once one after another", (depot) =>
      Effect.gen(function* () {
        const hours = [hourToLoad(H20, OTHER), hourToLoad(H21, TWO)]
        yield* opened(depot, ({ load }) =>
          Effect.forEach(hours, load, { concurrency: "unbounded", discard: true })
        )
        assert.deepEqual(yield* ledger(depot), [
          [H20, 3],
          [H21, 2]
        ])
        assert.equal((yield* depot.rows).length, 5)
      }))

    test("replaces a load whole", (depot) =>
      Effect.gen(function* () {
        const before = yield* loaded(depot, hourToLoad(H21, TWO))
        yield* loaded(depot, hourToLoad(H20, TWO))
        const replaces = before.loadId
        const after = yield* loaded(depot, { ...hourToLoad(H21, OTHER), replaces })
        assert.notEqual(after.loadId, before.loadId)
        const texts = (yield* depot.rows).filter(([hour]) => hour === H21).map(([, , text]) => text)
        assert.deepEqual(texts, OTHER.trim().split("\n"))
        assert.deepEqual(yield* ledger(depot), [
          [H20, 2],
          [H21, 3]
        ])
      }))

    test("keeps a load whose replacement fails", (depot) =>
      Effect.gen(function* () {
        const { loadId: replaces } = yield* loaded(depot, hourToLoad(H21, TWO))
        const hour = hourToLoad(H21, OTHER, { events: 2 })
        assert.equal(reasonOf(yield* refused(depot, { ...hour, replaces })), "Differs")
        assert.deepEqual(yield* ledger(depot), [[H21, 2]])
        const texts = (yield* depot.rows).map(([, , text]) => text)
        assert.deepEqual(texts, TWO.trim().split("\n"))
      }))

    test("replaces no load but the one that is named", (depot) =>
      Effect.gen(function* () {
        const hour = { ...hourToLoad(H21, OTHER), replaces: "another" }
        assert.equal(reasonOf(yield* refused(depot, hour)), "Changed")
        yield* loaded(depot, hourToLoad(H21, TWO))
        assert.equal(reasonOf(yield* refused(depot, hour)), "Changed")
        assert.deepEqual(yield* ledger(depot), [[H21, 2]])
      }))

    const lines: ReadonlyArray<readonly [what: string, Uint8Array, ReadonlyArray<string>]> = [
      ["malformed lines", Buffer.from('{"a":\nnot json\n'), ['{"a":', "not json"]],
      ["lone surrogates", Buffer.from('{"a":"\\ud800"}\n'), ['{"a":"\\ud800"}']],
      ["escaped and bare null characters", Buffer.from('"\\u0000"\na\0b\n'), ['"\\u0000"', "a\0b"]],
      ["carriage returns", Buffer.from('{"a":1}\r\n\r\n{}\r\n'), ['{"a":1}\r', "\r", "{}\r"]],
      ["no blank lines", Buffer.from("\n\n{}\n\n[]\n"), ["{}", "[]"]],
      ["a last line without a newline", Buffer.from('{"a":1}\n{"a":2}'), ['{"a":1}', '{"a":2}']],
      [
        "numbers as they are written",
        Buffer.from("[9007199254740993,1.10,1e400]\n"),
        ["[9007199254740993,1.10,1e400]"]
      ],
      ["characters of several bytes", Buffer.from('"Ä😀\u2028"\n'), ['"Ä😀\u2028"']],
      [
        "bytes that are not UTF-8 as U+FFFD",
        Buffer.from([34, 0xff, 34, 10, 123, 125, 10]),
        ['"\ufffd"', "{}"]
      ]
    ]
    for (const chunk of [1, 3, 1000]) {
      test(`keeps lines as they are, in pieces of ${chunk} bytes`, (depot) =>
        Effect.gen(function* () {
          const loads = yield* opened(depot, ({ load }) =>
            Effect.forEach(lines, ([, bytes], index) =>
              load(hourToLoad(addHours(Hour.make(H20), index), bytes, { chunk }))
            )
          )
          const rows = yield* depot.rows
          for (const [index, [what, , expected]] of lines.entries()) {
            const row = loads[index]
            const texts = rows.filter(([hour]) => hour === row?.hour).map(([, , text]) => text)
            assert.deepEqual(texts, expected.map(depot.store?.kept ?? asIs), what)
            if (depot.store !== undefined) continue
            assert.equal(row?.storedLineset, rowOf(H21, expected.join("\n")).lineset, what)
          }
        }))
    }

    test("keeps a line of 20 MB", (depot) =>
      Effect.gen(function* () {
        const line = `"${"x".repeat(20_000_000)}"`
        yield* loaded(depot, hourToLoad(H21, `{}\n${line}\n{}\n`))
        const texts = (yield* depot.rows).map(([, , text]) => text)
        assert.deepEqual([texts[0], texts[2], texts.length], ["{}", "{}", 3])
        assert.ok(texts[1] === line)
      }))

    test("digests the lines of an hour as they are stored", (depot) =>
      Effect.gen(function* () {
        if (depot.store !== undefined) return
        const odd = Buffer.concat([
          Buffer.from('"\\u0000"\na\0b\r\n"Ä😀\\ud800"\n'),
          Buffer.from([34, 255])
        ])
        const large = Array.from({ length: 5000 }, (_, index) => `{"a":${index}}\n`).join("")
        for (const [hour, bytes] of [
          [H20, odd],
          [H21, Buffer.from(large)]
        ] as const) {
          const { events, storedLineset } = yield* loaded(depot, hourToLoad(hour, bytes))
          const digest = yield* opened(depot, (it) => it.digestOf(Hour.make(hour)), "read")
          assert.deepEqual(digest, { events, lineset: storedLineset, isNumbered: true })
        }
        const none = { events: 0, lineset: "000000000000", isNumbered: true }
        const other = Hour.make("2025-11-10T22")
        assert.deepEqual(yield* opened(depot, (it) => it.digestOf(other), "read"), none)
      }))

    test("digests lines that were changed behind its back, and names their hours", (depot) =>
      Effect.gen(function* () {
        if (depot.store !== undefined) return
        const hours = ["2025-11-10T22", H20, H21].map((hour) => Hour.make(hour))
        const [H22 = Hour.make(H20)] = hours
        yield* loaded(depot, hourToLoad(H20, TWO))
        yield* loaded(depot, hourToLoad(H21, ""))
        yield* depot.setLines(H22, ['{"c":1}'])
        yield* depot.setLines(Hour.make(H20), ['{"a":1}', '{"a":3}'])
        assert.deepEqual(yield* opened(depot, (it) => it.storedHours, "read"), [H20, H22])
        const digests = yield* opened(
          depot,
          (it) => Effect.forEach(hours, (hour) => it.digestOf(hour)),
          "read"
        )
        const expected = ['{"c":1}', '{"a":1}\n{"a":3}', ""].map((content) => {
          const { events, lineset } = rowOf(H21, content)
          return { events, lineset, isNumbered: true }
        })
        assert.deepEqual(digests, expected)
      }))

    test("leaves no lines of an hour that were there without a ledger row", (depot) =>
      Effect.gen(function* () {
        yield* loaded(depot, hourToLoad(H20, TWO))
        yield* depot.setLines(Hour.make(H21), ["left"])
        yield* loaded(depot, hourToLoad(H21, TWO))
        assert.deepEqual(
          (yield* depot.rows).map(([, , text]) => text),
          [...TWO.trim().split("\n"), ...TWO.trim().split("\n")]
        )
      }))

    test("has room beside it, and tells whether it is there", (depot) =>
      Effect.gen(function* () {
        const before = yield* depot.warehouse.health
        assert.deepEqual([before.isThere, before.exposure], [false, ""])
        yield* loaded(depot, hourToLoad(H21, TWO))
        const after = yield* depot.warehouse.health
        assert.deepEqual([after.isThere, after.exposure, after.free > 0], [true, "", true])
      }))

    test("lets a ledger row name another object, and changes nothing else", (depot) =>
      Effect.gen(function* () {
        const before = yield* loaded(depot, hourToLoad(H21, TWO))
        const names = {
          key: "copy/it.jsonl.gz",
          format: "jsonl.gz",
          sha256: "0",
          etag: "e"
        } as const
        yield* opened(depot, (it) => it.relabel(before.loadId, names))
        const [after] = yield* opened(depot, ({ loads }) => loads)
        assert.deepEqual({ ...after }, { ...before, ...names })
        assert.equal((yield* depot.rows).length, 2)
      }))

    test("knows whose hours it holds", (depot) =>
      Effect.gen(function* () {
        const claimed = (project: Option.Option<string>, place: string) =>
          opened(depot, (it) => Effect.zipRight(it.claim({ place, project }), it.lake))
        assert.deepEqual(yield* opened(depot, ({ lake }) => lake), Option.none())
        assert.deepEqual(
          yield* claimed(Option.none(), "s3://one/"),
          Option.some({ place: "s3://one/", project: Option.none() })
        )
        const known = Option.some("123456")
        assert.deepEqual(
          yield* claimed(known, "s3://one/"),
          Option.some({ place: "s3://one/", project: known })
        )
        assert.deepEqual(
          yield* claimed(Option.none(), "s3://other/"),
          Option.some({ place: "s3://other/", project: known })
        )
      }))

    test("is not there to be read before it was opened to load", (depot) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(opened(depot, ({ loads }) => loads, "read"))
        assert.deepEqual([error.reason, error.isTransient], ["NotFound", false])
        yield* opened(depot, ({ loads }) => loads)
        assert.deepEqual(yield* opened(depot, ({ loads }) => loads, "read"), [])
      }))

    test("is busy while it is open", (depot) =>
      Effect.gen(function* () {
        const error = yield* opened(depot, () => Effect.flip(opened(depot, ({ loads }) => loads)))
        assert.deepEqual([error.reason, error.isTransient], ["Busy", true])
        assert.deepEqual(yield* opened(depot, ({ loads }) => loads), [])
      }))

    test("can be opened in one scope once it is no longer busy", (depot) =>
      Effect.gen(function* () {
        const { open } = depot.warehouse
        const outer = yield* Effect.scope
        yield* Effect.scoped(
          Effect.zipRight(open("load"), Scope.extend(Effect.flip(open("load")), outer))
        )
        assert.deepEqual(yield* Effect.flatMap(open("load"), ({ loads }) => loads), [])
      }))

    test("changes nothing while it is open to be read", (depot) =>
      Effect.gen(function* () {
        yield* loaded(depot, hourToLoad(H20, TWO))
        const works = [
          (open: OpenWarehouse) => open.load(hourToLoad(H21, TWO)),
          (open: OpenWarehouse) => open.claim({ place: "s3://x/", project: Option.none() }),
          (open: OpenWarehouse) => open.setCalendar([], 0),
          (open: OpenWarehouse) => open.loadList(listOf("2025-11-10", "events", 0), [])
        ]
        for (const work of works) {
          const error = yield* Effect.flip(opened<unknown, WarehouseError>(depot, work, "read"))
          assert.equal(error.reason, "Failed")
        }
        assert.deepEqual(yield* ledger(depot), [[H20, 2]])
        assert.deepEqual(yield* opened(depot, ({ lake }) => lake), Option.none())
      }))

    test("shows a list with its entries in their order, and its ledger row", (depot) =>
      Effect.gen(function* () {
        assert.deepEqual(yield* opened(depot, ({ lists }) => lists), [])
        const rows = [
          listOf("2025-11-10", "cohorts", 1),
          listOf("2025-11-10", "events", 5),
          listOf("2025-11-11", "annotations", 0)
        ]
        const events = [
          '{"n":9007199254740993,"m":1.5}',
          '"it\'s \\\\ and\\n"',
          "null",
          '{"ä":"😀"}',
          "[1,[2]]"
        ]
        yield* opened(depot, ({ loadList }) =>
          Effect.forEach(rows.toReversed(), (row) =>
            loadList(row, row.stream === "events" ? events : row.stream === "cohorts" ? ["{}"] : [])
          )
        )
        const found = yield* opened(depot, ({ lists }) => lists, "read")
        assert.deepEqual(
          found.map((it) => ({ ...it })),
          rows.map((it) => ({ ...it }))
        )
        assert.deepEqual(
          yield* depot.entries("events"),
          events.map((entry, index) => ["2025-11-10", index + 1, entry])
        )
        assert.deepEqual(yield* depot.entries("cohorts"), [["2025-11-10", 1, "{}"]])
        assert.deepEqual(yield* depot.entries("annotations"), [])
      }))

    test("loads a list in the place of that of its day and stream alone", (depot) =>
      Effect.gen(function* () {
        yield* opened(depot, ({ loadList }) =>
          Effect.all([
            loadList(listOf("2025-11-10", "events", 2), ["1", "2"]),
            loadList(listOf("2025-11-11", "events", 1), ["3"]),
            loadList(listOf("2025-11-10", "cohorts", 1), ["4"]),
            loadList(listOf("2025-11-10", "events", 1, "other"), ["5"])
          ])
        )
        const found = yield* opened(depot, ({ lists }) => lists, "read")
        assert.deepEqual(
          found.map(({ date, sha256, stream }) => [date, stream, sha256]),
          [
            ["2025-11-10", "cohorts", "0"],
            ["2025-11-10", "events", "other"],
            ["2025-11-11", "events", "0"]
          ]
        )
        assert.deepEqual(yield* depot.entries("events"), [
          ["2025-11-10", 1, "5"],
          ["2025-11-11", 1, "3"]
        ])
        assert.deepEqual(yield* depot.entries("cohorts"), [["2025-11-10", 1, "4"]])
      }))

    test("numbers the entries of a list of any length", (depot) =>
      Effect.gen(function* () {
        const entries = Array.from(
          { length: 5000 },
          (_, n) => `{"n":${n},"x":"${"x".repeat(400)}"}`
        )
        yield* opened(depot, ({ loadList }) =>
          loadList(listOf("2025-11-10", "events", entries.length), entries)
        )
        assert.deepEqual(
          yield* depot.entries("events"),
          entries.map((entry, index) => ["2025-11-10", index + 1, entry])
        )
      }))

    test("takes a calendar in the place of the last one", (depot) =>
      opened(depot, ({ setCalendar }) =>
        Effect.gen(function* () {
          const hour = Hour.make(H21)
          yield* setCalendar([{ hour, state: "gap", events: undefined }], 0)
          yield* setCalendar([{ hour, state: "landed", events: 2 }], 1)
        })
      ))
  })
}

/** Puts each hour's object before it is loaded. */
function withStore(open: OpenWarehouse, store: DepotStore | undefined): OpenWarehouse {
  if (store === undefined) return open
  return {
    ...open,
    load: (hour) => Effect.zipRight(store.put(hour as HourToLoad<never, never>), open.load(hour))
  }
}

function pick({ loadId }: { readonly loadId: string }) {
  return { loadId }
}
