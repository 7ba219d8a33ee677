import assert from "node:assert/strict"
import { describe, it } from "vitest"
import { entriesIn } from "../../../src/programs/snapshot/listEntries.ts"

const inText = (text: string, field = "data") => entriesIn(Buffer.from(text), field)

describe("entriesIn()", () => {
  it("takes each entry out as the text that it is", () => {
    const entries = [
      '{"totals":9007199254740993,"share":1.10,"e":1E400}',
      '{ "name" : "a ] \\" , \\\\" , "list":[1,[2,{}]] }',
      '"\\ud800\\u0000"',
      '"\\\\"',
      "-1.50e+3",
      "null",
      "true",
      "[]",
      "{}",
      '"é提😀"',
      "[\n\t[ ]\r\n]"
    ]
    for (const gap of ["", " ", "\n\t\r "]) {
      const list = `[${gap}${entries.join(`${gap},${gap}`)}${gap}]`
      const text = `${gap}{${gap}"a\\"":{"data":[0]}${gap},"b":"data"${gap},${gap}"data"${gap}:${gap}${list}${gap},"n":1}${gap}`
      assert.deepEqual(inText(text), entries)
    }
  })

  it("knows the list by its name alone, and takes the last one of that name as JSON does", () => {
    assert.deepEqual(inText('{"d\\u0061ta":[1]}'), ["1"])
    assert.deepEqual(inText('{"data":[1],"data":[2]}'), ["2"])
    assert.deepEqual(inText('{"x":{"data":[1]},"data":[ ]}'), [])
    assert.deepEqual(inText('\ufeff{"cohorts":[1,2]}', "cohorts"), ["1", "2"])
  })

  it("finds no list in anything else", () => {
    for (const text of [
      "",
      "<html>",
      "[]",
      "null",
      '"data"',
      '{"data":{}}',
      '{"data":null}',
      '{"data":"[1]"}',
      '{"x":{"data":[1]}}',
      '{"data":[1]',
      '{"data":[1,]}',
      '{"data":[1]} {}'
    ]) {
      assert.equal(inText(text), undefined, text)
    }
    assert.equal(entriesIn(Buffer.from([123, 255, 125]), "data"), undefined)
  })
})
