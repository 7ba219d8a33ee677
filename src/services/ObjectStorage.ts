/**
 * Where hours land: objects under flat keys below one prefix, created whole and never overwritten.
 *
 * @module
 */
import { Context, type Effect, type Option, Order, Schema, type Scope, type Stream } from "effect"

/** Why a call to the store failed, and whether a retry could help. */
export class ObjectStorageError extends Schema.TaggedError<ObjectStorageError>()(
  "ObjectStorageError",
  {
    reason: Schema.Literal(
      "AccessDenied",
      /** The object, bucket or folder does not exist. */
      "NotFound",
      /** The store cannot be used as it is configured. */
      "Misconfigured",
      "NoSpace",
      "Unavailable",
      /** The bytes differ from what was announced or landed. */
      "Corrupt",
      "Failed"
    ),
    method: Schema.Literal("check", "list", "head", "get", "put", "remove"),
    /** The object, as the store names it. */
    path: Schema.String,
    detail: Schema.String
  }
) {
  /** True if the same call may succeed later. */
  get isTransient(): boolean {
    return this.reason === "Unavailable"
  }
  override get message(): string {
    return `Cannot ${this.method} "${this.path}": ${this.reason}: ${this.detail}`
  }
}

/** Whether an object, or the whole store, does not exist. */
export function isNotFound(error: unknown): error is ObjectStorageError {
  return error instanceof ObjectStorageError && error.reason === "NotFound"
}

export interface ObjectInfo {
  /** Below the store's prefix. */
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** Changes whenever the object changes. */
  readonly etag: string
  /** Whether the object has this program's metadata; absent if the listing does not tell. */
  readonly hasMetadata?: boolean | undefined
  /** As it was put; absent if the listing does not include it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export const byKey = Order.mapInput(Order.string, ({ key }: { readonly key: string }) => key)

export interface ObjectHead extends ObjectInfo {
  /** As it was put; empty for an object of another program. */
  readonly metadata: Readonly<Record<string, string>>
}

/** The SHA-256 of an object without bytes, in hexadecimal. */
export const SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
/** An object's full address, for messages. */
export function addressOf({ place }: Pick<ObjectStorage["Type"], "place">, key: string): string {
  const path = place.replace(/^folder /, "")
  return path.includes("/") ? path + key : `${path}: ${key}`
}

export interface NewObject<E> {
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** In hexadecimal. */
  readonly sha256: string
  readonly metadata: Readonly<Record<string, string>>
  /** Can be run more than once. */
  readonly body: Stream.Stream<Uint8Array, E>
  /**
   * The same bytes in memory that is used again as soon as the next piece, or the end, is pulled. A store
   * that is done with each piece by then saves time with it; all others read `body`.
   */
  readonly lent?: Stream.Stream<Uint8Array, E> | undefined
  /**
   * A file from this store's `draft` with exactly these bytes, flushed to disk. It becomes the object
   * without a look at `body`. A file of another size, or from anywhere else, is ignored.
   */
  readonly draft?: string | undefined
}

/** An upload that was never completed. No listing shows it, but it takes up space. */
export interface UnfinishedUpload {
  /** Identifies it in its store. */
  readonly id: string
  /** The key that it was for; absent if the store does not tell. */
  readonly key?: string | undefined
  /** Its location, for messages. */
  readonly path: string
  /** When something was last added to it, in milliseconds since 1970. */
  readonly touched: number
  /** In bytes. */
  readonly size: number
  /** Whether the run that started it is known to be dead. Otherwise only its age tells. */
  readonly isOrphan: boolean
}

/**
 * A store of objects under flat keys. Objects appear whole, and are never overwritten unless the
 * caller gives the ETag to replace.
 *
 * @example
 * ```ts
 * import { Effect, Option } from "effect"
 * import { ObjectStorage } from "amplitude-lake"
 *
 * export const eventsOf = Effect.fn("eventsOf")(function* (key: string) {
 *   const store = yield* ObjectStorage
 *   const head = yield* store.head(key)
 *   return Option.map(head, ({ metadata }) => Number(metadata["events"]))
 * })
 * ```
 */
export class ObjectStorage extends Context.Tag("amplitude-lake/ObjectStorage")<
  ObjectStorage,
  {
    /** The store and its prefix, for messages. */
    readonly place: string

    /**
     * The store and its prefix as a URL in ASCII, the same from whatever folder the program runs:
     * it tells one lake from another.
     */
    readonly location: string

    /**
     * Whether objects outlive the process. If not, no local file is removed because of what this
     * store has.
     */
    readonly isDurable: boolean

    /** Fails, saying what to do, if nothing could land here. Call it before downloading. */
    readonly check: Effect.Effect<void, ObjectStorageError>

    /** Every object below the prefix, in no particular order: all of them, or a failure. */
    readonly list: Stream.Stream<ObjectInfo, ObjectStorageError>

    /** Looks an object up without reading it. `None` if there is no such key. */
    readonly head: (key: string) => Effect.Effect<Option.Option<ObjectHead>, ObjectStorageError>

    /** The object's bytes; `NotFound` if there is no such key. */
    readonly get: (key: string) => Stream.Stream<Uint8Array, ObjectStorageError>

    /**
     * Creates an object atomically and durably, only if the key is free: `false` if it is taken. A
     * body that fails, or does not match the announced size and SHA-256 (`Corrupt`), leaves nothing
     * behind. With `replacing`, replaces the object with that etag instead: `false` if it is gone
     * or has changed.
     */
    readonly put: <E>(
      object: NewObject<E>,
      options?: { readonly replacing?: string | undefined }
    ) => Effect.Effect<boolean, ObjectStorageError | E>

    /**
     * Creates an empty file on the store's disk, for the bytes of an object that is put later, and
     * returns its path. The path goes with the scope, or with a put that uses it; an object that it
     * became stays. Absent if objects are not files.
     */
    readonly draft?: Effect.Effect<string, ObjectStorageError, Scope.Scope> | undefined

    /** Removes an object. Does nothing if there is none. Programs call it for staging only. */
    readonly remove: (key: string) => Effect.Effect<void, ObjectStorageError>

    /** Absent if an interrupted put leaves nothing behind. */
    readonly unfinished?:
      | {
          /**
           * Uploads below the prefix, of any writer, without activity since an instant
           * (milliseconds since 1970), and orphans of any age.
           */
          readonly list: (since: number) => Stream.Stream<UnfinishedUpload, ObjectStorageError>

          /** Aborts an upload. Does nothing if it is gone; an object that it has become stays. */
          readonly abort: (upload: UnfinishedUpload) => Effect.Effect<void, ObjectStorageError>
        }
      | undefined
  }
>() {}
