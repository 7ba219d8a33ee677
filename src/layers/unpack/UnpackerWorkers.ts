import { availableParallelism } from "node:os"
import { Config, type ConfigError, Effect, Layer, type Scope } from "effect"
import { Unpacker } from "../../services/Unpacker.ts"
import { withReader } from "./reader.ts"
import { openDigestPool } from "./pool.ts"
import { digestHere, makeUnpacker } from "./makeUnpacker.ts"
import type { UnpackerZipOptions } from "./UnpackerZip.ts"

/** More would wait for the disk, and each needs memory. */
const MOST_WORKERS = 4

export interface UnpackerWorkersOptions extends UnpackerZipOptions {
  /**
   * Archives smaller than this, in bytes, are read in this thread, before a worker could start.
   * Defaults to 4 MiB.
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
  const pool = yield* Effect.acquireRelease(Effect.sync(openDigestPool), ({ close }) =>
    Effect.promise(close)
  )
  const free = yield* Effect.makeSemaphore(Math.min(availableParallelism(), MOST_WORKERS))
  const here = digestHere(inflate)
  return makeUnpacker(
    (archive, parts, format, budget) =>
      archive.size < smallArchive
        ? here(archive, parts, format, budget)
        : withReader(archive, (read) =>
            pool.digest(read, { path: archive.path, parts, format, budget, inflate })
          ).pipe(free.withPermits(1)),
    inflate
  )
})

/**
 * Like `UnpackerZip`, but digests the hours of large archives in worker threads, one per processor
 * and at most four.
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
