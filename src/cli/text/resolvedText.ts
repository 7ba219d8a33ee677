import type { ResolvedConflict } from "../../programs/resolve/resolveConflict.ts"
import type { Store } from "../settings/settingsOf.ts"
import { keyText } from "./keyText.ts"
import { removalCommand } from "./removalCommand.ts"

/** Which version counts from now on, where the others are, and what removes them. */
export function resolvedText(resolved: ResolvedConflict, store: Store): string {
  const { hour, keep, object, removed, replaced, superseded } = resolved
  const versions = new Map([
    ["store", "the store's version"],
    ["ours", "our version"]
  ])
  return [
    `resolved  ${hour}: ${versions.get(keep) ?? "this version"} counts from now on`,
    `object    ${keyText(object)}`,
    ...(replaced === null ? [] : [`replaced  ${replaced} keeps what was there before`]),
    ...superseded.map((it) => supersededText(it, store)),
    ...removed.map((copy) => `removed   ${copy}`)
  ].join("\n")
}

/** An object that no longer counts, and the command that removes it. */
export function supersededText(
  { key, object }: ResolvedConflict["superseded"][number],
  store: Store
): string {
  const command = removalCommand(store, key)
  const text = `superseded  ${keyText(object)}`
  return command === "" ? text : `${text}; what removes it: ${command}`
}
