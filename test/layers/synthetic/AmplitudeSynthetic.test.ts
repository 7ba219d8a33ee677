import { describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import { createHash } from "node:crypto"
import { assert, it as test } from "vitest"
import { type ArchivePart, exportArchive } from "../../../src/layers/synthetic/exportArchive.ts"
import * as AmplitudeSynthetic from "../../../src/layers/synthetic/AmplitudeSynthetic.ts"
import { addHours, Hour } from "../../../src/services/Hour.ts"
import { Window } from "../../../src/services/Window.ts"
import { amplitudeContract, download, partsOf } from "../../contracts/amplitude.ts"
import { isLong } from "../../fixtures/long.ts"
import { hoursFrom, linesOf, textsOf } from "../../fixtures/archive/syntheticEvents.ts"

const midnight = Hour.make("2025-11-10T00")

/** The first window of this many hours that begins and ends with events, and the first hour without any. */
function windowsOf(options: AmplitudeSynthetic.AmplitudeSyntheticOptions, length: number) {
  const hasEvents = (hour: Hour) => textsOf(options, hour).length > 0
  const hours = hoursFrom(midnight, 200)
  const first = hours.find((hour) => hasEvents(hour) && hasEvents(addHours(hour, length - 1)))
  const empty = hours.find((hour) => !hasEvents(hour))
  assert.isDefined(first)
  assert.isDefined(empty)
  return {
    full: new Window({ first, last: addHours(first, length - 1) }),
    empty: new Window({ first: empty, last: empty })
  }
}

const small = { seed: 7, eventsPerHour: 40, project: "100011471" }
const { full, empty } = windowsOf(small, 6)

amplitudeContract("AmplitudeSynthetic", AmplitudeSynthetic.layer(small), { full, empty })

// As the facts about real exports have them, in Amplitude's order.
const keys =
  "$insert_id $insert_key $schema adid amplitude_attribution_ids amplitude_event_type amplitude_id app city client_event_time client_upload_time country data data_type device_brand device_carrier device_family device_id device_manufacturer device_model device_type dma event_id event_properties event_time event_type global_user_properties group_properties groups idfa ip_address is_attribution_event language library location_lat location_lng os_name os_version partner_id paying plan platform processed_time region sample_rate server_received_time server_upload_time session_id source_id start_version user_creation_time user_id user_properties uuid version_name".split(
    " "
  )

const times = [
  "client_event_time",
  "client_upload_time",
  "event_time",
  "processed_time",
  "server_received_time",
  "server_upload_time"
]

interface Event {
  readonly [key: string]: unknown
}

function minutesLate(event: Event): number {
  const [uploaded, happened] = [event["server_upload_time"], event["event_time"]]
  return (Date.parse(`${uploaded}Z`) - Date.parse(`${happened}Z`)) / 60_000
}

function isBetween(name: string, value: number, low: number, high: number): void {
  assert.isTrue(low <= value && value <= high, `${name}: ${value}`)
}

/** The bytes of `full` as a process in another time zone gets them. */
function inZone(zone: string) {
  return Effect.zipRight(
    Effect.sync(() => (process.env["TZ"] = zone)),
    download(full)
  )
}

describe("AmplitudeSynthetic", () => {
  it.effect("archives the very lines of its hours, byte for byte", () =>
    Effect.gen(function* () {
      const parts = yield* partsOf(full)
      const expected = full.hours.flatMap((hour) =>
        textsOf(small, hour).map((text, number) => [hour, number, text] as const)
      )
      assert.deepStrictEqual(
        parts.map(({ hour, number, text }) => [hour, number, text] as const),
        expected
      )
      assert.isTrue(parts.every(({ project }) => project === small.project))
    }).pipe(Effect.provide(AmplitudeSynthetic.layer(small)))
  )

  it.effect("gives the same archive in every time zone", () =>
    Effect.gen(function* () {
      const zone = process.env["TZ"]
      const [tokyo, lima] = yield* Effect.all([inZone("Asia/Tokyo"), inZone("America/Lima")]).pipe(
        Effect.ensuring(
          Effect.sync(() => {
            if (zone === undefined) delete process.env["TZ"]
            else process.env["TZ"] = zone
          })
        )
      )
      assert.isTrue(Option.isSome(tokyo))
      assert.isTrue(Buffer.from(Option.getOrThrow(tokyo)).equals(Option.getOrThrow(lima)))
    }).pipe(Effect.provide(AmplitudeSynthetic.layer(small)))
  )

  test("gives the same lines on every machine", () => {
    const hash = createHash("sha256")
    for (const line of linesOf({}, hoursFrom(midnight, 2))) hash.update(line)
    assert.strictEqual(
      hash.digest("hex"),
      "b442df86235566c7352f7161e8f1ea693a5c3df2f4acfa8edea9d67c85eaf90f"
    )
  })

  test("gives other lines for another seed, rate or project", () => {
    const worlds = [{}, { seed: 2 }, { eventsPerHour: 999 }, { project: "5" }].map((options) =>
      linesOf({ eventsPerHour: 50, ...options }, hoursFrom(midnight, 3))
        .map((line) => (JSON.parse(line) as Event)["device_id"])
        .filter((device) => device !== null)
    )
    for (const [index, devices] of worlds.entries()) {
      const others = new Set(worlds.toSpliced(index, 1).flat())
      assert.isNotEmpty(devices)
      assert.isFalse(devices.some((device) => others.has(device)))
    }
  })

  test("writes all 55 keys in alphabetical order, with Amplitude's types", () => {
    assert.strictEqual(keys.length, 55)
    for (const hour of full.hours) {
      for (const line of linesOf(small, [hour])) {
        const event = JSON.parse(line) as Event
        assert.deepStrictEqual(Object.keys(event), keys)
        assert.strictEqual(event["app"], 100_011_471)
        assert.match(String(event["amplitude_id"]), /^\d{12}$/)
        assert.match(
          String(event["uuid"]),
          /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-a[\da-f]{3}-[\da-f]{12}$/
        )
        assert.isString(event["ip_address"])
        assert.isTrue(Number.isInteger(event["session_id"]))
        for (const key of times) {
          assert.match(String(event[key]), /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}000$/)
        }
        assert.strictEqual(String(event["server_upload_time"]).slice(0, 13), hour.replace("T", " "))
        for (const key of ["data", "event_properties", "groups", "plan", "user_properties"]) {
          assert.isObject(event[key])
        }
      }
    }
  })

  test("has the features that make real events hard", () => {
    const lines = linesOf({ eventsPerHour: 300 }, hoursFrom(midnight, 24))
    const events = lines.map((line) => JSON.parse(line) as Event)
    const share = (test: (event: Event, line: string) => boolean) =>
      events.filter((event, index) => test(event, lines[index] ?? "")).length / events.length

    isBetween("bytes of a line", lines.join("").length / lines.length, 2200, 3200)
    isBetween(
      "minutes before",
      share((event) => Math.abs(minutesLate(event)) < 10),
      0.85,
      0.99
    )
    isBetween(
      "days late",
      share((event) => minutesLate(event) > 24 * 60),
      0.01,
      0.1
    )
    isBetween(
      "in the future",
      share((event) => minutesLate(event) < -60),
      0.001,
      0.05
    )
    isBetween(
      "anonymous",
      share((event) => event["user_id"] === null),
      0.2,
      0.6
    )
    isBetween(
      "no session",
      share((event) => event["session_id"] === -1),
      0.01,
      0.15
    )
    isBetween(
      "beyond ASCII",
      share((_, line) => /[^ -~]/.test(line)),
      0.3,
      1
    )
    isBetween(
      "emoji",
      share((_, line) => /\p{Extended_Pictographic}/u.test(line)),
      0.01,
      0.5
    )
    isBetween(
      "EMPTY",
      share((_, line) => line.includes('"EMPTY"')),
      1,
      1
    )
    isBetween(
      "above 2^53",
      share((_, line) => /"order_id":9007199254\d*[13579],/.test(line)),
      0.005,
      0.2
    )
    isBetween(
      "changed by a parser",
      share((event, line) => JSON.stringify(event) !== line),
      0.1,
      0.9
    )

    const insertIds = new Set(events.map((event) => event["$insert_id"]))
    isBetween("sent twice", 1 - insertIds.size / events.length, 0.001, 0.03)
    const types = new Set(events.map((event) => event["event_type"]))
    assert.isAbove(types.size, 6)
  })

  test("never uses a uuid twice", () => {
    const uuids = linesOf({ eventsPerHour: 300 }, hoursFrom(midnight, 48)).map(
      (line) => (JSON.parse(line) as Event)["uuid"]
    )
    assert.isAbove(uuids.length, 10_000)
    assert.strictEqual(new Set(uuids).size, uuids.length)
  })

  test("has about the requested number of events, and none in one hour of twelve", () => {
    for (const [rate, hours] of [
      [10, 600],
      [100, 72]
    ] as const) {
      const counts = hoursFrom(midnight, hours).map(
        (hour) => linesOf({ eventsPerHour: rate }, [hour]).length
      )
      const busy = counts.filter((count) => count > 0)
      const average = busy.reduce((one, other) => one + other, 0) / busy.length
      assert.isTrue(0.8 * rate < average && average < 1.2 * rate, `${average}`)
      assert.isAbove(Math.max(...busy), 2 * Math.min(...busy))
      const idle = 1 - busy.length / counts.length
      if (hours === 600) assert.isTrue(1 / 16 < idle && idle < 1 / 9, `${idle}`)
    }
  })

  test.runIf(isLong)("splits hours into parts, of which some lack their final newline", () => {
    const hours = hoursFrom(midnight, 100).map((hour) => textsOf({ eventsPerHour: 10 }, hour))
    const numbers = new Set(hours.map((parts) => parts.length))
    assert.isTrue([0, 1, 2, 3].every((number) => numbers.has(number)))
    const texts = hours.flat()
    const whole = texts.filter((text) => text.endsWith("}\n")).length
    const cut = texts.filter((text) => text.endsWith("}")).length
    assert.strictEqual(whole + cut, texts.length)
    assert.isTrue(0.1 < cut / texts.length && cut / texts.length < 0.3)

    const large = textsOf({ eventsPerHour: 25_000 }, addHours(midnight, 14))
    assert.isAbove(large.length, 3)
    for (const text of large) assert.isBelow(text.split("\n").length, 20_000)
  })

  test("adds broken lines only if requested, and changes no other", () => {
    const options = { seed: 2, eventsPerHour: 30 }
    for (const hour of hoursFrom(midnight, 30)) {
      const plain = linesOf(options, [hour])
      const broken = linesOf({ ...options, brokenLines: true }, [hour])
      assert.deepStrictEqual(broken.slice(0, plain.length), plain)
      if (plain.length === 0) {
        assert.deepStrictEqual(broken, [])
        continue
      }
      const [malformed = "", half = "", ...rest] = broken.slice(plain.length)
      assert.deepStrictEqual(rest, [])
      assert.throws(() => JSON.parse(malformed), SyntaxError)
      const { event_properties } = JSON.parse(half) as { event_properties: { query: string } }
      assert.match(event_properties.query, /[\ud800-\udbff]$/)
      assert.match(half, /\\ud83d"/)
    }
  })

  test("has no events at a rate of none", () => {
    const lines = linesOf({ eventsPerHour: 0 }, hoursFrom(midnight, 24))
    assert.deepStrictEqual(lines, [])
  })

  it.effect("names what its events depend on", () =>
    Effect.gen(function* () {
      const options = { seed: 3, eventsPerHour: 50, project: "77" }
      const named = yield* AmplitudeSynthetic.make(options)
      const plain = yield* AmplitudeSynthetic.make()
      assert.strictEqual(named.identity, "synthetic-77-3-50")
      assert.strictEqual(plain.identity, "synthetic-123456-1-1000")
      const broken = yield* AmplitudeSynthetic.make({ brokenLines: true })
      assert.strictEqual(broken.identity, "synthetic-123456-1-1000-broken")
    })
  )

  it.effect("refuses more than an archive can hold, before a byte flows", () =>
    Effect.gen(function* () {
      const window = new Window({ first: midnight, last: addHours(midnight, 23) })
      const error = yield* Effect.flip(download(window))
      assert.deepStrictEqual([error.reason, error.status], ["TooLarge", 400])
      assert.isFalse(error.isTransient)
    }).pipe(Effect.provide(AmplitudeSynthetic.layer({ eventsPerHour: 2_000_000 })))
  )

  it.effect("makes a part only when its bytes are requested", () =>
    Effect.gen(function* () {
      const made: Array<number> = []
      const parts: Iterable<ArchivePart> = {
        *[Symbol.iterator]() {
          for (let number = 0; number < 100; number++) {
            made.push(number)
            yield { hour: midnight, number, lines: new TextEncoder().encode(`{"n":${number}}\n`) }
          }
        }
      }
      // The folder's header, and then header, bytes and descriptor of three parts.
      const begun = Stream.take(exportArchive("1", parts), 3 + 3 * 3)
      yield* Stream.runDrain(begun)
      assert.deepStrictEqual(made, [0, 1, 2])
      yield* Stream.runDrain(begun)
      assert.deepStrictEqual(made, [0, 1, 2, 0, 1, 2])
    })
  )
})
