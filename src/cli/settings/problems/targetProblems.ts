/**
 * Problems between the settings of a copy's target.
 *
 * @module
 */
import { type ReadSettings, type Sources, storeNamed } from "../readSettings.ts"
import { type SettingName, settings, targetPlace, type Values } from "../table.ts"
import { flagOf, isTyped, type Problems } from "./flags.ts"

/** What a target's store has no use for. */
const foreignTarget = {
  s3: ["toContainer", "toLocalDir"],
  azure: ["toBucket", "toLocalDir"],
  local: ["toBucket", "toContainer"],
  memory: ["toBucket", "toContainer"]
} as const satisfies Readonly<Record<Values["store"], ReadonlyArray<SettingName>>>

export function targetProblems(read: ReadSettings, { fileName }: Sources): Problems {
  const { values } = read
  const from = storeNamed(read)
  const to = values.toStore ?? (values.toLocalDir === undefined ? from : "local")
  const problems = foreignTarget[to]
    .filter((name) => values[name] !== undefined)
    .map((name) => `${flagOf(name)} cannot be combined with a target in ${to}`)
  if (
    to === "s3" &&
    values.bucket === undefined &&
    values.toBucket === undefined &&
    from !== "s3"
  ) {
    problems.push(
      `the target's bucket is missing: use --to-bucket, or set ${settings.bucket.variables[0]} in the environment or in ${fileName}`
    )
  }
  const isContained = values.container !== undefined || values.toContainer !== undefined
  if (to === "azure" && !isContained && from !== "azure") {
    problems.push(
      `the target's container is missing: use --to-container, or set ${settings.container.variables[0]} in the environment or in ${fileName}`
    )
  }
  return problems
}

/** Another lake is compared as a whole, or between dates, and by its objects. */
export function againstProblems(read: ReadSettings, sources: Sources): Problems {
  const { found, values } = read
  if (!values.against) {
    return targetPlace
      .filter((name) => values[name] !== undefined)
      .map((name) => `${flagOf(name)} has no effect without --against`)
  }
  return [
    ...(["sample", "sampleSeed", "strict", "parse", "warehouse"] as const)
      .filter((name) => isTyped(found, name))
      .map((name) => `--against cannot be combined with ${flagOf(name)}`),
    ...targetProblems(read, sources)
  ]
}
