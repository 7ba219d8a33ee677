import { it as effectIt } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, type Layer, Option, Scope, Stream } from "effect"
import { assert } from "vitest"
import { Hour } from "../../src/services/Hour.ts"
import { type ArchiveName, Spool, type SpooledArchive } from "../../src/services/Spool.ts"
import { Window } from "../../src/services/Window.ts"

/** The name of an archive of one source, by its first and last hour. */
export function archiveName(
  identity: string,
  first = "2025-11-10T00",
  last = first,
  askedAt = 1_762_905_600_000
): ArchiveName {
  const window = new Window({ first: Hour.make(first), last: Hour.make(last) })
  return { identity, window, askedAt }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

function bodyOf(text: string): Stream.Stream<Uint8Array> {
  return Stream.fromIterable(text.match(/.{1,3}/gs) ?? []).pipe(
    Stream.map((part) => encoder.encode(part))
  )
}

/** Saves some text under a name. */
export const saveText = (name: ArchiveName, text: string) =>
  Effect.flatMap(Spool, (spool) => spool.save(name, bodyOf(text), Option.none()))

/** The whole archive as text. */
export const readText = (archive: SpooledArchive) =>
  Effect.map(archive.read(0, archive.size), (bytes) => decoder.decode(bytes))

/** Holds a free archive as long as the scope is open. */
export const claimed = (name: ArchiveName) =>
  Effect.flatMap(Spool, (spool) => Effect.map(spool.claim(name), Option.getOrThrow))

const listed = (identity: string) => Effect.flatMap(Spool, (spool) => spool.list(identity))

/** What every `Spool` layer must do, whatever is behind it. */
export function spoolContract<E>(name: string, layer: Layer.Layer<Spool, E>) {
  effectIt.layer(layer)(`${name} keeps the Spool contract`, (it) => {
    it.scoped("reads what was saved, from anywhere", () =>
      Effect.gen(function* () {
        const name = archiveName("reads", "2025-11-10T00", "2025-11-10T23")
        const archive = yield* saveText(name, "0123456789")
        assert.strictEqual(archive.size, 10)
        assert.deepInclude(archive, name)
        assert.strictEqual(yield* readText(archive), "0123456789")
        assert.strictEqual(decoder.decode(yield* archive.read(3, 4)), "3456")
        assert.strictEqual(decoder.decode(yield* archive.read(8, 4)), "89")
        assert.strictEqual((yield* archive.read(10, 4)).length, 0)
        assert.strictEqual((yield* archive.read(3, 0)).length, 0)
      })
    )

    it.scoped("hands out bytes that the reader may take over", () =>
      Effect.gen(function* () {
        const archive = yield* saveText(archiveName("given"), "0123456789")
        const { buffer } = yield* archive.read(0, 10)
        structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
        assert.strictEqual(yield* readText(archive), "0123456789")
      })
    )

    it.scoped("reads into the memory that it is given", () =>
      Effect.gen(function* () {
        const archive = yield* saveText(archiveName("into"), "0123456789")
        const into = new Uint8Array(16)
        for (const [position, length, text] of [
          [0, 10, "0123456789"],
          [3, 4, "3456"],
          [8, 4, "89"]
        ] as const) {
          const bytes = yield* archive.read(position, length, into)
          assert.strictEqual(bytes.buffer, into.buffer)
          assert.strictEqual(bytes.byteOffset, 0)
          assert.strictEqual(decoder.decode(bytes), text)
        }
      })
    )

    it.scoped("keeps an archive without bytes", () =>
      Effect.gen(function* () {
        const archive = yield* saveText(archiveName("empty"), "")
        assert.strictEqual(archive.size, 0)
        assert.strictEqual((yield* archive.read(0, 1)).length, 0)
      })
    )

    it.scoped("carries 20 MB, whether or not the size is known", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const chunks = Array.from({ length: 200 }, (_, index) =>
          new Uint8Array(100_003).fill(index)
        )
        for (const size of [Option.none(), Option.some(200 * 100_003)]) {
          const archive = yield* spool.save(archiveName("large"), Stream.fromIterable(chunks), size)
          assert.strictEqual(archive.size, 200 * 100_003)
          const across = yield* archive.read(7 * 100_003 - 1, 100_005)
          assert.strictEqual(across.length, 100_005)
          assert.deepStrictEqual([across[0], across[1], across.at(-2), across.at(-1)], [6, 7, 7, 8])
        }
      })
    )

    it.effect("flushes what it holds, as often as it is called, and keeps it readable", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const name = archiveName("flushed")
        const flushed = yield* Effect.gen(function* () {
          const archive = yield* saveText(name, "0123456789")
          yield* Effect.all([spool.flush(archive), spool.flush(archive)], {
            concurrency: "unbounded"
          })
          yield* spool.flush(archive)
          assert.strictEqual(yield* readText(archive), "0123456789")
          return archive
        }).pipe(Effect.scoped)
        assert.strictEqual((yield* Effect.flip(spool.flush(flushed))).reason, "Failed")
        yield* Effect.gen(function* () {
          const archive = yield* claimed(name)
          yield* spool.flush(archive)
          assert.strictEqual(yield* readText(archive), "0123456789")
        }).pipe(Effect.scoped)
        assert.deepStrictEqual(yield* listed("flushed"), [name])
      })
    )

    it.effect("flushes no archive that was dropped", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const archive = yield* saveText(archiveName("dropped"), "refused")
        yield* spool.drop(archive)
        assert.strictEqual((yield* Effect.flip(spool.flush(archive))).reason, "Failed")
      }).pipe(Effect.scoped)
    )

    it.effect("gives scratch back as often as it is read, and lists none of it", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const before = yield* spool.survey
        yield* Effect.gen(function* () {
          const body = yield* spool.scratch(bodyOf("0123456789"))
          for (let round = 0; round < 2; round++) {
            const chunks = yield* Stream.runCollect(body)
            assert.strictEqual([...chunks].map((it) => decoder.decode(it)).join(""), "0123456789")
          }
          assert.deepStrictEqual(yield* spool.survey, before)
          assert.strictEqual(
            yield* Effect.flip(spool.scratch(Stream.concat(bodyOf("01"), Stream.fail("lost")))),
            "lost"
          )
        }).pipe(Effect.scoped)
        assert.deepStrictEqual(yield* spool.survey, before)
      })
    )

    it.effect("puts an archive back when its scope closes, for the next to claim", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const name = archiveName("put back")
        yield* Effect.gen(function* () {
          yield* saveText(name, "kept")
          assert.deepStrictEqual(yield* listed("put back"), [])
          assert.isTrue(Option.isNone(yield* spool.claim(name)))
        }).pipe(Effect.scoped)
        for (let round = 0; round < 2; round++) {
          assert.deepStrictEqual(yield* listed("put back"), [name])
          yield* Effect.gen(function* () {
            const archive = yield* claimed(name)
            assert.deepInclude(archive, name)
            assert.strictEqual(archive.size, 4)
            assert.strictEqual(yield* readText(archive), "kept")
            assert.deepStrictEqual(yield* listed("put back"), [])
          }).pipe(Effect.scoped)
        }
      })
    )

    it.effect("puts an archive back when its holder fails", () =>
      Effect.gen(function* () {
        const name = archiveName("holder fails")
        yield* saveText(name, "kept").pipe(
          Effect.zipRight(Effect.fail("no luck")),
          Effect.scoped,
          Effect.flip
        )
        assert.deepStrictEqual(yield* listed("holder fails"), [name])
      })
    )

    it.effect("lets one of ten claims win", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const name = archiveName("claims")
        yield* Effect.scoped(saveText(name, "for one"))
        const claims = yield* Effect.forEach(Array.from({ length: 10 }), () => spool.claim(name), {
          concurrency: "unbounded"
        }).pipe(Effect.scoped)
        assert.strictEqual(claims.filter(Option.isSome).length, 1)
        assert.deepStrictEqual(yield* listed("claims"), [name])
      })
    )

    it.scoped("claims nothing that was never saved", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        assert.isTrue(Option.isNone(yield* spool.claim(archiveName("never saved"))))
      })
    )

    it.effect("drops an archive, whether saved or claimed", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const name = archiveName("drops")
        const dropped = yield* Effect.scoped(
          Effect.tap(saveText(name, "done"), (archive) =>
            Effect.zipRight(spool.drop(archive), spool.drop(archive))
          )
        )
        assert.deepStrictEqual(yield* listed("drops"), [])
        assert.strictEqual((yield* Effect.flip(spool.drop(dropped))).reason, "Failed")
        yield* Effect.scoped(saveText(name, "again"))
        yield* Effect.scoped(Effect.flatMap(claimed(name), spool.drop))
        assert.deepStrictEqual(yield* listed("drops"), [])
      })
    )

    it.effect("reads no archive whose scope is closed", () =>
      Effect.gen(function* () {
        const archive = yield* Effect.scoped(saveText(archiveName("closed"), "over"))
        assert.strictEqual((yield* Effect.flip(archive.read(0, 4))).method, "read")
      })
    )

    it.effect("leaves nothing when the body fails, and passes its error on", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const body = Stream.concat(bodyOf("half"), Stream.fail("the body's own" as const))
        const error = yield* spool
          .save(archiveName("fails"), body, Option.some(8))
          .pipe(Effect.scoped, Effect.flip)
        assert.strictEqual(error, "the body's own")
        assert.deepStrictEqual(yield* listed("fails"), [])
      })
    )

    it.effect("leaves nothing when it is interrupted", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const reached = yield* Deferred.make<void>()
        const body = bodyOf("half").pipe(
          Stream.concat(Stream.drain(Deferred.succeed(reached, undefined))),
          Stream.concat(Stream.never)
        )
        const fiber = yield* spool
          .save(archiveName("interrupted"), body, Option.none())
          .pipe(Effect.scoped, Effect.fork)
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(yield* listed("interrupted"), [])
      })
    )

    it.effect("lists one source's archives only, oldest window first", () =>
      Effect.gen(function* () {
        const names = [
          archiveName("source", "2025-11-10T00", "2025-11-10T05"),
          archiveName("source", "2025-11-10T00", "2025-11-10T11", 999),
          archiveName("source", "2025-11-10T00", "2025-11-10T11", 1_000),
          archiveName("source", "2025-11-10T07"),
          archiveName("source", "2025-11-11T00")
        ]
        const tilde = archiveName("source~2")
        const others = [archiveName("sourc"), tilde, archiveName("sources")]
        yield* Effect.forEach([...others, ...names.toReversed()], (name) =>
          Effect.scoped(saveText(name, "x"))
        )
        assert.deepStrictEqual(yield* listed("source"), names)
        assert.deepStrictEqual(yield* listed("source~2"), [tilde])
        assert.deepStrictEqual(yield* listed("sour"), [])
      })
    )

    it.effect("holds two archives of one name apart, and keeps the last that is put back", () =>
      Effect.gen(function* () {
        const name = archiveName("twins")
        const [one, other] = [yield* Scope.make(), yield* Scope.make()]
        const first = yield* Scope.extend(saveText(name, "first"), one)
        const second = yield* Scope.extend(saveText(name, "second"), other)
        assert.notStrictEqual(first.path, second.path)
        assert.strictEqual(yield* readText(first), "first")
        assert.strictEqual(yield* readText(second), "second")
        yield* Scope.close(one, Exit.void)
        assert.strictEqual(yield* readText(second), "second")
        yield* Scope.close(other, Exit.void)
        assert.deepStrictEqual(yield* listed("twins"), [name])
        assert.strictEqual(yield* Effect.scoped(Effect.flatMap(claimed(name), readText)), "second")
      })
    )

    it.scoped("surveys the archives of every source that nobody holds, and prunes none", () =>
      Effect.gen(function* () {
        const spool = yield* Spool
        const names = [archiveName("surveyed"), archiveName("surveyed-too", "2025-11-11T00")]
        yield* Effect.forEach(names, (name) => Effect.scoped(saveText(name, "seven b")))
        yield* saveText(archiveName("surveyed-and-held"), "x")
        yield* spool.prune
        const { archives, halves } = yield* spool.survey
        const found = archives.filter(({ identity }) => identity.startsWith("surveyed"))
        assert.sameDeepMembers(
          found.map(({ identity, size, window }) => [identity, size, String(window)]),
          names.map(({ identity, window }) => [identity, 7, String(window)])
        )
        assert.deepStrictEqual(halves, [])
        assert.deepStrictEqual(yield* listed("surveyed"), names.slice(0, 1))
      })
    )

    for (const identity of ["../outside", "a/b", ".hidden", ""]) {
      it.scoped(`refuses the identity "${identity}"`, () =>
        Effect.gen(function* () {
          const error = yield* Effect.flip(saveText(archiveName(identity), "x"))
          assert.strictEqual(error.reason, "Failed")
        })
      )
    }
  })
}
