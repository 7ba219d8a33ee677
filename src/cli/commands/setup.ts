/**
 * The two commands that prepare a bucket and its access policies.
 *
 * @module
 */
import { Effect, Layer } from "effect"
import { EXIT } from "../../programs/run/exitCode.ts"
import {
  maintainerPolicy,
  readerPolicy,
  readerTrust,
  writerPolicy
} from "../../programs/setup/iamPolicies.ts"
import { setupBucket as prepareBucket } from "../../programs/setup/setupBucket.ts"
import { bucketSetupLayer } from "../layers.ts"
import type { ReportOf } from "../json/outputs.ts"
import type { SettingsOf } from "../settings/settingsOf.ts"
import { widthOf } from "../terminal/print.ts"
import { advisedItem } from "../text/advice.ts"
import { bucketText } from "../text/setup/bucketText.ts"
import { retryOf } from "./options.ts"
import { type Work, work } from "./Report.ts"

/** Compares the bucket with the recommended configuration, and with `--apply` changes it. */
export function setupBucket(settings: SettingsOf<"setup bucket">): Work<ReportOf<"setup bucket">> {
  const { abortDays, apply, bucket, kmsKey, notifyQueue, prefix, requireIfNoneMatch } = settings
  return work({
    layer: bucketSetupLayer(settings),
    run: Effect.gen(function* () {
      const aspects = {
        abortDays,
        apply,
        bucket,
        kmsKey,
        notifyQueue,
        prefix,
        requireIfNoneMatch
      }
      const prepared = yield* prepareBucket({ ...retryOf(settings), ...aspects })
      const found = { ...prepared, items: prepared.items.map(advisedItem) }
      return {
        json: found,
        text: (terminal) => bucketText(found, widthOf(terminal)),
        exitCode: found.exitCode
      }
    })
  })
}

/** Prints the policies for the bucket's writer, its maintainer and its readers. */
export function setupIam(settings: SettingsOf<"setup iam">): Work<ReportOf<"setup iam">> {
  const { bucket, externalId, kmsKey, only, prefix, trustedArn } = settings
  const options = { bucket, kmsKey, prefix }
  const policies = {
    writer: writerPolicy(options),
    maintainer: maintainerPolicy(options),
    reader: readerPolicy(options),
    ...(trustedArn === undefined || externalId === undefined
      ? {}
      : { trust: readerTrust({ externalId, trustedArn }) })
  }
  const asked = only === undefined ? policies : { [only]: policies[only] }
  const shown = only === undefined ? policies : (policies[only] ?? {})
  return work({
    layer: Layer.empty,
    run: Effect.succeed({
      json: { policies: asked },
      text: () => JSON.stringify(shown, undefined, 2),
      exitCode: EXIT.done
    })
  })
}
