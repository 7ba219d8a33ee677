import * as defaults from "../../programs/run/defaults.ts"
import {
  durationOf,
  externalId,
  keyArn,
  oneOf,
  principalArn,
  queueArn,
  roleArn,
  tenant
} from "./parse.ts"
import { snowflakeName } from "./env/snowflake.ts"
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
  notifyQueue: optional({
    flag: "--notify-queue <arn>",
    help: "send notifications of new objects under the prefix to this SQS queue: that of a Snowflake pipe",
    parse: queueArn
  }),
  awsRoleArn: optional({
    flag: "--aws-role-arn <arn>",
    help: "S3: IAM role that Snowflake assumes to read the bucket; it need not exist yet",
    parse: roleArn
  }),
  azureTenant: optional({
    flag: "--azure-tenant <id>",
    help: "Azure: tenant of the storage account",
    parse: tenant
  }),
  integration: value({
    flag: "--integration <name>",
    help: "Snowflake's storage integration",
    parse: snowflakeName,
    fallback: "AMPLITUDE_LAKE"
  }),
  loaderRole: value({
    flag: "--loader-role <name>",
    help: "Snowflake role that loads hours",
    parse: snowflakeName,
    fallback: "AMPLITUDE_LOADER"
  }),
  readerRole: value({
    flag: "--reader-role <name>",
    help: "Snowflake role that may read what is loaded, and nothing else",
    parse: snowflakeName,
    fallback: "AMPLITUDE_READER"
  }),
  pipe: toggle({
    flag: "--pipe",
    help: "also a Snowpipe, which loads new hours by itself, in the place of load; load --reconcile then keeps the ledger"
  }),
  queueIntegration: optional({
    flag: "--queue-integration <name>",
    help: "Azure, with --pipe: notification integration that tells of new objects",
    parse: snowflakeName
  }),
  print: toggle({
    flag: "--print",
    acts: true,
    help: "only print the statements, for somebody who may run them; no account is needed"
  }),
  describe: toggle({
    flag: "--describe",
    acts: true,
    help: "print as whom Snowflake reads the store, as lines for the env file: setup iam --only trust takes them from there"
  }),
  only: optional({
    flag: "--only <policy>",
    acts: true,
    help: "print only this policy, in the form that aws iam accepts: writer, maintainer, reader or trust",
    parse: oneOf(["writer", "maintainer", "reader", "trust"])
  })
} as const
