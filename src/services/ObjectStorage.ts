/**
 * The place where hours land: a flat key space below one prefix, whose objects are whole and never
 * overwritten.
 *
 * @module
 */
import { Context, type Effect, type Option, Order, Schema, type Stream } from "effect"

/** What went wrong in the store, and whether trying again could help. */
export class ObjectStorageError extends Schema.TaggedError<ObjectStorageError>()(
  "ObjectStorageError",
  {
    reason: Schema.Literal(
      "AccessDenied",
      /** No such object, bucket or folder. */
      "NotFound",
      /** The store cannot be used as it is set up. */
      "Misconfigured",
      "NoSpace",
      "Unavailable",
      /** The bytes are not those that were announced or landed. */
      "Corrupt",
      "Failed"
    ),
    method: Schema.Literal("check", "list", "head", "get", "put", "remove"),
    /** The object, as its store names it. */
    path: Schema.String,
    detail: Schema.String
  }
) {
  /** True when the same call may succeed later, unchanged. */
  get isTransient(): boolean {
    return this.reason === "Unavailable"
  }
  override get message(): string {
    return `Cannot ${this.method} "${this.path}": ${this.reason}: ${this.detail}`
  }
}

/** Whether an object, or all of a store, was not there. */
export function isNotFound(error: unknown): error is ObjectStorageError {
  return error instanceof ObjectStorageError && error.reason === "NotFound"
}

export interface ObjectInfo {
  /** Below the store's prefix. */
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** Changes whenever the object does. */
  readonly etag: string
  /** Whether the object has metadata of this program; absent where a listing does not tell. */
  readonly hasMetadata?: boolean | undefined
  /** Text by name, as it was put; absent where a listing does not give it. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export const byKey = Order.mapInput(Order.string, ({ key }: { readonly key: string }) => key)

export interface ObjectHead extends ObjectInfo {
  /** Text by name, as it was put; empty for an object of another program. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface NewObject<E> {
  readonly key: string
  /** In bytes. */
  readonly size: number
  /** In hexadecimal. */
  readonly sha256: string
  readonly metadata: Readonly<Record<string, string>>
  /** May be run more than once. */
  readonly body: Stream.Stream<Uint8Array, E>
}

/** What was begun to become an object and never did: no listing shows it, and it takes room. */
export interface UnfinishedUpload {
  /** Names it to its store. */
  readonly id: string
  /** The object that it was to become; absent where the store does not tell. */
  readonly key?: string | undefined
  /** Where it lies, for messages. */
  readonly path: string
  /** When something was last added to it, in milliseconds since 1970. */
  readonly touched: number
  /** In bytes. */
  readonly size: number
  /** Whether the run that began it is known to have died; otherwise only its age speaks. */
  readonly isOrphan: boolean
}

/**
 * A store of objects under flat keys. Objects appear whole, and are never overwritten unless the caller
 * names the ETag that gives way.
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
    /** Names the store and its prefix to a person. */
    readonly place: string

    /**
     * Whether what lands here outlives the process: nothing local is removed on the word of a store
     * that does not.
     */
    readonly isDurable: boolean

    /**
     * Fails, saying what to do, when nothing could land here. To be called before anything is
     * downloaded.
     */
    readonly check: Effect.Effect<void, ObjectStorageError>

    /** Every object below the prefix, in no promised order: all of them, or a failure. */
    readonly list: Stream.Stream<ObjectInfo, ObjectStorageError>

    /** Looks an object up without reading it. `None` when there is no such key. */
    readonly head: (key: string) => Effect.Effect<Option.Option<ObjectHead>, ObjectStorageError>

    /** The object's bytes; `NotFound` when there is no such key. */
    readonly get: (key: string) => Stream.Stream<Uint8Array, ObjectStorageError>

    /**
     * Creates an object, visible only when whole and durable, and only if there is none: `false`
     * when there is one. A body that fails, or is not of the announced size and SHA-256
     * (`Corrupt`), leaves nothing. With `replacing`, the one object of that etag is replaced
     * instead: `false` when it is gone or another.
     */
    readonly put: <E>(
      object: NewObject<E>,
      options?: { readonly replacing?: string | undefined }
    ) => Effect.Effect<boolean, ObjectStorageError | E>

    /** Removes an object; nothing happens when there is none. Programs remove from staging only. */
    readonly remove: (key: string) => Effect.Effect<void, ObjectStorageError>

    /** Absent where an object that was not put whole leaves nothing. */
    readonly unfinished?:
      | {
          /**
           * Uploads below the prefix, whoever began them, to which nothing was added since an
           * instant; orphans of any age.
           */
          readonly list: (since: number) => Stream.Stream<UnfinishedUpload, ObjectStorageError>

          /**
           * Removes one of them; nothing happens when it is gone. An object that it became
           * meanwhile stays.
           */
          readonly abort: (upload: UnfinishedUpload) => Effect.Effect<void, ObjectStorageError>
        }
      | undefined
  }
>() {}
