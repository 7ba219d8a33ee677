import { createGunzip } from "node:zlib"
import { Effect, type Scope } from "effect"
import type { UnpackerError } from "../../../services/Unpacker.ts"
import { openInflater, slices } from "./inflater.ts"
import { openGunzipHere } from "./inflateHere.ts"
import { type InflateWay, isHere } from "./inflateWay.ts"
import { fromPromise, fromSync } from "../reader.ts"
import type { Refuse } from "../refusal.ts"

/** Gunzips what it is fed, and passes each chunk on before making the next one, which may use its memory again. */
export interface GunzipFed {
  readonly push: <E, R>(
    bytes: Uint8Array,
    use: Use<E, R>
  ) => Effect.Effect<void, UnpackerError | E, R>
  /** Afterwards every byte has been read. */
  readonly finish: <E, R>(use: Use<E, R>) => Effect.Effect<void, UnpackerError | E, R>
}

type Use<E, R> = (chunk: Uint8Array) => Effect.Effect<void, E, R>

/** Open until its scope closes. */
export function openGunzip(
  way: InflateWay,
  refuse: Refuse
): Effect.Effect<GunzipFed, never, Scope.Scope> {
  return isHere(way) ? openHere(refuse) : openElsewhere(refuse)
}

function openHere(refuse: Refuse): Effect.Effect<GunzipFed, never, Scope.Scope> {
  return Effect.acquireRelease(
    Effect.sync(() => openGunzipHere(refuse)),
    ({ close }) => Effect.sync(close)
  ).pipe(
    Effect.map(({ finish, push }) => ({
      push: (bytes, use) => Effect.suspend(() => each(push(bytes), use)),
      finish: (use) => Effect.suspend(() => each(finish(), use))
    }))
  )
}

/** Unlike `Effect.forEach`, takes a chunk only when the last one has been used. */
function each<E, R>(chunks: Iterable<Uint8Array>, use: Use<E, R>) {
  const iterator = chunks[Symbol.iterator]()
  let isOver = false
  return Effect.whileLoop({
    while: () => !isOver,
    body: () =>
      Effect.flatMap(
        fromSync(() => iterator.next()),
        ({ done, value }) => {
          isOver = done === true
          return done === true ? Effect.void : use(value)
        }
      ),
    step: () => {}
  })
}

function openElsewhere(refuse: Refuse): Effect.Effect<GunzipFed, never, Scope.Scope> {
  return Effect.acquireRelease(
    Effect.sync(() => openInflater(createGunzip({ chunkSize: 256 * 1024 }), refuse)),
    (inflater) => Effect.sync(() => inflater.close())
  ).pipe(
    Effect.map(({ finish, push, take }) => {
      const using = <E, R>(work: () => Promise<void>, use: Use<E, R>) =>
        Effect.flatMap(
          fromPromise(async () => {
            await work()
            return take()
          }),
          Effect.forEach(use, { discard: true })
        )
      return {
        push: (bytes, use) =>
          Effect.forEach(slices(bytes), (slice) => using(() => push(slice), use), {
            discard: true
          }),
        finish: (use) => using(finish, use)
      }
    })
  )
}
