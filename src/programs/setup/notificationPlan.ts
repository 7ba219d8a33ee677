import type { Notifications, QueueNotification } from "../../services/BucketSetup.ts"
import type { BucketPlanOptions, BucketStep } from "./bucketPlan.ts"

const EVENT = "s3:ObjectCreated:*"

/** The first letters of the keys that a queue is told of. */
function prefixOf({ Filter }: QueueNotification): string {
  const rules = Filter?.Key?.FilterRules ?? []
  return rules.find(({ Name }) => Name?.toLowerCase() === "prefix")?.Value ?? ""
}

/** Whether a queue is told of every new object below a prefix. */
function tells(told: QueueNotification, prefix: string): boolean {
  const rules = told.Filter?.Key?.FilterRules ?? []
  const isWhole = rules.every(({ Name }) => Name?.toLowerCase() === "prefix")
  return told.Events?.includes(EVENT) === true && isWhole && prefix.startsWith(prefixOf(told))
}

/** A queue that is told of new objects, added to those that are told already. */
export function planNotifications(
  found: Notifications,
  { notifyQueue, prefix = "" }: Pick<BucketPlanOptions, "notifyQueue" | "prefix">
): BucketStep<Notifications> {
  const { QueueConfigurations = [] } = found
  const to = `new objects below ${prefix || "/"} are told to ${notifyQueue}`
  const isOurs = (it: QueueNotification) => it.QueueArn === notifyQueue
  if (
    notifyQueue === undefined ||
    QueueConfigurations.some((it) => isOurs(it) && tells(it, prefix))
  )
    return { state: "same", is: notifyQueue === undefined ? "unchanged, not examined" : to }
  // S3 tells one queue alone of an object.
  const rival = QueueConfigurations.find(
    (it) =>
      it.Events?.some((event) => event.startsWith("s3:ObjectCreated:")) === true &&
      (prefix.startsWith(prefixOf(it)) || prefixOf(it).startsWith(prefix))
  )
  if (rival !== undefined) {
    const who = isOurs(rival) ? "this queue, differently" : String(rival.QueueArn)
    const what = `new objects below ${prefixOf(rival) || "/"} are told to ${who} already ("${rival.Id}"), and S3 takes one for each prefix: remove that notification, or send both by way of an SNS topic`
    return { state: "cannot", what }
  }
  const ours: QueueNotification = {
    Id: `amplitude-lake: hours${prefix === "" ? "" : ` below ${prefix}`}`.slice(0, 255),
    QueueArn: notifyQueue,
    Events: [EVENT],
    Filter: { Key: { FilterRules: [{ Name: "prefix", Value: prefix }] } }
  }
  const value = { ...found, QueueConfigurations: [...QueueConfigurations, ours] }
  return { state: "change", from: "that queue is not told", to, value }
}
