import { Effect, Layer } from "effect"
import { Unpacker } from "../../services/Unpacker.ts"
import { digestHere, makeUnpacker } from "./makeUnpacker.ts"

/**
 * Reads the spooled file by its central directory and inflates with Node's zlib, in constant
 * memory.
 */
export function make(): Effect.Effect<Unpacker["Type"]> {
  return Effect.sync(() => makeUnpacker(digestHere))
}

/**
 * @example
 * ```ts
 * import * as UnpackerZip from "amplitude-lake/layers/UnpackerZip"
 *
 * export const unpacker = UnpackerZip.layer()
 * ```
 */
export function layer(): Layer.Layer<Unpacker> {
  return Layer.effect(Unpacker, make())
}
