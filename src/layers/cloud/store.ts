import { createHash } from "node:crypto"
import type { Readable } from "node:stream"
import { Chunk, Effect, Option, Stream } from "effect"
import type { NewObject, ObjectInfo, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { failed, type StoreAttempt, type StoreFailure } from "./failure.ts"
import { PROBE, tryStore } from "./probe.ts"

/** What a call does, which determines the permission that it needs. */
export type Access = "list" | "read" | "write" | "delete"

/** One page of a listing. */
export interface Page {
  /** Their keys include the prefix. */
  readonly objects: ReadonlyArray<ObjectInfo>
  readonly isLast: boolean
  /** Where the next page begins. */
  readonly next: string | undefined
}

/** An object whose bytes are arriving. */
export interface OpenObject {
  readonly body: Readable
  /** The store's MD5 of all bytes; absent if it has none. */
  readonly md5?: Uint8Array | undefined
}

/** What is being put, and the etag of the object that it may replace. */
export interface ObjectPut<E> {
  readonly attempt: StoreAttempt
  readonly object: NewObject<E>
  readonly replacing: string | undefined
}

/** What the store's refusal of a put proves. */
export type PutRefusal =
  /** The object exists, or is not the one to replace. */
  | "Taken"
  /** Another writer was active, or the answer was lost, as can happen during long uploads. */
  | "Unclear"
  | "Failed"

/** The keys below one prefix of a cloud store, with one request per method. */
export interface CloudBucket {
  readonly place: string
  readonly prefix: string
  readonly attemptTo: (method: StoreAttempt["method"], access: Access, key: string) => StoreAttempt
  readonly page: (
    attempt: StoreAttempt,
    token?: string,
    limit?: number
  ) => Effect.Effect<Page, ObjectStorageError>
  /** `undefined` if there is no such key. */
  readonly etagOf: (
    method: StoreAttempt["method"],
    key: string
  ) => Effect.Effect<string | undefined, ObjectStorageError>
  readonly open: (
    attempt: StoreAttempt,
    key: string
  ) => Effect.Effect<OpenObject, ObjectStorageError>
  /** Does nothing if there is no such key. */
  readonly delete: (
    attempt: StoreAttempt,
    key: string
  ) => Effect.Effect<unknown, ObjectStorageError>
  readonly readRefusal: (failure: StoreFailure, put: ObjectPut<unknown>) => PutRefusal
  readonly toFailure: (attempt: StoreAttempt, cause: unknown) => StoreFailure
}

/** Puts an object in one or more requests; `method` is for error messages. */
export type PutAs = <E>(
  method: "put" | "check",
  object: NewObject<E>,
  replacing?: string
) => Effect.Effect<boolean, ObjectStorageError | E>

/** A place in ASCII, as it tells one lake from another. */
export function locationOf(place: string): string {
  return encodeURI(place)
}

export function listObjects({
  attemptTo,
  page,
  prefix
}: CloudBucket): Stream.Stream<ObjectInfo, ObjectStorageError> {
  const attempt = attemptTo("list", "list", "")
  return Stream.paginateChunkEffect(undefined, (token: string | undefined) =>
    Effect.flatMap(page(attempt, token), ({ isLast, next, objects }) => {
      // Half a listing would turn hours that exist into gaps.
      if (!isLast && next === undefined) {
        const detail =
          "The listing is incomplete: it has more pages, but no marker for the next one"
        return failed(attempt, "Failed", detail)
      }
      const shown = Chunk.filterMap(Chunk.fromIterable(objects), (info) => below(prefix, info))
      return Effect.succeed([shown, Option.fromNullable(next)] as const)
    })
  )
}

/** The object with its key below the prefix; `None` for the probe. */
function below(prefix: string, info: ObjectInfo): Option.Option<ObjectInfo> {
  const key = info.key.slice(prefix.length)
  return info.key.startsWith(prefix) && key !== "" && !key.endsWith(PROBE)
    ? Option.some({ ...info, key })
    : Option.none()
}

export function readObject(
  bucket: CloudBucket,
  key: string
): Stream.Stream<Uint8Array, ObjectStorageError> {
  const attempt = bucket.attemptTo("get", "read", key)
  // The store may take long to answer, so waiting for it is interruptible.
  const opened = Effect.uninterruptibleMask((restore) =>
    Effect.tap(restore(bucket.open(attempt, key)), ({ body }) =>
      Effect.addFinalizer(() => Effect.sync(() => body.destroy()))
    )
  )
  return Stream.unwrapScoped(
    Effect.map(opened, ({ body, md5 }) => {
      const bytes = Stream.fromAsyncIterable(
        body as AsyncIterable<Uint8Array>,
        (cause) => bucket.toFailure(attempt, cause).error
      )
      return md5 === undefined ? bytes : compared(attempt, bytes, md5)
    })
  )
}

/** Fails at the end if the bytes differ from the store's MD5. */
function compared(
  attempt: StoreAttempt,
  bytes: Stream.Stream<Uint8Array, ObjectStorageError>,
  md5: Uint8Array
): Stream.Stream<Uint8Array, ObjectStorageError> {
  const hash = createHash("md5")
  const end = Stream.suspend(() => {
    if (hash.digest().equals(md5)) return Stream.empty
    const detail = "The bytes that were read do not match the store's own MD5"
    return Stream.fail(failed(attempt, "Corrupt", detail))
  })
  return bytes.pipe(
    Stream.tap((chunk) => Effect.sync(() => hash.update(chunk))),
    Stream.concat(end)
  )
}

export function removeObject(
  bucket: CloudBucket,
  key: string
): Effect.Effect<void, ObjectStorageError> {
  return Effect.asVoid(bucket.delete(bucket.attemptTo("remove", "delete", key), key))
}

export function checkBucket(
  { attemptTo, etagOf, page }: CloudBucket,
  putAs: PutAs
): Effect.Effect<void, ObjectStorageError> {
  return tryStore({
    attempt: attemptTo("check", "write", PROBE),
    list: page(attemptTo("check", "list", ""), undefined, 1),
    put: (probe) => putAs("check", probe),
    head: etagOf("check", PROBE)
  })
}

/**
 * The outcome of a refused put: `false` if the object exists, or is not the one to replace. If the
 * refusal is unclear, the object that is there decides.
 */
export function afterRefusedPut(bucket: CloudBucket, put: ObjectPut<unknown>) {
  return Effect.fnUntraced(function* (failure: StoreFailure) {
    const { attempt, object, replacing } = put
    const refusal = bucket.readRefusal(failure, put)
    if (refusal === "Taken") return false
    if (refusal === "Failed") return yield* failure.error
    const etag = yield* bucket.etagOf(attempt.method, object.key)
    return etag === replacing ? yield* failure.error : false
  })
}
