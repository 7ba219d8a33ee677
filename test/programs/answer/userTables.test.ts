import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parseCsv } from "../../../src/programs/answer/csv.ts"
import { readIpRanges, readSites } from "../../../src/programs/answer/userTables.ts"

describe("parseCsv()", () => {
  const texts: ReadonlyArray<
    readonly [string, ReadonlyArray<readonly [number, ...ReadonlyArray<string>]>]
  > = [
    [
      "a,b\nc,d",
      [
        [1, "a", "b"],
        [2, "c", "d"]
      ]
    ],
    [
      "a,b\r\nc,\r\n",
      [
        [1, "a", "b"],
        [2, "c", ""]
      ]
    ],
    [
      '"a,""b""","c\nd"\ne,f\n',
      [
        [1, 'a,"b"', "c\nd"],
        [3, "e", "f"]
      ]
    ],
    [
      "\ufeffa\n\n\nb\n",
      [
        [1, "a"],
        [4, "b"]
      ]
    ],
    ['"never closed\nx', [[1, "never closed\nx"]]],
    [
      '"",x\n,\n',
      [
        [1, "", "x"],
        [2, "", ""]
      ]
    ],
    ["", []]
  ]
  for (const [text, records] of texts) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const found = [...parseCsv(text)].map(({ fields, line }) => [line, ...fields])
      assert.deepEqual(found, records)
    })
  }
})

describe("readIpRanges()", () => {
  it.effect("takes addresses as text and as numbers, of both versions of IP", () =>
    Effect.gen(function* () {
      const text = [
        "192.0.2.0,192.0.2.255,64500,Example Ltd",
        '3221225984,3221226239,AS64501,"Example, Inc.",business',
        "2001:DB8::,2001:db8:0:ffff::ffff,,",
        "42540766411282592856903984951653826560,42540766411282592875350729025363378175,64502,Six,hosting"
      ].join("\r\n")
      assert.deepEqual(yield* readIpRanges(text), [
        {
          first: "192.0.2.0",
          last: "192.0.2.255",
          asn: 64500n,
          company: "Example Ltd",
          kind: "unknown"
        },
        {
          first: "192.0.2.0",
          last: "192.0.2.255",
          asn: 64501n,
          company: "Example, Inc.",
          kind: "business"
        },
        {
          first: "2001:db8::",
          last: "2001:db8:0:ffff::ffff",
          asn: null,
          company: null,
          kind: "unknown"
        },
        {
          first: "2001:db8::",
          last: "2001:db8::ffff:ffff:ffff:ffff",
          asn: 64502n,
          company: "Six",
          kind: "hosting"
        }
      ])
      const named = `first,last,asn,name,kind\n${text}`
      assert.deepEqual(yield* readIpRanges(named), yield* readIpRanges(text))
    })
  )

  it.effect("names every wrong line by its number, and takes none then", () =>
    Effect.gen(function* () {
      const wrong = [
        "192.0.2.0,192.0.2.255,64500,Right",
        "192.0.2,192.0.2.255,64500,A",
        "192.0.2.0,192.0.2.256,64500,A",
        "192.0.2.9,192.0.2.1,64500,A",
        "192.0.2.0,2001:db8::,64500,A",
        "192.0.2.0,192.0.2.255,x,A",
        "192.0.2.0,192.0.2.255,64500",
        "first,last,asn,name"
      ].join("\n")
      const { message } = yield* Effect.flip(readIpRanges(wrong))
      assert.equal(
        message,
        'Cannot build the models: BadLines: the address ranges: line 2: "192.0.2" is no address; line 3: "192.0.2.256" is no address; line 4: 192.0.2.1 is before 192.0.2.9; line 5: 192.0.2.0 and 2001:db8:: are of different versions of IP; line 6: "x" is no number of a network; and 2 more lines'
      )
    })
  )

  it.effect("refuses a number that is larger than any address", () =>
    Effect.gen(function* () {
      const large = `0,${2n ** 128n},1,A`
      assert.match(
        (yield* Effect.flip(readIpRanges(large))).detail,
        /line 1: "3402\d+" is no address/
      )
    })
  )
})

describe("readSites()", () => {
  it.effect("takes hosts with and without a path", () =>
    Effect.gen(function* () {
      const text = "host,path_prefix,site\nwww.example.com,/uk,Shop UK\nexample.com,,Shop\n"
      assert.deepEqual(yield* readSites(text), [
        ["www.example.com", "/uk", "Shop UK"],
        ["example.com", "", "Shop"]
      ])
    })
  )

  it.effect("names every wrong line by its number", () =>
    Effect.gen(function* () {
      const text =
        "https://example.com,,A\nexample.com,uk,A\nexample.com,/uk,\nexample.com,/uk/,A\nwww.example.com,/uk,B\nexample.com,/uk\n"
      const { detail } = yield* Effect.flip(readSites(text))
      assert.match(detail, /line 1: "https:\/\/example.com" is no host/)
      assert.match(detail, /line 2: "uk" does not begin with a slash/)
      assert.match(detail, /line 3: the site has no name/)
      assert.match(detail, /line 5: www.example.com\/uk was named before/)
      assert.match(detail, /line 6: 2 fields/)
      assert.doesNotMatch(detail, /line 4/)
    })
  )
})
