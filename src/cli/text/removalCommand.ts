import { join } from "node:path"
import type { Store } from "../settings/settingsOf.ts"
import { shellWord } from "./keyText.ts"

/** What a person types to remove an object from a store; empty where nothing outlives the program. */
export function removalCommand(store: Store, key: string): string {
  switch (store._tag) {
    case "S3":
      return `aws s3 rm ${shellWord(`s3://${store.bucket}/${store.prefix}${key}`)}`
    case "Azure":
      return [
        "az storage blob delete",
        `--account-name ${shellWord(store.account)}`,
        `--container-name ${shellWord(store.container)}`,
        `--name ${shellWord(`${store.prefix}${key}`)}`
      ].join(" ")
    case "Local":
      return `rm ${shellWord(join(store.folder, `${store.prefix}${key}`))}`
    case "Memory":
      return ""
  }
}
