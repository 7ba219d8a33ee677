import { join } from "node:path"
import type { CommonSettings, SettingsOf, Store } from "../settings/settingsOf.ts"

/** Settings that may name a lake: a store, or the bucket that is to be set up for one. */
export type LakeSettings = Pick<CommonSettings, "store"> &
  Partial<Pick<SettingsOf<"setup bucket">, "bucket" | "prefix">>

/** Which lake: its store and prefix, as metrics, webhook and messages name it. */
export function lakeName(store: Store): string {
  switch (store._tag) {
    case "S3":
      return `s3://${store.bucket}/${store.prefix}`
    case "Azure":
      return `azure://${store.account}/${store.container}/${store.prefix}`
    case "Local":
      return join(store.folder, store.prefix)
    case "Memory":
      return `memory:${store.prefix}`
  }
}

/** The lake that a command's settings name. */
export function lakeOf({
  bucket,
  prefix = "",
  store
}: LakeSettings): { readonly store: string; readonly prefix: string } | null {
  if (store !== undefined) return { store: lakeName(store), prefix: store.prefix }
  return bucket === undefined ? null : { store: `s3://${bucket}/${prefix}`, prefix }
}
