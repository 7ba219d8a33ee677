import { durationOf } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle } = settingsUnder("Execution:")

export const cleanSettings = {
  archiveDays: optional({
    flag: "--archive-days <days>",
    help: "remove kept archives that are older than this (default: remove none)",
    parse: durationOf("d", 1, 36_600)
  }),
  abortUploads: toggle({
    flag: "--abort-uploads",
    acts: true,
    help: "abort unfinished uploads that have received nothing for a day"
  })
} as const
