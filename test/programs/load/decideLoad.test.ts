import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Option } from "effect"
import type { ObjectInfo } from "../../../src/services/ObjectStorage.ts"
import type { HourObject } from "../../../src/programs/plan/inventory.ts"
import {
  type DecideOptions,
  type Decision,
  decideLoad,
  inListing,
  type InStore
} from "../../../src/programs/load/decideLoad.ts"
import { Hour } from "../../../src/services/Hour.ts"
import { HourMetadata } from "../../../src/services/HourMetadata.ts"
import { noLines } from "../../../src/services/LinesDigest.ts"
import { LoadedHour } from "../../../src/services/Warehouse.ts"
import { rowOf } from "../../fixtures/hourToLoad.ts"

const HOUR = "2025-11-10T21"
const loadedFrom = (content: string, etag = "old") => {
  const row = rowOf(HOUR, content, { etag })
  return new LoadedHour({ ...row, storedLineset: row.lineset, loadId: "1" })
}
const metadataOf = (content: string, more: Partial<HourMetadata> = {}) => {
  const { bytes, events, hour, lineset, malformed, project, sha256 } = rowOf(HOUR, content)
  return new HourMetadata({
    bytes,
    events,
    hour,
    lineset,
    malformed,
    project,
    sha256,
    parts: 1,
    version: "0.1.0",
    replaces: [],
    ...more
  })
}
const ours = (
  content: string,
  more: Partial<HourMetadata> = {},
  { etag = "new" } = {}
): InStore => ({ _tag: "Ours", etag, metadata: metadataOf(content, more) })
const TWO = "{}\n[]\n"
const SWAPPED = "[]\n{}\n"
const OTHER = "{}\n"
const row = loadedFrom(TWO)
const none = loadedFrom("")
const nothing: InStore = { _tag: "Nothing" }
const several: InStore = { _tag: "Several" }
const unverified = (etag: string): InStore => ({ _tag: "Unverified", etag })

/** The rows of the table in docs/warehouse.md, in its order. */
const table: ReadonlyArray<
  readonly [
    what: string,
    store: InStore,
    ledger: LoadedHour | undefined,
    expected: Decision,
    options?: DecideOptions
  ]
> = [
  ["landed · nothing", ours(TWO), undefined, "load"],
  ["landed, same etag · loaded", ours(TWO, {}, { etag: "old" }), row, "skip"],
  ["landed, another etag, same sha256 · loaded", ours(TWO), row, "relabel"],
  ["landed, another etag, same lines in another order · loaded", ours(SWAPPED), row, "relabel"],
  [
    "landed, replaces what is loaded · loaded",
    ours(OTHER, { replaces: ["000000000001", row.lineset] }),
    row,
    "replace"
  ],
  ["landed · loaded without events", ours(TWO), none, "replace"],
  ["landed, anything else · loaded", ours(OTHER), row, "conflict"],
  [
    "landed, replaces something else · loaded",
    ours(OTHER, { replaces: ["000000000001"] }),
    row,
    "conflict"
  ],
  ["empty · loaded with events", ours("", noLines), row, "conflict"],
  [
    "empty, replaces what is loaded · loaded with events",
    ours("", { replaces: [row.lineset] }),
    row,
    "conflict"
  ],
  [
    "emptied by redaction, replaces what is loaded · loaded with events",
    ours("", { replaces: [row.lineset], redacted: 2 }),
    row,
    "replace"
  ],
  [
    "emptied by redaction, replaces something else · loaded with events",
    ours("", { replaces: ["000000000001"], redacted: 2 }),
    row,
    "conflict"
  ],
  [
    "landed, anything else · loaded, after a person looked",
    ours(OTHER),
    row,
    "replace",
    { replace: true }
  ],
  ["two objects · nothing", several, undefined, "conflict"],
  ["two objects · loaded", several, row, "conflict"],
  ["two objects · loaded, after a person looked", several, row, "conflict", { replace: true }],
  ["nothing · loaded", nothing, row, "keep"],
  ["nothing · nothing", nothing, undefined, "nothing"],
  ["empty · nothing", ours(""), undefined, "load"],
  ["empty, another etag · loaded without events", ours(""), none, "relabel"],
  ["unverified · nothing", unverified("new"), undefined, "leave"],
  ["unverified · nothing, on request", unverified("new"), undefined, "load", { unverified: true }],
  ["unverified, same etag · loaded", unverified("old"), row, "skip"],
  ["unverified, another etag · loaded", unverified("new"), row, "conflict"],
  [
    "unverified, another etag · loaded, on request",
    unverified("new"),
    row,
    "conflict",
    { unverified: true }
  ]
]

describe("decideLoad()", () => {
  for (const [what, store, ledger, expected, options] of table) {
    it(`decides: ${what} · ${expected}`, () => {
      assert.equal(decideLoad(store, ledger, options), expected)
    })
  }
})

const object = (info: Partial<ObjectInfo>, form: HourObject["form"] = "hourly"): HourObject => ({
  key: "2025-11-10_21.jsonl",
  size: 1,
  etag: "old",
  ...info,
  hour: Hour.make(HOUR),
  form,
  format: "jsonl",
  project: Option.none()
})

describe("inListing()", () => {
  it("knows an hour that is loaded from its object, so that no request is made for it", () => {
    const store = inListing([object({})], row)
    assert.ok(store !== undefined)
    assert.equal(decideLoad(store, row), "skip")
  })

  it("knows the parts of an hour, loaded or not", () => {
    const parts = [object({ etag: "a" }, "parts"), object({ etag: "b" }, "parts")]
    assert.deepEqual(inListing(parts, undefined), { _tag: "Unverified", etag: "a,b" })
    assert.deepEqual(inListing(parts, loadedFrom(TWO, "a,b")), { _tag: "Unverified", etag: "a,b" })
  })

  it("knows nothing, two objects, and objects that the listing calls another's", () => {
    assert.deepEqual(inListing([], row), nothing)
    assert.deepEqual(inListing([object({}), object({}, "hive")], row), several)
    assert.deepEqual(inListing([object({}), object({}, "parts")], row), several)
    assert.deepEqual(inListing([object({ hasMetadata: false })], undefined), unverified("old"))
  })

  it("leaves to a look-up what it cannot tell", () => {
    assert.equal(inListing([object({})], undefined), undefined)
    assert.equal(inListing([object({ etag: "new", hasMetadata: true })], row), undefined)
  })
})
