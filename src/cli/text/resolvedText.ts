import type { ResolvedConflict } from "../../programs/resolve/resolveConflict.ts"

/** Which version counts from now on, and where the other one is. */
export function resolvedText({ hour, keep, object, removed, replaced }: ResolvedConflict): string {
  const whose = keep === "store" ? "the store's version" : "our version"
  return [
    `resolved  ${hour}: ${whose} counts from now on`,
    `object    ${object}`,
    ...(replaced === null ? [] : [`replaced  ${replaced} keeps what was there before`]),
    ...removed.map((copy) => `removed   ${copy}`)
  ].join("\n")
}
