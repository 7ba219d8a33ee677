import type { RedactionSummary } from "../../../programs/redact/RedactionSummary.ts"
import type { Hour } from "../../../services/Hour.ts"
import type { SettingsOf } from "../../settings/settingsOf.ts"
import { bytesText, plural } from "../printed.ts"

type Found = RedactionSummary & { readonly elsewhere: ReadonlyArray<string> }

/** One of each place, and several. */
const PLACES = {
  store: ["hour in the store", "hours in the store"],
  replaced: ["replaced version in the store", "replaced versions in the store"],
  staged: ["staged hour", "staged hours"],
  refused: ["copy of a refused hour", "copies of refused hours"],
  spooled: ["archive in the spool", "archives in the spool"],
  archive: ["kept archive", "kept archives"]
} as const satisfies Record<
  RedactionSummary["found"][number]["place"],
  readonly [one: string, several: string]
>

/** Files that are named before the rest is counted. */
const NAMED = 20

/** What was found by place, each file, and what may still hold these people. */
export function redactionText(found: Found, place: string): string {
  const { applied, elsewhere, failed, ids, postponed, searched, unparsed, unsearched } = found
  const rows: Array<readonly [string, string]> = [
    ["where", place],
    [
      "searched",
      `${plural(searched.objects, "file")}, ${plural(searched.lines, "line")}, ${bytesText(searched.bytes)}, for ${plural(ids, "id")}`
    ]
  ]
  const word = applied ? "removed" : "found"
  if (found.found.length === 0) rows.push([word, "no line about these people"])
  for (const [name, [one, several]] of Object.entries(PLACES)) {
    const here = found.found.filter((it) => it.place === name)
    if (here.length === 0) continue
    const lines = here.reduce((sum, it) => sum + it.lines, 0)
    rows.push([word, `${plural(lines, "line")} in ${plural(here.length, one, several)}`])
  }
  if (unparsed > 0) {
    rows.push([
      "unparsed",
      `${plural(unparsed, "line")} left in place, not readable as JSON: look at them`
    ])
  }
  if (postponed > 0)
    rows.push(["postponed", `${plural(postponed, "file")}, not reached: run it again`])
  if (failed.length > 0) rows.push(["failed", `${plural(failed.length, "file")}, listed below`])
  if (applied && found.found.some((it) => it.place === "store")) {
    rows.push(["warehouse", "load follows with its next run, then model or dbt build"])
  }
  if (found.unverified.length > 0) {
    rows.push(["unverified", unverifiedText(found.unverified)])
  }
  rows.push(["took", `${(found.durationMs / 1000).toFixed(1)} s`])
  return [
    ...rows.map(([name, text]) => `${name.padEnd(12)}${text}`),
    ...named(found.found.map((it) => `${it.fate}  ${it.path}: ${plural(it.lines, "line")}`)),
    ...failed.map(({ message, path }) => `failed  ${path}: ${message}`),
    ...named(unsearched.map(({ message, path }) => `not searched  ${path}: ${message}`)),
    "These may hold the same people, and are not searched:",
    ...elsewhere.map((it) => `- ${it}`),
    ...(applied || found.found.length === 0
      ? []
      : ["Nothing was changed. --yes removes these lines."])
  ].join("\n")
}

function named(list: ReadonlyArray<string>): ReadonlyArray<string> {
  return list.length <= NAMED
    ? list
    : [
        ...list.slice(0, NAMED),
        `and ${plural(list.length - NAMED, "more file", "more files")} (--json names all)`
      ]
}

function unverifiedText(hours: ReadonlyArray<Hour>): string {
  return `${plural(hours.length, "rewritten hour")} of other pipelines; where loaded: ${hours.map((hour) => `amplitude-lake load --replace ${hour}`).join("; ")}`
}

/** What may hold a person's events beyond the reach of this command. */
export function otherPlaces({
  archiveDir,
  store,
  warehouseFile
}: Pick<SettingsOf<"redact">, "archiveDir" | "store" | "warehouseFile">): ReadonlyArray<string> {
  return [
    ...versionsOf(store),
    "backups and copies of the store, such as those of copy",
    `the warehouse until the next load (${warehouseFile}, or Snowflake) and the tables that were made from it; backups of both; Snowflake's Time Travel and Fail-safe`,
    "staging, spools and archives of other machines: run the command there, too",
    ...(archiveDir === undefined ? ["kept archives: name their folder with --archive-dir"] : []),
    "Parquet folders until the next export after load and model, and copies of them; reports",
    "Amplitude itself: have the person deleted there, or hours that land later bring the events back"
  ]
}

function versionsOf(store: SettingsOf<"redact">["store"]): ReadonlyArray<string> {
  switch (store._tag) {
    case "S3":
      return [
        `earlier versions of objects in the bucket ${store.bucket}, if it has versioning, Object Lock or replication`
      ]
    case "Azure":
      return [
        `earlier versions, snapshots and soft-deleted blobs of the container ${store.container}`
      ]
    default:
      return ["snapshots of the file system that the folder is on"]
  }
}
