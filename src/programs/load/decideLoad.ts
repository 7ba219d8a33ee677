import type { HourMetadata } from "../../services/HourMetadata.ts"
import { sameLines } from "../../services/LinesDigest.ts"
import type { LoadedHour } from "../../services/Warehouse.ts"
import type { HourObject } from "../plan/inventory.ts"

/** What the store has of an hour. */
export type InStore =
  | { readonly _tag: "Nothing" }
  /** One object with our metadata: landed, or empty. */
  | {
      readonly _tag: "Ours"
      readonly etag: string
      readonly metadata: HourMetadata
    }
  /** One object, or parts of one hour, without our metadata. */
  | { readonly _tag: "Unverified"; readonly etag: string }
  /** Two objects, between which nobody has chosen. */
  | { readonly _tag: "Several" }

/** What becomes of an hour. */
export type Decision =
  /** Neither store nor ledger has it. */
  | "nothing"
  | "load"
  /** Loaded from just this object. */
  | "skip"
  /** Loaded, and no longer in the store. */
  | "keep"
  /** Other bytes with the same digests: they are read, and then the ledger names them. */
  | "relabel"
  | "replace"
  /** Without metadata, so that it is loaded only on request. */
  | "leave"
  | "conflict"

export interface DecideOptions {
  /** Whether hours without our metadata are loaded. Defaults to `false`. */
  readonly unverified?: boolean | undefined
  /** Whether a person has decided that what the store has replaces what is loaded. */
  readonly replace?: boolean | undefined
}

/** Decides about an hour by what the store and the ledger have of it. */
export function decideLoad(
  store: InStore,
  row: LoadedHour | undefined,
  { replace = false, unverified = false }: DecideOptions = {}
): Decision {
  if (store._tag === "Nothing") return row === undefined ? "nothing" : "keep"
  if (store._tag === "Several") return "conflict"
  if (row === undefined) {
    return store._tag === "Ours" || unverified || replace ? "load" : "leave"
  }
  if (replace) return "replace"
  if (store.etag === row.etag) return "skip"
  return store._tag === "Ours" ? decideChanged(store, row) : "conflict"
}

/** An object that is not the one which the hour was loaded from. */
function decideChanged(
  { metadata }: Extract<InStore, { readonly _tag: "Ours" }>,
  row: LoadedHour
): Decision {
  if (metadata.sha256 === row.sha256 || sameLines(metadata, row)) return "relabel"
  // An erasure that was not followed would keep a person's data.
  if (metadata.events === 0 && metadata.redacted === 0) return "conflict"
  const isNewer = metadata.replaces.includes(row.lineset) || row.events === 0
  return isNewer ? "replace" : "conflict"
}

/** Several objects as one: all of an hour's parts are loaded together. */
export function etagOf(objects: ReadonlyArray<HourObject>): string {
  return objects.map(({ etag }) => etag).join(",")
}

/** What a listing tells of an hour; `undefined` where its object has to be looked up. */
export function inListing(
  objects: ReadonlyArray<HourObject>,
  row: LoadedHour | undefined
): InStore | undefined {
  const [first] = objects
  if (first === undefined) return { _tag: "Nothing" }
  const areParts = objects.every(({ form }) => form === "parts")
  if (objects.length > 1 && !areParts) return { _tag: "Several" }
  const etag = etagOf(objects)
  // Whose it is does not matter where it is loaded.
  if (areParts || first.hasMetadata === false || etag === row?.etag) {
    return { _tag: "Unverified", etag }
  }
  return undefined
}
