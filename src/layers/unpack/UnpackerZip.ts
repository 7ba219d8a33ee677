import { Effect, Layer } from "effect"
import { Unpacker } from "../../services/Unpacker.ts"
import type { InflateWay } from "./gzip/inflateWay.ts"
import { digestHere, makeUnpacker } from "./makeUnpacker.ts"

export interface UnpackerZipOptions {
  /**
   * `fast` uses calls inside Node that it does not document, if they pass a test; `portable` only
   * documented ones. Defaults to `fast`.
   */
  readonly inflate?: InflateWay | undefined
}

/**
 * Reads the spooled file by its central directory and inflates with Node's zlib, in constant
 * memory.
 */
export function make({ inflate = "fast" }: UnpackerZipOptions = {}): Effect.Effect<
  Unpacker["Type"]
> {
  return Effect.sync(() => makeUnpacker(digestHere, inflate))
}

/**
 * @example
 * ```ts
 * import * as UnpackerZip from "amplitude-lake/layers/UnpackerZip"
 *
 * export const unpacker = UnpackerZip.layer()
 * ```
 */
export function layer(options?: UnpackerZipOptions): Layer.Layer<Unpacker> {
  return Layer.effect(Unpacker, make(options))
}
