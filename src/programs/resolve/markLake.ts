import { Effect, Option, Stream } from "effect"
import { type MarkFolder, markKey } from "../../services/LakeMark.ts"
import { type ObjectStorage, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { emptyObject } from "../plan/emptyObject.ts"
import { Run } from "../run/Run.ts"

/** What a mark says besides its name; any text. */
export type MarkText = Readonly<Record<string, string>>

/** Records a mark in a lake; `false` where one of that name was there before. */
export const putMark = Effect.fn("putMark")(function* (
  store: ObjectStorage["Type"],
  folder: MarkFolder,
  name: string,
  text: MarkText
) {
  const { retry } = yield* Run
  const { sha256, size } = emptyObject("jsonl")
  // Metadata travels in headers, which hold no other characters.
  const metadata = Object.fromEntries(
    Object.entries(text).map(([key, value]) => [key, encodeURIComponent(value)])
  )
  const key = markKey(folder, name)
  return yield* retry(store.put({ key, size, sha256, metadata, body: Stream.empty }))
})

/** What a mark says; nothing where it is gone. */
export const readMark = Effect.fn("readMark")(function* (
  ...args: Parameters<typeof lookUpMark>
): Effect.fn.Return<MarkText, ObjectStorageError, Run> {
  const { retry } = yield* Run
  return yield* retry(lookUpMark(...args))
})

/** Like `readMark`, by one attempt. */
export function lookUpMark(
  store: ObjectStorage["Type"],
  folder: MarkFolder,
  name: string
): Effect.Effect<MarkText, ObjectStorageError> {
  return Effect.map(store.head(markKey(folder, name)), (head) => {
    const metadata = Option.match(head, { onNone: () => ({}), onSome: (it) => it.metadata })
    return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, decoded(value)]))
  })
}

/** Text that somebody else wrote there stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
