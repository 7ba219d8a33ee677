import * as defaults from "../../programs/run/defaults.ts"
import { Format, Layout } from "../../services/HourKey.ts"
import { bucket, container, oneOf, prefix, text } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("Store:")

export const storeSettings = {
  store: value({
    flag: "--store <store>",
    help: "s3, azure (Blob Storage), local (a folder) or memory (nothing is kept)",
    parse: oneOf(["s3", "azure", "local", "memory"]),
    fallback: "s3"
  }),
  dev: toggle({ flag: "--dev", help: "the same as --store local" }),
  bucket: optional({
    flag: "--bucket <name>",
    help: "S3 bucket",
    parse: bucket,
    variables: ["AWS_BUCKET_NAME"],
    legacyVariables: ["AWS_BUCKET", "AWB_BUCKET_NAME", "bucket_name"]
  }),
  container: optional({
    flag: "--container <name>",
    help: "Azure container",
    parse: container,
    variables: ["AZURE_STORAGE_CONTAINER"]
  }),
  sse: optional({
    flag: "--sse <encryption>",
    help: "S3: encryption that every put requests, AES256 or aws:kms (default: the bucket's own encryption)",
    parse: oneOf(["AES256", "aws:kms"])
  }),
  sseKmsKeyId: optional({
    flag: "--sse-kms-key-id <key>",
    help: "S3: KMS key that encrypts new objects (default: the bucket's own encryption)",
    parse: text
  }),
  localDir: value({
    flag: "--local-dir <folder>",
    help: "folder of the local store",
    parse: text,
    fallback: "s3_dev"
  }),
  prefix: value({
    flag: "--prefix <prefix>",
    help: "prefix of every key; / for none",
    parse: prefix,
    fallback: "python-import/"
  }),
  layout: value({
    flag: "--layout <layout>",
    help: "hourly: 2025-11-10_21.jsonl; hive: dt=2025-11-10/hour=21/events.jsonl",
    parse: oneOf(Layout.literals),
    fallback: defaults.layout
  }),
  format: value({
    flag: "--format <format>",
    help: "jsonl, or jsonl.gz to keep Amplitude's gzip members byte for byte",
    parse: oneOf(Format.literals),
    fallback: defaults.format
  })
} as const
