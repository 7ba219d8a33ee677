/**
 * What a bucket lacks: each aspect that was found, compared with what is wanted. Settings of others
 * are never removed or loosened.
 *
 * @module
 */
import { Order } from "effect"
import type {
  EncryptionRule,
  Lifecycle,
  LifecycleRule,
  PublicAccess
} from "../../services/BucketSetup.ts"
import * as defaults from "../run/defaults.ts"
import { conditionalPuts, type PolicyStatement } from "./iamPolicies.ts"

/** What to do about one aspect of a bucket. */
export type BucketStep<A> =
  /** It is as wanted, or stricter. */
  | { readonly state: "same"; readonly is: string }
  | { readonly state: "change"; readonly from: string; readonly to: string; readonly value: A }
  /** Someone else's setting is in the way; `what` says what to do. */
  | { readonly state: "cannot"; readonly what: string }

export interface BucketPlanOptions {
  readonly bucket: string
  /** Ends in a slash. Defaults to the whole bucket. */
  readonly prefix?: string | undefined
  /** ARN of the key that encrypts by default; without it, encryption stays as it is. */
  readonly kmsKey?: string | undefined
  /** Days after which an unfinished upload is aborted, at most. Defaults to 7. */
  readonly abortDays?: number | undefined
  /** Refuse puts that could overwrite. Defaults to `false`. */
  readonly requireIfNoneMatch?: boolean | undefined
  /** ARN of a queue that is to be told of new objects; without it, nothing is looked at. */
  readonly notifyQueue?: string | undefined
}

/** Blocks every kind of public access. */
export function planPublicAccess(found: PublicAccess): BucketStep<PublicAccess> {
  const value = {
    BlockPublicAcls: true,
    IgnorePublicAcls: true,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: true
  }
  const off = Object.keys(value).filter((name) => !found[name as keyof PublicAccess])
  if (off.length === 0) return { state: "same", is: "blocked" }
  return { state: "change", from: `${off.join(", ")} off`, to: "blocked", value }
}

const OWNER = "BucketOwnerEnforced"

/** Disables ACLs, so only policies count. */
export function planOwnership(found: string | undefined): BucketStep<string | undefined> {
  const to = `ACLs disabled (${OWNER})`
  if (found === OWNER) return { state: "same", is: to }
  return { state: "change", from: found ?? "ACLs in use", to, value: OWNER }
}

/** SSE-KMS with the given key and a bucket key. A different key was chosen by someone and stays. */
export function planEncryption(
  found: ReadonlyArray<EncryptionRule>,
  { kmsKey }: Pick<BucketPlanOptions, "kmsKey">
): BucketStep<ReadonlyArray<EncryptionRule>> {
  const [rule = {}] = found
  const { KMSMasterKeyID: key, SSEAlgorithm: algorithm } =
    rule.ApplyServerSideEncryptionByDefault ?? {}
  const isKeyed = rule.BucketKeyEnabled === true
  const from =
    algorithm === undefined
      ? "none by default"
      : `${algorithm}${key === undefined ? "" : `, key ${key}`}${isKeyed ? ", bucket key" : ""}`
  if (kmsKey === undefined) return { state: "same", is: from }

  const isOurs = key !== undefined && (key === kmsKey || kmsKey.endsWith(`:key/${key}`))
  if (key !== undefined && !isOurs) {
    const what = `someone chose ${from}; use that key, or change it yourself (aws s3api put-bucket-encryption)`
    return { state: "cannot", what }
  }
  // DSSE does not support bucket keys.
  if (isOurs && (isKeyed || algorithm === "aws:kms:dsse")) return { state: "same", is: from }
  const kept = algorithm === "aws:kms:dsse" ? algorithm : "aws:kms"
  const value = {
    ...rule,
    ApplyServerSideEncryptionByDefault: { SSEAlgorithm: kept, KMSMasterKeyID: kmsKey },
    ...(kept === "aws:kms" ? { BucketKeyEnabled: true } : {})
  }
  const to = `${kept}, key ${kmsKey}${kept === "aws:kms" ? ", bucket key" : ""}`
  return { state: "change", from, to, value: [value, ...found.slice(1)] }
}

/** The rule's ID, different for each prefix because several pipelines may share a bucket. */
export function abortRuleId(prefix: string): string {
  return `amplitude-lake: unfinished uploads${prefix === "" ? "" : ` below ${prefix}`}`.slice(
    0,
    255
  )
}

/** The prefix that a rule covers completely; `undefined` if it covers only some of the objects. */
function prefixOf({ Filter, Prefix }: LifecycleRule): string | undefined {
  const narrowing = Object.entries(Filter ?? {}).filter(
    ([name, value]) => name !== "Prefix" && value !== undefined
  )
  return narrowing.length > 0 ? undefined : (Filter?.Prefix ?? Prefix ?? "")
}

/** Days after which an upload below the prefix is aborted; `Infinity` for never. */
function daysOf(rules: ReadonlyArray<LifecycleRule>, prefix: string): number {
  const days = rules
    .filter((rule) => {
      const covered = prefixOf(rule)
      return rule.Status === "Enabled" && covered !== undefined && prefix.startsWith(covered)
    })
    .map((rule) => rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation ?? Infinity)
  return Math.min(Infinity, ...days)
}

function daysText(days: number): string {
  if (days === Infinity) return "never aborted"
  return `aborted after ${days} ${days === 1 ? "day" : "days"}`
}

/**
 * A rule that aborts unfinished uploads, added to the existing rules. An existing rule that does so
 * sooner is enough.
 */
export function planLifecycle(
  found: Lifecycle,
  { abortDays = defaults.abortDays, prefix = "" }: Pick<BucketPlanOptions, "abortDays" | "prefix">
): BucketStep<Lifecycle> {
  const { Rules } = found
  const days = daysOf(Rules, prefix)
  const ID = abortRuleId(prefix)
  if (days <= abortDays) return { state: "same", is: daysText(days) }
  // S3 accepts the rules of a bucket in one form only, the old or the new one.
  const isOld = Rules.some(({ Prefix }) => Prefix !== undefined)
  const ours: LifecycleRule = {
    ID,
    Status: "Enabled",
    ...(isOld ? { Prefix: prefix } : { Filter: { Prefix: prefix } }),
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: abortDays }
  }
  const standing = Rules.find((rule) => rule.ID === ID)
  if (standing !== undefined) {
    const isAnother =
      prefixOf(standing) !== prefix ||
      Object.entries(standing).some(([name, value]) => value !== undefined && !(name in ours))
    const is = isAnother ? "does more than abort uploads" : "is switched off"
    if (isAnother || standing.Status !== "Enabled") {
      const what = `someone changed the lifecycle rule "${ID}", and it ${is}; remove it or rename its ID, then run again`
      return { state: "cannot", what }
    }
  }
  const value = { ...found, Rules: [...Rules.filter((rule) => rule.ID !== ID), ours] }
  return { state: "change", from: daysText(days), to: daysText(abortDays), value }
}

function asList<A>(value: A | ReadonlyArray<A>): ReadonlyArray<A> {
  return Array.isArray(value) ? value : [value as A]
}

const byText = Order.mapInput(Order.string, text)
const byName = Order.mapInput(Order.string, ([name]: readonly [string, unknown]) => name)

/**
 * The JSON of a policy in a normal form, since stores rewrite it: lists of one unwrapped, names and
 * lists sorted.
 */
function normal(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(normal).sort(byText)
    return items.length === 1 ? items[0] : items
  }
  if (typeof value !== "object" || value === null) return value
  const entries = Object.entries(value).map(([name, it]) => [name, normal(it)] as const)
  if (entries.length === 1 && entries[0]?.[0] === "AWS" && entries[0][1] === "*") return "*"
  return Object.fromEntries(entries.sort(byName))
}

function text(value: unknown): string {
  return JSON.stringify(value)
}

function isStatedAs(found: PolicyStatement, ours: PolicyStatement): boolean {
  return text(normal({ ...found, Resource: ours.Resource })) === text(normal(ours))
}

function covers(pattern: string, resource: string): boolean {
  return (
    pattern === resource ||
    (/^[^*?]*\*$/.test(pattern) && resource.startsWith(pattern.slice(0, -1)))
  )
}

interface Policy {
  readonly Statement: PolicyStatement | ReadonlyArray<PolicyStatement>
}

function parsePolicy(json: string): Policy | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === "object" && value !== null && "Statement" in value
      ? (value as Policy)
      : undefined
  } catch {
    return undefined
  }
}

const NONE: Policy & { readonly Version: string } = { Version: "2012-10-17", Statement: [] }

const OLDER = "puts must send If-None-Match, so no conflict can be resolved by replacing an object"

/** A statement that refuses puts without a condition, added to the existing statements. */
export function planPolicy(
  found: string | undefined,
  options: Pick<BucketPlanOptions, "bucket" | "prefix" | "requireIfNoneMatch">
): BucketStep<string | undefined> {
  const policy = found === undefined ? NONE : parsePolicy(found)
  if (policy === undefined) {
    const what = "the existing bucket policy cannot be parsed; fix it and run again"
    return options.requireIfNoneMatch === true
      ? { state: "cannot", what }
      : { state: "same", is: "unchanged, not examined" }
  }
  const ours = conditionalPuts(options)
  const { Resource: resource, Sid } = ours
  const to = `puts to ${options.prefix ?? ""}* must send If-None-Match or If-Match`
  const statements = asList(policy.Statement)
  const standing = statements.find((statement) => statement.Sid === Sid)
  const resources = standing === undefined ? [] : asList(standing.Resource)
  const isOlder = standing !== undefined && isStatedAs(standing, withoutIfMatch(ours))
  const isOurs = standing !== undefined && isStatedAs(standing, ours)
  if (isOurs && resources.some((pattern) => covers(pattern, String(resource)))) {
    return { state: "same", is: to }
  }
  if (options.requireIfNoneMatch !== true) {
    return { state: "same", is: isOlder ? OLDER : "puts are not restricted" }
  }
  if (standing !== undefined && !isOurs && !isOlder) {
    const what = `someone changed the statement "${Sid}" of the bucket policy; remove it or rename its Sid, then run again`
    return { state: "cannot", what }
  }
  const Statement =
    standing === undefined
      ? [...statements, ours]
      : statements.map((it) =>
          it === standing
            ? { ...it, Condition: ours.Condition, Resource: merged(resources, String(resource)) }
            : it
        )
  const value = text({ ...policy, Statement })
  const from = isOlder ? OLDER : "puts may overwrite"
  return { state: "change", from, to, value }
}

/** The statement of version 0.1.0, which also denied the replacement of one known object. */
function withoutIfMatch(ours: PolicyStatement): PolicyStatement {
  const Condition = { ...ours.Condition, Null: { "s3:if-none-match": "true" } }
  return { ...ours, Condition }
}

function merged(resources: ReadonlyArray<string>, resource: string): ReadonlyArray<string> {
  return resources.some((pattern) => covers(pattern, resource))
    ? resources
    : [...resources, resource]
}
