import * as defaults from "../../programs/run/defaults.ts"
import { durationOf, externalId, keyArn, oneOf, principalArn } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("Setup:")

export const setupSettings = {
  kmsKey: optional({
    flag: "--kms-key <arn>",
    help: "KMS key for the bucket's default encryption",
    parse: keyArn
  }),
  abortDays: value({
    flag: "--abort-days <days>",
    help: "abort unfinished uploads under the prefix after this many days, 7 at most",
    parse: durationOf("d", 1, 7),
    fallback: defaults.abortDays
  }),
  requireIfNoneMatch: toggle({
    flag: "--require-if-none-match",
    help: "add a bucket policy that denies everyone writes under the prefix that could overwrite an object"
  }),
  apply: toggle({
    acts: true,
    flag: "--apply",
    help: "change what differs instead of only showing it"
  }),
  trustedArn: optional({
    flag: "--trusted-arn <arn>",
    help: "IAM principal that may assume the reader's role: STORAGE_AWS_IAM_USER_ARN from Snowflake's DESC INTEGRATION",
    parse: principalArn
  }),
  externalId: optional({
    flag: "--external-id <id>",
    help: "external ID that the principal must present: STORAGE_AWS_EXTERNAL_ID from the same output",
    parse: externalId
  }),
  only: optional({
    flag: "--only <policy>",
    acts: true,
    help: "print only this policy, in the form that aws iam accepts: writer, maintainer, reader or trust",
    parse: oneOf(["writer", "maintainer", "reader", "trust"])
  })
} as const
