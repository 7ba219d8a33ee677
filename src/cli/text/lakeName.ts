import { join } from "node:path"
import type { Store } from "../settings/settingsOf.ts"

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

/** A lake in a webhook's body. */
export interface Lake {
  readonly store: "s3" | "azure" | "local" | "memory"
  readonly prefix: string
  /** Bucket, container or folder. */
  readonly place: string
}

/** The parts of a lake's name. */
export function lakeOf(store: Store): Lake {
  const { prefix } = store
  switch (store._tag) {
    case "S3":
      return { store: "s3", prefix, place: store.bucket }
    case "Azure":
      return { store: "azure", prefix, place: `${store.account}/${store.container}` }
    case "Local":
      return { store: "local", prefix, place: store.folder }
    case "Memory":
      return { store: "memory", prefix, place: "memory" }
  }
}
