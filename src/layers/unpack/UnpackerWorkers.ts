import { availableParallelism } from "node:os"
import { Config, type ConfigError, Effect, Layer, type Scope, Stream } from "effect"
import type { Format } from "../../services/HourKey.ts"
import {
  type DigestOptions,
  type ObjectDigest,
  Unpacker,
  type UnpackerError
} from "../../services/Unpacker.ts"
import { withReader } from "./reader.ts"
import { digestToDraft } from "./digestToDraft.ts"
import { type WorkerPool, openWorkerPool } from "./threads/pool.ts"
import { digestHere, type DigestObject, digestObject, makeUnpacker } from "./makeUnpacker.ts"
import type { InflateWay } from "./gzip/inflateWay.ts"
import type { UnpackerZipOptions } from "./UnpackerZip.ts"

/** More would wait for the disk, and each needs memory. */
const MOST_WORKERS = 4

export interface UnpackerWorkersOptions extends UnpackerZipOptions {
  /**
   * Archives and objects smaller than this, in bytes, are read in this thread, before a worker could
   * start. Defaults to 4 MiB.
   */
  readonly smallArchive?: number | undefined
}

/** Workers start on demand and end with the scope. */
export const make: (
  options?: UnpackerWorkersOptions
) => Effect.Effect<Unpacker["Type"], never, Scope.Scope> = Effect.fnUntraced(function* ({
  inflate = "fast",
  smallArchive = 4 * 1024 ** 2
} = {}) {
  const pool = yield* Effect.acquireRelease(Effect.sync(openWorkerPool), ({ close }) =>
    Effect.promise(close)
  )
  const free = yield* Effect.makeSemaphore(Math.min(availableParallelism(), MOST_WORKERS))
  return makeUnpacker(
    (archive, hour, draft) =>
      archive.size < smallArchive
        ? digestHere(archive, hour, draft)
        : digestToDraft(draft, (file) =>
            withReader(archive, (read) => pool.digest(read, { ...hour, file })).pipe(
              free.withPermits(1)
            )
          ),
    inflate,
    digestThere(pool, inflate, smallArchive, free)
  )
})

/** Digests large objects in a worker, unless their lines are parsed. */
function digestThere(
  pool: WorkerPool,
  inflate: InflateWay,
  small: number,
  free: Effect.Semaphore
): DigestObject {
  return <E, E2, R>(
    path: string,
    body: Stream.Stream<Uint8Array, E>,
    format: Format,
    options: DigestOptions<E2, R> = {}
  ) => {
    const { onLines = () => Effect.void, parse = false, size = 0 } = options
    const here = digestObject(inflate)
    if (parse || size < small) return here(path, body, format, options)
    const isSending = options.onLines !== undefined
    return Effect.acquireUseRelease(
      Effect.sync(() => pool.stream({ path, format, inflate, isSending })),
      (worker) => {
        if (worker === undefined) return here(path, body, format, options)
        const feed = Effect.zipRight(Stream.runForEach(body, worker.feed), worker.end)
        const take: Effect.Effect<ObjectDigest, UnpackerError | E2, R> = Effect.suspend(() =>
          Effect.flatMap(worker.next, (it) =>
            it instanceof Uint8Array ? Effect.zipRight(onLines(it), take) : Effect.succeed(it)
          )
        )
        return Effect.map(Effect.zip(feed, take, { concurrent: true }), ([, digest]) => digest)
      },
      (worker) => worker?.close ?? Effect.void
    ).pipe(free.withPermits(1), Effect.withSpan("Unpacker.digest"))
  }
}

/**
 * Like `UnpackerZip`, but digests the hours of large archives, and large objects, in worker threads: one
 * per processor, and at most four. They also write the drafts.
 *
 * @example
 * ```ts
 * import * as UnpackerWorkers from "amplitude-lake/layers/UnpackerWorkers"
 *
 * export const unpacker = UnpackerWorkers.layer({ smallArchive: 1024 ** 2 })
 * ```
 */
export function layer(options?: UnpackerWorkersOptions): Layer.Layer<Unpacker> {
  return Layer.scoped(Unpacker, make(options))
}

/** `layer` with its options from `Config`. */
export function layerConfig(
  config: Config.Config.Wrap<UnpackerWorkersOptions>
): Layer.Layer<Unpacker, ConfigError.ConfigError> {
  return Layer.unwrapEffect(Effect.map(Config.unwrap(config), layer))
}
