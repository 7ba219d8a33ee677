import * as defaults from "../../programs/run/defaults.ts"
import { externalId, keyArn, oneOf, principalArn, wholeNumber } from "./parse.ts"
import { settingsUnder } from "./setting.ts"

const { optional, toggle, value } = settingsUnder("What is asked for:")

export const setupSettings = {
  kmsKey: optional({
    flag: "--kms-key <arn>",
    help: "KMS key that encrypts what is put without saying how",
    parse: keyArn
  }),
  abortDays: value({
    flag: "--abort-days <days>",
    help: "unfinished uploads below the prefix are removed after so many days, 7 at most",
    parse: wholeNumber(1, 7),
    fallback: defaults.abortDays
  }),
  requireIfNoneMatch: toggle({
    flag: "--require-if-none-match",
    help: "a bucket policy that refuses puts below the prefix which could overwrite, whoever puts"
  }),
  apply: toggle({ flag: "--apply", help: "change what differs, instead of showing it" }),
  trustedArn: optional({
    flag: "--trusted-arn <arn>",
    help: "who may take the reader's role: STORAGE_AWS_IAM_USER_ARN of Snowflake's DESC INTEGRATION",
    parse: principalArn
  }),
  externalId: optional({
    flag: "--external-id <id>",
    help: "what that one has to say each time: STORAGE_AWS_EXTERNAL_ID, of the same",
    parse: externalId
  }),
  only: optional({
    flag: "--only <policy>",
    help: "writer, reader or trust: this one, as aws iam takes it",
    parse: oneOf(["writer", "reader", "trust"])
  })
} as const
