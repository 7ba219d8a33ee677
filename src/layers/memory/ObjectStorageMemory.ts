import { createHash } from "node:crypto"
import { Effect, Layer, Option, Stream } from "effect"
import {
  type NewObject,
  type ObjectInfo,
  ObjectStorage,
  ObjectStorageError,
  type UnfinishedUpload
} from "../../services/ObjectStorage.ts"
import { collectBytes } from "./bytes.ts"
import { keyProblem } from "../names/objectKey.ts"

type Method = ObjectStorageError["method"]

export interface ObjectStorageCall {
  readonly method: Method
  /** Empty for `check` and `list`, the upload's id or `uploads` for what is unfinished. */
  readonly key: string
  /** How often this method has been called for this key, this call included. */
  readonly count: number
}

export interface ObjectStorageMemoryOptions {
  /** Objects of another program, without metadata, that are there from the start. */
  readonly objects?: Readonly<Record<string, Uint8Array>> | undefined
  /** Asked before each call, which fails with what it returns and does nothing else. */
  readonly failures?: ((call: ObjectStorageCall) => Option.Option<ObjectStorageError>) | undefined
  /** Uploads that are there from the start, and may be aborted. */
  readonly uploads?: ReadonlyArray<UnfinishedUpload> | undefined
  /** Every call is pushed here, also those that fail. */
  readonly calls?: Array<ObjectStorageCall> | undefined
}

interface Stored {
  readonly info: ObjectInfo
  readonly metadata: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
}

const READ_BYTES = 256 * 1024

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex")
}

function refusal(
  reason: ObjectStorageError["reason"],
  method: Method,
  key: string,
  detail: string
): ObjectStorageError {
  return new ObjectStorageError({ reason, method, path: `memory:${key}`, detail })
}

function foreign(key: string, body: Uint8Array): Stored {
  const bytes = body.slice()
  const info = { key, size: bytes.length, etag: sha256Of(bytes), hasMetadata: false }
  return { info, metadata: {}, bytes }
}

/** An object store held in memory, which refuses what a real one refuses. It ends with the process. */
export const make: (
  options?: ObjectStorageMemoryOptions
) => Effect.Effect<ObjectStorage["Type"]> = ({ objects = {}, failures, uploads, calls } = {}) =>
  Effect.sync(() => {
    const store = new Map(
      Object.entries(objects).map(([key, bytes]) => [key, foreign(key, bytes)] as const)
    )
    const counts = new Map<string, number>()

    const begin = (method: Method, key = "") =>
      Effect.suspend(() => {
        const count = (counts.get(`${method} ${key}`) ?? 0) + 1
        counts.set(`${method} ${key}`, count)
        const call: ObjectStorageCall = { method, key, count }
        calls?.push(call)
        const planned = failures?.(call) ?? Option.none()
        if (Option.isSome(planned)) return Effect.fail(planned.value)
        const problem = method === "check" || method === "list" ? undefined : keyProblem(key)
        return problem === undefined
          ? Effect.void
          : Effect.fail(refusal("Failed", method, key, problem))
      })

    const isTaken = (key: string, replacing: string | undefined) =>
      store.get(key)?.info.etag !== replacing

    const put = Effect.fn("ObjectStorageMemory.put")(function* <E>(
      { key, size, sha256, metadata, body }: NewObject<E>,
      options?: { readonly replacing?: string | undefined }
    ) {
      yield* begin("put", key)
      if (isTaken(key, options?.replacing)) return false
      const bytes = yield* collectBytes(body)
      const actual = sha256Of(bytes)
      if (bytes.length !== size || actual !== sha256) {
        const detail = `the body has ${bytes.length} bytes and SHA-256 ${actual}, but ${size} and ${sha256} were announced`
        return yield* refusal("Corrupt", "put", key, detail)
      }
      // Another put may have come first while the body flowed.
      if (isTaken(key, options?.replacing)) return false
      const info = { key, size, etag: sha256, hasMetadata: true }
      store.set(key, { info, metadata: { ...metadata }, bytes })
      return true
    })

    const get = (key: string) =>
      begin("get", key).pipe(
        Effect.flatMap(() => Effect.fromNullable(store.get(key))),
        Effect.catchTag("NoSuchElementException", () =>
          Effect.fail(refusal("NotFound", "get", key, "there is no such object"))
        ),
        Effect.map(({ bytes }) =>
          Stream.range(0, Math.ceil(bytes.length / READ_BYTES) - 1).pipe(
            Stream.map((index) => bytes.slice(index * READ_BYTES, (index + 1) * READ_BYTES))
          )
        ),
        Stream.unwrap
      )

    const pending = new Map(uploads?.map((upload) => [upload.id, upload] as const))
    const unfinished = {
      list: (since: number) =>
        Stream.unwrap(
          Effect.map(begin("list", "uploads"), () =>
            Stream.fromIterable(
              [...pending.values()].filter((it) => it.isOrphan || it.touched < since)
            )
          )
        ),
      abort: ({ id }: UnfinishedUpload) =>
        Effect.map(begin("remove", id), () => {
          pending.delete(id)
        })
    }

    return ObjectStorage.of({
      place: "memory",
      isDurable: false,
      check: begin("check"),
      list: Stream.unwrap(
        Effect.map(begin("list"), () =>
          Stream.fromIterable(
            [...store.values()].map(({ info, metadata }) => ({
              ...info,
              metadata: { ...metadata }
            }))
          )
        )
      ),
      head: (key) =>
        Effect.map(begin("head", key), () =>
          Option.map(Option.fromNullable(store.get(key)), ({ info, metadata }) => ({
            ...info,
            metadata: { ...metadata }
          }))
        ),
      get,
      put,
      remove: (key) =>
        Effect.map(begin("remove", key), () => {
          store.delete(key)
        }),
      ...(uploads === undefined ? {} : { unfinished })
    })
  })

/**
 * @example
 * ```ts
 * import { Layer } from "effect"
 * import { Staging } from "amplitude-lake"
 * import * as ObjectStorageMemory from "amplitude-lake/layers/ObjectStorageMemory"
 *
 * export const storage = Layer.merge(
 *   ObjectStorageMemory.layer(),
 *   Layer.effect(Staging, ObjectStorageMemory.make())
 * )
 * ```
 */
export function layer(options?: ObjectStorageMemoryOptions): Layer.Layer<ObjectStorage> {
  return Layer.effect(ObjectStorage, make(options))
}
