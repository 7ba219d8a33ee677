import { Format, Layout } from "../../../services/HourKey.ts"
import { bucket, container, oneOf, prefix, text } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional } = settingsUnder("Target:")

export const copySettings = {
  toStore: optional({
    flag: "--to-store <store>",
    acts: true,
    help: "store to copy to: s3, azure or local (default: the store that is copied)",
    parse: oneOf(["s3", "azure", "local"])
  }),
  toBucket: optional({
    flag: "--to-bucket <name>",
    acts: true,
    help: "S3 bucket to copy to (default: that of --bucket)",
    parse: bucket
  }),
  toContainer: optional({
    flag: "--to-container <name>",
    acts: true,
    help: "Azure container to copy to (default: that of --container)",
    parse: container
  }),
  toLocalDir: optional({
    flag: "--to-local-dir <folder>",
    acts: true,
    help: "folder to copy to, which means --to-store local (default: that of --local-dir)",
    parse: text
  }),
  toPrefix: optional({
    flag: "--to-prefix <prefix>",
    acts: true,
    help: "prefix of every key in the target; / for none (default: that of --prefix)",
    parse: prefix
  }),
  toLayout: optional({
    flag: "--to-layout <layout>",
    acts: true,
    help: "layout in the target, hourly or hive (default: that of each object)",
    parse: oneOf(Layout.literals)
  }),
  toFormat: optional({
    flag: "--to-format <format>",
    acts: true,
    help: "format in the target, jsonl or jsonl.gz (default: that of each object)",
    parse: oneOf(Format.literals)
  })
} as const
