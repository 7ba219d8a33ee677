import { basename } from "node:path"
import type { Configuration } from "../settings/commands/Configuration.ts"

type Row = Configuration["settings"][number]

/** One line a setting, under the headings of the help; below it what does not count. */
export function configText({ envFile, missing, problems, settings }: Configuration): string {
  const name = Math.max(...settings.map((it) => it.name.length))
  const value = Math.max(
    ...settings
      .flatMap((it) => [it, ...it.unused])
      .map(valueOf)
      .map((it) => it.length)
  )
  const line = (first: string, shown: Row | Row["unused"][number]) =>
    `  ${first.padEnd(name)}  ${valueOf(shown).padEnd(value)}  ${originOf(shown, basename(envFile.path))}`.trimEnd()
  const groups = [...new Set(settings.map(({ group }) => group))].map((group) =>
    [
      `${group}:`,
      ...settings
        .filter((it) => it.group === group)
        .flatMap((it) => [line(it.name, it), ...it.unused.map((other) => line("  unused", other))])
    ].join("\n")
  )
  const sentences = [
    ...missing.map((it) => `missing   ${it}`),
    ...problems.map((it) => `problem   ${it}`)
  ]
  const { isFound, path } = envFile
  return [
    `env file  ${path}${isFound ? "" : ", which does not exist"}`,
    ...groups,
    sentences.join("\n")
  ]
    .filter((it) => it !== "")
    .join("\n\n")
}

function valueOf({ value }: Pick<Row, "value">): string {
  return value ?? "-"
}

function originOf({ line, setBy, source }: Row["unused"][number], envFile: string): string {
  switch (source) {
    case "default":
      return setBy ?? "default"
    case "flag":
      return `${setBy}, a flag`
    case "connection":
      return setBy ?? ""
    case "environment":
      return `${setBy} in the environment`
    case "file":
      return `${setBy} in ${envFile}${line === null ? "" : `, line ${line}`}`
  }
}
