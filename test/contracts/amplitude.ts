import { it } from "@effect/vitest"
import { Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js"
import { Chunk, Deferred, Effect, Fiber, type Layer, Option, Stream } from "effect"
import { gunzipSync } from "node:zlib"
import { assert } from "vitest"
import { Amplitude, type AmplitudeError } from "../../src/services/Amplitude.ts"
import { addHours, Hour } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"

export interface ArchivedPart {
  readonly name: string
  readonly project: string
  readonly hour: Hour
  readonly number: number
  readonly text: string
  /** Those that are not empty. */
  readonly lines: ReadonlyArray<string>
}

const partName = /^(\d+)\/(\d+)_(\d{4}-\d{2}-\d{2})_(0|[1-9]\d?)#(\d+)\.json\.gz$/

/** The parts of an archive, as a reader gives them that takes no archive which two readers could read differently. */
export async function readArchive(bytes: Uint8Array): Promise<ReadonlyArray<ArchivedPart>> {
  const reader = new ZipReader(new Uint8ArrayReader(bytes), {
    strictness: "strict",
    checkSignature: true,
    checkOverlappingEntry: true,
    useWebWorkers: false
  })
  const parts: Array<ArchivedPart> = []
  for (const entry of await reader.getEntries()) {
    if (entry.directory) continue
    const match = partName.exec(entry.filename)
    assert.isNotNull(match, `"${entry.filename}" is no part's name`)
    const [, folder, project = "", date, clock = "", number] = match
    assert.strictEqual(folder, project)
    const text = gunzipSync(await entry.getData(new Uint8ArrayWriter())).toString()
    parts.push({
      name: entry.filename,
      project,
      hour: Hour.make(`${date}T${clock.padStart(2, "0")}`),
      number: Number(number),
      text,
      lines: text.split("\n").filter((line) => line !== "")
    })
  }
  await reader.close()
  return parts
}

/** Asks for a window and takes its whole archive. */
export const download: (
  window: Window
) => Effect.Effect<Option.Option<Uint8Array>, AmplitudeError, Amplitude> = Effect.fnUntraced(
  function* (window) {
    const { archive } = yield* (yield* Amplitude).export(window)
    if (Option.isNone(archive)) return Option.none()
    const chunks = yield* Stream.runCollect(archive.value.bytes)
    const bytes = new Uint8Array(Buffer.concat(Chunk.toReadonlyArray(chunks)))
    const { size } = archive.value
    if (Option.isSome(size)) assert.strictEqual(bytes.length, size.value)
    return Option.some(bytes)
  },
  Effect.scoped
)

/** The parts of a window that has some. */
export const partsOf: (
  window: Window
) => Effect.Effect<ReadonlyArray<ArchivedPart>, AmplitudeError, Amplitude> = Effect.fnUntraced(
  function* (window) {
    const bytes = yield* download(window)
    assert.isTrue(Option.isSome(bytes), `there is no archive of ${window}`)
    return yield* Effect.promise(() => readArchive(Option.getOrThrow(bytes)))
  }
)

function linesOf(parts: ReadonlyArray<ArchivedPart>): ReadonlyArray<string> {
  return parts.flatMap(({ hour, lines }) => lines.map((line) => `${hour} ${line}`)).sort()
}

export interface AmplitudeContractWindows {
  /** Three hours or more, with events in the first and in the last. */
  readonly full: Window
  /** Without events. */
  readonly empty: Window
}

/** What every `Amplitude` layer must do, whatever is behind it. */
export function amplitudeContract<E>(
  name: string,
  layer: Layer.Layer<Amplitude, E>,
  { full, empty }: AmplitudeContractWindows
): void {
  it.layer(layer)(`${name} keeps the Amplitude contract`, (it) => {
    it.effect("has an identity that is safe in a file name", () =>
      Effect.gen(function* () {
        assert.match((yield* Amplitude).identity, /^[A-Za-z0-9][A-Za-z0-9._-]*$/)
      })
    )

    it.effect("exports the first and the last hour of a window and none outside", () =>
      Effect.gen(function* () {
        const parts = yield* partsOf(full)
        const hours = parts.map(({ hour }) => hour)
        assert.isTrue(hours.includes(full.first))
        assert.isTrue(hours.includes(full.last))
        assert.deepStrictEqual(
          hours.filter((hour) => !full.includes(hour)),
          []
        )
      })
    )

    it.effect("exports a single hour if only one is requested", () =>
      Effect.gen(function* () {
        for (const hour of [full.first, full.last]) {
          const parts = yield* partsOf(new Window({ first: hour, last: hour }))
          assert.deepStrictEqual([...new Set(parts.map((part) => part.hour))], [hour])
        }
      })
    )

    it.effect("exports the same lines for hours together as for hours alone", () =>
      Effect.gen(function* () {
        const together = yield* partsOf(full)
        const alone = yield* Effect.forEach(full.hours, (hour) =>
          Effect.flatMap(
            download(new Window({ first: hour, last: hour })),
            Option.match({
              onNone: () => Effect.succeed([]),
              onSome: (bytes) => Effect.promise(() => readArchive(bytes))
            })
          )
        )
        assert.isNotEmpty(linesOf(together))
        assert.deepStrictEqual(linesOf(alone.flat()), linesOf(together))
      })
    )

    it.effect("exports the same lines for two requests", () =>
      Effect.gen(function* () {
        const [once, again] = [yield* partsOf(full), yield* partsOf(full)]
        assert.deepStrictEqual(linesOf(once), linesOf(again))
      })
    )

    it.effect("numbers the parts of an hour from 0, each once, below one project", () =>
      Effect.gen(function* () {
        const parts = yield* partsOf(full)
        assert.strictEqual(new Set(parts.map(({ project }) => project)).size, 1)
        for (const hour of full.hours) {
          const numbers = parts.filter((part) => part.hour === hour).map(({ number }) => number)
          numbers.sort((one, other) => one - other)
          assert.deepStrictEqual(numbers, [...numbers.keys()])
        }
      })
    )

    it.effect("answers without an archive if there are no events", () =>
      Effect.gen(function* () {
        assert.isTrue(Option.isNone(yield* download(empty)))
      })
    )

    it.effect("exports an archive even if some hours of the window have no events", () =>
      Effect.gen(function* () {
        const [first, last] =
          empty.first < full.first ? [empty.first, full.first] : [full.last, empty.last]
        const parts = yield* partsOf(new Window({ first, last }))
        assert.isFalse(parts.some(({ hour }) => empty.includes(hour)))
      })
    )

    it.effect("refuses windows of more than 365 days permanently", () =>
      Effect.gen(function* () {
        const last = addHours(full.first, 365 * 24)
        const error = yield* Effect.flip(download(new Window({ first: full.first, last })))
        assert.strictEqual(error.reason, "Rejected")
        assert.isFalse(error.isTransient)
      })
    )

    it.effect("can be interrupted midway, repeatedly, and requested again", () =>
      Effect.gen(function* () {
        const amplitude = yield* Amplitude
        for (let time = 0; time < 8; time++) {
          const begun = yield* Deferred.make<void>()
          const fiber = yield* amplitude.export(full).pipe(
            Effect.flatMap(({ archive }) =>
              Option.getOrThrow(archive).bytes.pipe(
                Stream.runForEach(() =>
                  Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never)
                )
              )
            ),
            Effect.scoped,
            Effect.fork
          )
          yield* Effect.raceFirst(Deferred.await(begun), Fiber.join(fiber))
          yield* Fiber.interrupt(fiber)
        }
        assert.isNotEmpty(yield* partsOf(full))
      })
    )
  })
}
