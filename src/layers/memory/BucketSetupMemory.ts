import { Effect, Layer, Ref } from "effect"
import {
  type BucketAspect,
  BucketSetup,
  BucketSetupError,
  type EncryptionRule,
  type Lifecycle,
  type LifecycleRule,
  type Notifications,
  type PublicAccess
} from "../../services/BucketSetup.ts"

type Names = "publicAccess" | "ownership" | "encryption" | "lifecycle" | "policy" | "notifications"

/** A bucket in memory, as strict as S3. */
export interface BucketSetupMemoryOptions {
  /** Defaults to an existing bucket without any configuration. */
  readonly exists?: boolean | undefined
  /**
   * The region where it is, or would be created. Defaults to `us-east-1`; `null` if none is
   * configured.
   */
  readonly region?: string | null | undefined
  readonly publicAccess?: PublicAccess | undefined
  readonly ownership?: string | undefined
  readonly encryption?: ReadonlyArray<EncryptionRule> | undefined
  readonly lifecycle?: Lifecycle | undefined
  readonly policy?: string | undefined
  readonly notifications?: Notifications | undefined
  /** Errors by operation and aspect. */
  readonly failing?: Readonly<Partial<Record<`${"read" | "write"} ${Names}`, BucketSetupError>>>
  /** Aspects whose changes are accepted but not stored. */
  readonly forgets?: ReadonlyArray<Names> | undefined
}

const PATH = "memory:bucket"

function refusal(reason: BucketSetupError["reason"], detail: string): BucketSetupError {
  return new BucketSetupError({ reason, path: PATH, detail })
}

function lifecycleProblem({ Rules }: Lifecycle): string | undefined {
  const names = Rules.map(({ ID }) => ID).filter((ID) => ID !== undefined)
  if (new Set(names).size < names.length) return "two rules have one ID"
  const has = (name: keyof LifecycleRule) => Rules.some((rule) => rule[name] !== undefined)
  return has("Prefix") && has("Filter") ? "Filter and Prefix cannot be combined" : undefined
}

function notificationProblem({ QueueConfigurations = [] }: Notifications): string | undefined {
  const prefixes = QueueConfigurations.map(
    ({ Filter }) =>
      Filter?.Key?.FilterRules?.find(({ Name }) => Name?.toLowerCase() === "prefix")?.Value ?? ""
  )
  const overlaps = prefixes.some((one, at) =>
    prefixes.some((other, index) => index !== at && one.startsWith(other))
  )
  return overlaps ? "Configurations overlap" : undefined
}

function policyProblem(policy: string | undefined): string | undefined {
  try {
    JSON.parse(policy ?? "")
    return undefined
  } catch {
    return "the policy is not JSON"
  }
}

/** The configuration of a bucket in memory, for tests. */
export const make = Effect.fnUntraced(function* (
  options: BucketSetupMemoryOptions = {}
): Effect.fn.Return<BucketSetup["Type"]> {
  const { failing = {}, forgets = [], region = "us-east-1" } = options
  const exists = yield* Ref.make(options.exists ?? true)

  const part = Effect.fnUntraced(function* <A>(
    name: Names,
    initial: A,
    problemOf: (value: A) => string | undefined = () => undefined
  ): Effect.fn.Return<BucketAspect<A>> {
    const kept = yield* Ref.make(initial)
    const admit = (what: "read" | "write") =>
      Effect.gen(function* () {
        if (!(yield* Ref.get(exists))) return yield* refusal("NotFound", "there is no such bucket")
        const error = failing[`${what} ${name}`]
        if (error !== undefined) return yield* error
      })
    return {
      read: Effect.zipRight(admit("read"), Ref.get(kept)),
      write: (value) =>
        Effect.gen(function* () {
          yield* admit("write")
          const problem = problemOf(value)
          if (problem !== undefined) return yield* refusal("Failed", problem)
          if (!forgets.includes(name)) yield* Ref.set(kept, value)
        })
    }
  })

  const open = { BlockPublicAcls: false, IgnorePublicAcls: false }
  const none = { ...open, BlockPublicPolicy: false, RestrictPublicBuckets: false }
  return BucketSetup.of({
    place: PATH,
    find: Effect.map(Ref.get(exists), (exists) => ({ exists, region: region ?? undefined })),
    create: () => Ref.set(exists, true),
    publicAccess: yield* part("publicAccess", options.publicAccess ?? none),
    ownership: yield* part("ownership", options.ownership),
    encryption: yield* part("encryption", options.encryption ?? []),
    lifecycle: yield* part("lifecycle", options.lifecycle ?? { Rules: [] }, lifecycleProblem),
    policy: yield* part("policy", options.policy, policyProblem),
    notifications: yield* part("notifications", options.notifications ?? {}, notificationProblem)
  })
})

/**
 * @example
 * ```ts
 * import * as BucketSetupMemory from "amplitude-lake/layers/BucketSetupMemory"
 *
 * export const setup = BucketSetupMemory.layer({ exists: false, region: "eu-west-2" })
 * ```
 */
export function layer(options?: BucketSetupMemoryOptions): Layer.Layer<BucketSetup> {
  return Layer.effect(BucketSetup, make(options))
}
