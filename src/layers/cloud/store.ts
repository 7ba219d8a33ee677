import { createHash } from "node:crypto"
import type { Readable } from "node:stream"
import { Chunk, Effect, Option, Stream } from "effect"
import type { NewObject, ObjectInfo, ObjectStorageError } from "../../services/ObjectStorage.ts"
import { failed, type StoreAttempt, type StoreFailure } from "./failure.ts"
import { PROBE, tryStore } from "./probe.ts"

/** What a call does, for the permission that it needs. */
export type Access = "list" | "read" | "write" | "delete"

/** One page of a listing. */
export interface Page {
  /** With the prefix in their keys. */
  readonly objects: ReadonlyArray<ObjectInfo>
  readonly isLast: boolean
  /** Where the next page begins. */
  readonly next: string | undefined
}

/** An object whose bytes are on their way. */
export interface OpenObject {
  readonly body: Readable
  /** What the store says of all of them; absent where it says nothing. */
  readonly md5?: Uint8Array | undefined
}

/** What is being put, and the etag of the one object that it may replace. */
export interface ObjectPut<E> {
  readonly attempt: StoreAttempt
  readonly object: NewObject<E>
  readonly replacing: string | undefined
}

/** What a store's refusal of a put says by itself. */
export type PutRefusal =
  /** There is an object, or not the one that was to be replaced. */
  | "Taken"
  /** Another writer was at it, or the answer was lost, as it can be while much is being sent. */
  | "Unclear"
  | "Failed"

/** The keys below one prefix of a cloud's store, and what it does by one request each. */
export interface CloudBucket {
  readonly place: string
  readonly prefix: string
  readonly attemptTo: (method: StoreAttempt["method"], access: Access, key: string) => StoreAttempt
  readonly page: (
    attempt: StoreAttempt,
    token?: string,
    limit?: number
  ) => Effect.Effect<Page, ObjectStorageError>
  /** `undefined` when there is no such key. */
  readonly etagOf: (
    method: StoreAttempt["method"],
    key: string
  ) => Effect.Effect<string | undefined, ObjectStorageError>
  readonly open: (
    attempt: StoreAttempt,
    key: string
  ) => Effect.Effect<OpenObject, ObjectStorageError>
  /** Nothing happens when there is no such key. */
  readonly delete: (
    attempt: StoreAttempt,
    key: string
  ) => Effect.Effect<unknown, ObjectStorageError>
  readonly readRefusal: (failure: StoreFailure, put: ObjectPut<unknown>) => PutRefusal
  readonly toFailure: (attempt: StoreAttempt, cause: unknown) => StoreFailure
}

/** Puts an object by one request or more; `method` is for the error's words. */
export type PutAs = <E>(
  method: "put" | "check",
  object: NewObject<E>,
  replacing?: string
) => Effect.Effect<boolean, ObjectStorageError | E>

export function listObjects({
  attemptTo,
  page,
  prefix
}: CloudBucket): Stream.Stream<ObjectInfo, ObjectStorageError> {
  const attempt = attemptTo("list", "list", "")
  return Stream.paginateChunkEffect(undefined, (token: string | undefined) =>
    Effect.flatMap(page(attempt, token), ({ isLast, next, objects }) => {
      // Half a listing would make gaps of hours that are there.
      if (!isLast && next === undefined) {
        const detail = "The listing broke off: it has more pages but does not say where"
        return failed(attempt, "Failed", detail)
      }
      const shown = Chunk.filterMap(Chunk.fromIterable(objects), (info) => below(prefix, info))
      return Effect.succeed([shown, Option.fromNullable(next)] as const)
    })
  )
}

/** The object by its key below the prefix; the probe is none. */
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
  // The store may be long in answering: whoever is interrupted does not wait for it.
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

/** Fails at the end where other bytes came than the store promised. */
function compared(
  attempt: StoreAttempt,
  bytes: Stream.Stream<Uint8Array, ObjectStorageError>,
  md5: Uint8Array
): Stream.Stream<Uint8Array, ObjectStorageError> {
  const hash = createHash("md5")
  const end = Stream.suspend(() => {
    if (hash.digest().equals(md5)) return Stream.empty
    const detail = "Other bytes were read than the store's own MD5 promises"
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
 * What a refused put means: `false` when there is an object, or not the one to be replaced. Where
 * the refusal leaves it open, whatever stands there decides.
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
