/**
 * What to type where something failed or was left alone: programs and layers say what is the
 * matter, and know nothing of flags.
 *
 * @module
 */
import type { BucketReport } from "../../programs/setup/setupBucket.ts"
import type { Cleaning } from "../../programs/clean/cleanLeftovers.ts"
import type { RunError } from "../../programs/run/failureKind.ts"
import type { BucketSetupError } from "../../services/BucketSetup.ts"
import type { FolderError } from "../../services/Folders.ts"
import type { Source } from "../settings/settingsOf.ts"

type AnyError = RunError | FolderError | BucketSetupError

/** An error as reports have it: class and reason, as `SpoolError.NoSpace`, and its message. */
export interface Told {
  readonly error?: string | undefined
  readonly message: string
}

/** What follows the message. */
type Advice = string | ((told: Told, source: Source | undefined) => string)

const KEYS: Advice = (_, source) =>
  `; check AMP_API_KEY and AMP_SECRET_KEY, and whether the project is in the other region (--amplitude-region ${otherRegion(source)})`

const ADVICE: {
  readonly [Tag in AnyError["_tag"]]: Readonly<
    Partial<Record<Extract<AnyError, { readonly _tag: Tag }>["reason"], Advice>>
  >
} = {
  AmplitudeError: { Unauthorized: KEYS, Forbidden: KEYS },
  UnpackerError: {},
  SpoolError: { Misconfigured: " (--work-dir)" },
  ArchiveError: { NoSpace: " (--archive-dir)" },
  FolderError: {},
  ObjectStorageError: {
    // The one of many things that may be wrong for which there is a flag.
    Misconfigured: ({ message }) =>
      message.includes("KMS key cannot be used") ? "; look at --sse-kms-key-id" : ""
  },
  BucketSetupError: {},
  LandingError: {
    OtherProject: ": use its keys, or another --prefix",
    OutOfTime: " (--max-duration)"
  }
}

/** What to say after an error's message; empty where there is nothing to type. */
export function adviceFor(told: Told, source?: Source): string {
  const [tag = "", reason = ""] = told.error?.split(".") ?? []
  const all: Readonly<Record<string, Readonly<Record<string, Advice>>>> = ADVICE
  const advice = all[tag]?.[reason] ?? ""
  return typeof advice === "string" ? advice : advice(told, source)
}

/** What failed, with advice. */
export function advised<T extends Told>(told: T, source?: Source): T {
  const advice = adviceFor(told, source)
  return advice === "" ? told : { ...told, message: told.message + advice }
}

function otherRegion(source: Source | undefined): string {
  if (source?._tag !== "Amplitude" || source.origin !== undefined) return "eu|us"
  return source.region === "eu" ? "us" : "eu"
}

type Leftover = Cleaning["leftovers"][number]

/** What was left, with what would remove it. */
export function advisedLeftover(leftover: Leftover): Leftover {
  const { detail, fate, kind } = leftover
  if (kind !== "upload" || fate !== "kept") return leftover
  return { ...leftover, detail: `${detail}: --abort-uploads removes it` }
}

type BucketItem = BucketReport["items"][number]

/** A thing of a bucket that is as it was, with what would ask for more. */
export function advisedItem(item: BucketItem): BucketItem {
  const { message, name, state } = item
  const isUnasked = state === "same"
  if (isUnasked && name === "encryption" && !message.includes(", key ")) {
    return { ...item, message: `${message}; --kms-key asks for a key of your own` }
  }
  if (isUnasked && name === "policy" && message.startsWith("puts are not restricted")) {
    return { ...item, message: `${message}; --require-if-none-match asks for it` }
  }
  return item
}
