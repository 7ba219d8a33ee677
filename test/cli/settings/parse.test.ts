import assert from "node:assert/strict"
import { describe, it } from "@effect/vitest"
import { Duration, Either, Redacted } from "effect"
import {
  duration,
  hourOrDay,
  instant,
  oneOf,
  type Parse,
  prefix,
  secret,
  text,
  wholeNumber
} from "../../../src/cli/settings/parse.ts"
import { settings } from "../../../src/cli/settings/table.ts"

function read<A>(parse: Parse<A>, value: string): A {
  return Either.getOrThrowWith(parse(value), (expected) => new Error(`"${value}": ${expected}`))
}

function refuses(parse: Parse<unknown>, values: ReadonlyArray<string>, expected: RegExp): void {
  for (const value of values) {
    const answer = parse(value)
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

describe("hourOrDay()", () => {
  it("takes an hour in both forms, as a start or an end", () => {
    for (const clock of ["T00", "T23"] as const) {
      assert.equal(read(hourOrDay(clock), "20251110T07"), "2025-11-10T07")
      assert.equal(read(hourOrDay(clock), "2025-11-10T07"), "2025-11-10T07")
    }
  })

  it("takes a day as its first hour at the start, and as its last at the end", () => {
    assert.equal(read(hourOrDay("T00"), "2025-11-10"), "2025-11-10T00")
    assert.equal(read(hourOrDay("T23"), "2025-11-10"), "2025-11-10T23")
    assert.equal(read(hourOrDay("T23"), "20240229"), "2024-02-29T23")
  })

  it("refuses dates that do not exist, and names the forms", () => {
    refuses(
      hourOrDay("T00"),
      [
        "2025-02-30",
        "2025-02-29T00",
        "20251310T00",
        "2025-11-10T24",
        "2025-11-10T",
        "2025-11-10 07",
        "2025-11-10T07:00",
        "2025-11-10T07Z",
        "2025-11",
        "10.11.2025",
        "yesterday",
        "--yesterday"
      ],
      /2025-11-10T00 or 20251110T00, or a day such as 2025-11-10/
    )
  })
})

function millis(value: string): number {
  return Duration.toMillis(read(duration, value))
}

describe("duration", () => {
  it("takes seconds, minutes and hours, up to a year", () => {
    assert.equal(millis("90s"), 90_000)
    assert.equal(millis("30m"), 1_800_000)
    assert.equal(millis("2h"), 7_200_000)
    assert.equal(millis("8760h"), 31_536_000_000)
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
        "2d",
        "90 s",
        "1h30m",
        "8761h",
        `${"9".repeat(400)}s`
      ],
      /90s, 30m or 2h/
    )
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
