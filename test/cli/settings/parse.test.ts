import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Duration, Either, Redacted } from "effect"
import {
  duration,
  durationOf,
  instant,
  oneOf,
  onOrOff,
  type Parse,
  prefix,
  secret,
  text,
  wholeNumber
} from "../../../src/cli/settings/parse.ts"
import { settings } from "../../../src/cli/settings/table.ts"

function read<A>(parse: Parse<A>, value: string): A {
  return Either.getOrThrowWith(parse(value, 0), (expected) => new Error(`"${value}": ${expected}`))
}

function refuses(parse: Parse<unknown>, values: ReadonlyArray<string>, expected: RegExp): void {
  for (const value of values) {
    const answer = parse(value, 0)
    assert.ok(Either.isLeft(answer), `takes "${value}"`)
    assert.match(answer.left, expected)
  }
}

describe("wholeNumber()", () => {
  it("takes both ends of its range", () => {
    assert.equal(read(wholeNumber(1, 64), "1"), 1)
    assert.equal(read(wholeNumber(1, 64), "64"), 64)
    assert.equal(read(wholeNumber(0), "9007199254740991"), Number.MAX_SAFE_INTEGER)
  })

  it("refuses text and negative, fractional and huge numbers, and names the range", () => {
    refuses(wholeNumber(1, 64), ["0", "65", "-1"], /^a whole number, from 1 to 64$/)
    refuses(
      wholeNumber(0),
      [
        "-1",
        "+1",
        "1.5",
        "1.0",
        "1e3",
        "0x10",
        "1_000",
        "1 000",
        "Infinity",
        "NaN",
        "one",
        "",
        "9007199254740992",
        "9".repeat(400)
      ],
      /^a whole number, 0 or more$/
    )
  })
})

function millis(value: string): number {
  return Duration.toMillis(read(duration, value))
}

describe("duration", () => {
  it("takes seconds, minutes, hours and days, up to a year", () => {
    assert.equal(millis("90s"), 90_000)
    assert.equal(millis("30m"), 1_800_000)
    assert.equal(millis("2h"), 7_200_000)
    assert.equal(millis("8760h"), 31_536_000_000)
    assert.equal(millis("30d"), 2_592_000_000)
    assert.equal(millis("1500ms"), 1500)
  })

  it("refuses zero, too much and other units, and names the forms", () => {
    refuses(
      duration,
      [
        "0s",
        "00m",
        "-1s",
        "1.5h",
        "90",
        "s",
        "2w",
        "999ms",
        "366d",
        "90 s",
        "1h30m",
        "8761h",
        `${"9".repeat(400)}s`
      ],
      /90s, 50m, 24h or 30d/
    )
  })
})

describe("durationOf()", () => {
  it("takes a bare number of its unit, and durations in any unit that come out even", () => {
    const hours = durationOf("h", 0, 8760)
    for (const [value, expected] of [
      ["12", 12],
      ["0", 0],
      ["12h", 12],
      ["2d", 48],
      ["120m", 2],
      ["7200s", 2]
    ] as const) {
      assert.equal(read(hours, value), expected, value)
    }
    assert.equal(read(durationOf("d", 1, 30), "720h"), 30)
    assert.equal(read(durationOf("ms", 1, 600_000), "2s"), 2000)
    assert.equal(read(durationOf("ms", 1, 600_000), "1000"), 1000)
  })

  it("refuses what does not come out even or lies outside, and names range and forms", () => {
    refuses(
      durationOf("h", 1, 8760),
      ["90m", "0", "0h", "366d", "1.5", "1.5h", "-1", "-1h", "1e2", "h", "", "9".repeat(30)],
      /^a whole number of hours from 1 to 8760, or a duration such as 24h$/
    )
    refuses(durationOf("d", 1, 30), ["36h", "31d"], /number of days from 1 to 30/)
  })
})

describe("onOrOff", () => {
  it("reads the usual words, and refuses others", () => {
    for (const word of ["true", "1", "yes", "on", "TRUE"]) assert.equal(read(onOrOff, word), true)
    for (const word of ["false", "0", "no", "off", "No"]) assert.equal(read(onOrOff, word), false)
    refuses(onOrOff, ["y", "2", "", "enabled"], /^true or false$/)
  })
})

describe("instant", () => {
  it("takes an instant with its zone", () => {
    const noon = Date.UTC(2025, 10, 10, 12)
    assert.equal(read(instant, "2025-11-10T12:00:00Z"), noon)
    assert.equal(read(instant, "2025-11-10T12:00Z"), noon)
    assert.equal(read(instant, "2025-11-10T13:00:00+01:00"), noon)
    assert.equal(read(instant, "2025-11-10T12:00:00.250Z"), noon + 250)
    assert.equal(read(instant, "2024-02-29T00:00:00Z"), Date.UTC(2024, 1, 29))
  })

  it("refuses one without a zone, and times that do not exist", () => {
    refuses(
      instant,
      [
        "2025-11-10T12:00:00",
        "2025-11-10",
        "2025-02-30T12:00:00Z",
        "2025-02-29T12:00:00+01:00",
        "2025-11-10T24:00:00Z",
        "2025-11-10T12:60:00Z",
        "2025-11-10T12:00:00+99:99",
        "20251110T120000Z",
        "now"
      ],
      /2025-11-10T21:00:00Z/
    )
  })
})

describe("prefix", () => {
  it("ends in one slash, and is empty for the root", () => {
    assert.equal(read(prefix, "python-import"), "python-import/")
    assert.equal(read(prefix, "python-import/"), "python-import/")
    assert.equal(read(prefix, "a/b=c/d.e"), "a/b=c/d.e/")
    assert.equal(read(prefix, "/"), "")
  })

  it("refuses folders that are empty or begin with a dot", () => {
    refuses(
      prefix,
      ["//", "/a", "a//b", "a//", "..", "../a", "a/../b", "./a", ".hidden", "a/.b/"],
      /python-import\//
    )
  })
})

describe("oneOf()", () => {
  it("takes a literal exactly as written, or names them all", () => {
    assert.equal(read(oneOf(["eu", "us"]), "us"), "us")
    refuses(oneOf(["eu", "us"]), ["EU", "e", "eu us", "constructor"], /^one of eu, us$/)
  })
})

describe("text and secret", () => {
  it("take any text, and a secret does not show it", () => {
    assert.equal(read(text, "s3 dev"), "s3 dev")
    const key = read(secret, "geheim")
    assert.equal(Redacted.value(key), "geheim")
    assert.ok(!`${String(key)} ${JSON.stringify(key)}`.includes("geheim"))
  })
})

describe("The origin of --amplitude-url", () => {
  const { parse } = settings.amplitudeUrl

  it("is https, or plain http on loopback", () => {
    for (const [value, origin] of [
      ["https://amplitude.com", "https://amplitude.com"],
      ["https://amplitude.com/", "https://amplitude.com"],
      ["https://proxy.example:8443", "https://proxy.example:8443"],
      ["http://127.0.0.1:4000", "http://127.0.0.1:4000"],
      ["http://localhost:4000/", "http://localhost:4000"],
      ["http://[::1]:4000", "http://[::1]:4000"]
    ] as const) {
      assert.equal(read<string | undefined>(parse, value), origin)
    }
  })

  it("is otherwise refused, with the expected form", () => {
    refuses(
      parse,
      [
        "amplitude.com",
        "http://amplitude.com",
        "http://127.0.0.1.example.com",
        "ftp://amplitude.com",
        "https://amplitude.com/api/2/export",
        "https://amplitude.com?x=1",
        "https://amplitude.com#x",
        "https://user:geheim@amplitude.com"
      ],
      /^an origin such as https:\/\/amplitude\.com: (?!.*geheim)/
    )
  })
})
