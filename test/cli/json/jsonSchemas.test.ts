import assert from "node:assert/strict"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { describe, it } from "vitest"
import { jsonSchemas } from "../../../src/cli/json/jsonSchemas.ts"
import { brokenPromises, type JsonSchema } from "../../fixtures/jsonCompatibility.ts"

const PUBLISHED = "schemas/published"
const parse = (text: string) => JSON.parse(text) as JsonSchema
const now = new Map([...jsonSchemas()].map(([name, text]) => [name, parse(text)]))

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .sort()

/** Every object below a value that has properties, with a function that copies the whole with another object in its place. */
function objectsIn(
  value: unknown,
  rebuild: (value: unknown) => unknown = (it) => it
): ReadonlyArray<{ readonly object: JsonSchema; readonly replacing: (it: unknown) => JsonSchema }> {
  if (typeof value !== "object" || value === null) return []
  const below = Object.entries(value).flatMap(([key, it]) =>
    objectsIn(it, (other) =>
      rebuild(
        Array.isArray(value)
          ? value.map((old: unknown, at) => (String(at) === key ? other : old))
          : { ...value, [key]: other }
      )
    )
  )
  const object = value as JsonSchema
  const replacing = (it: unknown) => rebuild(it) as JsonSchema
  const hasFields = !Array.isArray(value) && object.properties !== undefined
  return hasFields ? [{ object, replacing }, ...below] : below
}

describe("The JSON Schemas", () => {
  it("below schemas/ are those of this program: npm run schemas renews them", () => {
    const files = filesIn("schemas").filter((name) => !name.startsWith("published"))
    assert.deepEqual(files, [...now.keys()].sort())
    for (const [name, text] of jsonSchemas()) {
      assert.equal(readFileSync(join("schemas", name), "utf8"), text, name)
    }
  })

  it("keep what the last release published, unless a command has a new schema number", () => {
    const names = filesIn(PUBLISHED)
    assert.ok(names.length > 0)
    const problems = names.flatMap((name) => {
      const [before, after] = [parse(readFileSync(join(PUBLISHED, name), "utf8")), now.get(name)]
      if (after === undefined) return [`${name} is gone`]
      return before["$id"] === after["$id"]
        ? brokenPromises(before, after).map((it) => `${name}: ${it}`)
        : []
    })
    assert.deepEqual(problems, [], "give the command a new number in src/cli/json/outputs.ts")
  })

  it("have an $id with the schema number, and forbid no field that may be added", () => {
    for (const [name, schema] of now) {
      const [, id] = /^urn:amplitude-lake:(.*):\d+$/.exec(String(schema["$id"])) ?? []
      assert.equal(id?.replace("webhook:", "webhook/"), name.replace(".json", ""))
      assert.doesNotMatch(JSON.stringify(schema), /additionalProperties/)
    }
  })
})

const text = { type: "string" }
const of = (a: JsonSchema, required = ["a"]) => ({
  type: "object",
  properties: { a },
  required
})

describe("brokenPromises()", () => {
  it("notices every field that is renamed or may be absent, wherever it is", () => {
    let fields = 0
    for (const name of ["status.json", "clean.json", "setup-iam.json"]) {
      const schema = now.get(name) ?? {}
      for (const { object, replacing } of objectsIn(schema)) {
        const { properties = {}, required = [] } = object
        for (const [field, its] of Object.entries(properties)) {
          fields += 1
          const { [field]: _, ...others } = properties
          const renamed = { ...object, properties: { ...others, renamed: its } }
          assert.notDeepEqual(brokenPromises(schema, replacing(renamed)), [], `${name}: ${field}`)
          if (!required.includes(field)) continue
          const optional = { ...object, required: required.filter((it) => it !== field) }
          assert.notDeepEqual(brokenPromises(schema, replacing(optional)), [], `${name}: ${field}`)
        }
        const more = { ...object, properties: { ...properties, more: { type: "string" } } }
        assert.deepEqual(brokenPromises(schema, replacing(more)), [], name)
      }
    }
    assert.ok(fields > 50, `${fields}`)
  })

  it("refuses another type, also among several, and values that are gone", () => {
    for (const [before, after, problem] of [
      [of(text), of({ type: "number" }), ".a may be of type number now"],
      [of(text), of({ anyOf: [text, { type: "null" }] }), ".a may be of type null now"],
      [of({ type: "integer" }), of({ type: "number" }), ".a may be of type number now"],
      [of({ ...text, pattern: "^a" }), of(text), ".a has another form"],
      [of({ ...text, enum: ["x", "y"] }), of({ ...text, enum: ["x"] }), '.a is never "y" any more'],
      [of({ type: "array", items: text }), of({ type: "array", items: of(text) }), ".a[] may be"],
      [of(text), of(text, []), ".a may be absent now"]
    ] as const) {
      assert.ok(
        brokenPromises(before, after).some((it) => it.startsWith(problem)),
        problem
      )
    }
  })

  it("lets fields, values and reports be added, and fields become certain", () => {
    const report = { type: "object", properties: { a: text, b: text }, required: ["a", "b"] }
    const other = { type: "object", properties: { c: text }, required: ["c"] }
    for (const [before, after] of [
      [of(text), report],
      [of(text), { anyOf: [other, report] }],
      [of(text, []), of(text)],
      [of({ ...text, enum: ["x"] }), of({ ...text, enum: ["x", "y"] })]
    ] as const) {
      assert.deepEqual(brokenPromises(before, after), [])
    }
  })
})
