import assert from "node:assert/strict"
import { describe, it } from "vitest"
import { decidePiped } from "../../../src/programs/load/decidePiped.ts"
import { Hour } from "../../../src/services/Hour.ts"

const hour = Hour.make("2025-11-10T21")
const KEY = "events/2025-11-10_21.jsonl"
const NEXT_DAY = Date.parse("2025-11-11T12:00:00Z")
const NEXT_WEEK = Date.parse("2025-11-17T21:00:00Z")

type Counted = readonly [lines: number, numbers?: number, key?: string]

const rows: ReadonlyArray<
  readonly [
    what: string,
    counted: ReadonlyArray<Counted>,
    decided: string,
    more?: { readonly isInLedger?: boolean; readonly now?: number; readonly events?: number }
  ]
> = [
  ["as many lines as announced", [[3]], "Agrees"],
  ["no line of an empty hour", [], "Agrees", { events: 0 }],
  ["as many lines, in the ledger", [[3]], "Agrees", { isInLedger: true }],
  ["no line of a young hour", [], "Hole refresh"],
  ["no line of an hour a week old", [], "Hole load", { now: NEXT_WEEK }],
  ["no line of an hour a moment younger", [], "Hole refresh", { now: NEXT_WEEK - 1 }],
  ["some of its lines", [[2]], "Hole load"],
  ["too few lines, in the ledger", [[2]], "Hole replace", { isInLedger: true }],
  ["no line, in the ledger", [], "Hole replace", { isInLedger: true }],
  ["each line twice", [[6, 3]], "Double"],
  ["a line twice, and another one missing", [[3, 2]], "Double"],
  ["a line too many", [[4]], "Double"],
  ["lines of an empty hour", [[1]], "Double", { events: 0 }],
  ["the lines of both forms of an hour", [[3], [3, 3, `${KEY}.gz`]], "Double"],
  ["as many lines, under another key", [[3, 3, `${KEY}.gz`]], "Double"],
  [
    "as many lines, under the key of before, in the ledger",
    [[3, 3, `${KEY}.gz`]],
    "Agrees",
    { isInLedger: true }
  ],
  [
    "as many lines, under two keys, in the ledger",
    [[1], [2, 2, `${KEY}.gz`]],
    "Double",
    { isInLedger: true }
  ],
  ["too few lines under two keys", [[1], [1, 1, `${KEY}.gz`]], "Hole load"]
]

describe("decidePiped()", () => {
  for (const [what, counted, decided, more = {}] of rows) {
    it(`decides: ${what} · ${decided}`, () => {
      const { events = 3, isInLedger = false, now = NEXT_DAY } = more
      const counts = counted.map(([lines, numbers = lines, key = KEY]) => ({
        hour,
        key,
        lines,
        numbers
      }))
      const announced = { hour, key: KEY, events }
      const found = decidePiped({ announced, counts, isInLedger, now }, { refreshDays: 7 })
      assert.equal("fix" in found ? `${found._tag} ${found.fix}` : found._tag, decided)
      const lines = counted.reduce((sum, [it]) => sum + it, 0)
      if ("lines" in found) assert.equal(found.lines, lines)
    })
  }
})
