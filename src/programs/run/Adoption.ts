import { Order, Schema } from "effect"

const Files = Schema.Array(Schema.String)

/** What became of the files of other programs in staging, which a person let a run adopt. */
export const Adoption = Schema.Struct({
  /** Uploaded, or found to be what the store has. */
  adopted: Files,
  /** Moved to `failed_uploads/`, because the store has a different version of the hour. */
  conflicted: Files,
  /** Left where they are, because they do not hold an hour in a form that can be uploaded. */
  refused: Schema.Array(Schema.Struct({ file: Schema.String, message: Schema.String }))
}).annotations({ identifier: "Adoption" })
export type Adoption = typeof Adoption.Type

const NONE: Adoption = { adopted: [], conflicted: [], refused: [] }

const byFile = Order.mapInput(Order.string, ({ file }: { readonly file: string }) => file)

/** Adds files to what is known so far; by name. */
export function withFiles(soFar: Adoption = NONE, more: Partial<Adoption> = {}): Adoption {
  return {
    adopted: [...soFar.adopted, ...(more.adopted ?? [])].sort(),
    conflicted: [...soFar.conflicted, ...(more.conflicted ?? [])].sort(),
    refused: [...soFar.refused, ...(more.refused ?? [])].sort(byFile)
  }
}
