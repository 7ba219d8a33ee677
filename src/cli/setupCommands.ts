/**
 * The two commands that prepare a bucket and who may use it.
 *
 * @module
 */
import { Effect } from "effect"
import { readerPolicy, readerTrust, writerPolicy } from "../programs/setup/iamPolicies.ts"
import { makeRetryPolicy } from "../programs/run/retryPolicy.ts"
import { setupBucket } from "../programs/setup/setupBucket.ts"
import { bucketText } from "./text/bucketText.ts"
import { bucketSetupLayer } from "./layers.ts"
import { print, widthOf } from "./terminal/print.ts"
import { retryOf } from "./runOptions.ts"
import type { SettingsOf } from "./settings/settingsOf.ts"

/** Says what the bucket lacks, and with `--apply` sets it. */
export const setUpBucket = Effect.fnUntraced(function* (settings: SettingsOf<"setup bucket">) {
  const { abortDays, apply, bucket, kmsKey, prefix, requireIfNoneMatch } = settings
  const options = { abortDays, apply, bucket, kmsKey, prefix, requireIfNoneMatch }
  const found = yield* setupBucket(options, yield* makeRetryPolicy(retryOf(settings))).pipe(
    Effect.provide(bucketSetupLayer(settings))
  )
  yield* print(settings.json ? JSON.stringify(found) : bucketText(found, widthOf(process.stdout)))
  return found.exitCode
})

/** Prints the policies for whoever writes to the bucket, and for its readers. */
export const setUpIam = Effect.fnUntraced(function* (settings: SettingsOf<"setup iam">) {
  const { bucket, externalId, json, kmsKey, only, prefix, trustedArn } = settings
  const options = { bucket, kmsKey, prefix }
  const policies = {
    writer: writerPolicy(options),
    reader: readerPolicy(options),
    ...(trustedArn === undefined || externalId === undefined
      ? {}
      : { trust: readerTrust({ externalId, trustedArn }) })
  }
  const asked = only === undefined ? policies : policies[only]
  yield* print(JSON.stringify(asked, undefined, json ? 0 : 2))
  return 0
})
