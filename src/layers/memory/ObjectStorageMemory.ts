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
  /** Empty for `check` and `list`; for unfinished uploads the upload's id, or `uploads`. */
  readonly key: string
  /** How often this method has been called for this key, including this call. */
  readonly count: number
}

export interface ObjectStorageMemoryOptions {
  /** Tells this store from others. Defaults to none. */
  readonly prefix?: string | undefined
  /** Existing objects of another program, without metadata. */
  readonly objects?: Readonly<Record<string, Uint8Array>> | undefined
  /** Called before each call, which then fails with the result and does nothing else. */
  readonly failures?: ((call: ObjectStorageCall) => Option.Option<ObjectStorageError>) | undefined
  /** Existing uploads, which may be aborted. */
  readonly uploads?: ReadonlyArray<UnfinishedUpload> | undefined
  /** Receives every call, including failed ones. */
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

/** The objects, and the check before each call. */
interface Memory {
  readonly objects: Map<string, Stored>
  readonly begin: (method: Method, key?: string) => Effect.Effect<void, ObjectStorageError>
}

function makeBegin({ calls, failures }: ObjectStorageMemoryOptions): Memory["begin"] {
  const counts = new Map<string, number>()
  return (method, key = "") =>
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
}

const makePut = ({ begin, objects }: Memory) =>
  Effect.fn("ObjectStorageMemory.put")(function* <E>(
    { key, size, sha256, metadata, body }: NewObject<E>,
    options?: { readonly replacing?: string | undefined }
  ) {
    const isTaken = () => objects.get(key)?.info.etag !== options?.replacing
    yield* begin("put", key)
    if (isTaken()) return false
    const bytes = yield* collectBytes(body)
    const actual = sha256Of(bytes)
    if (bytes.length !== size || actual !== sha256) {
      const detail = `the body has ${bytes.length} bytes and SHA-256 ${actual} instead of the announced ${size} and ${sha256}`
      return yield* refusal("Corrupt", "put", key, detail)
    }
    // Another put may have finished first while the body was read.
    if (isTaken()) return false
    const info = { key, size, etag: sha256, hasMetadata: true }
    objects.set(key, { info, metadata: { ...metadata }, bytes })
    return true
  })

function read({ begin, objects }: Memory, key: string) {
  return begin("get", key).pipe(
    Effect.flatMap(() => Effect.fromNullable(objects.get(key))),
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
}

function unfinishedOf({ begin }: Memory, uploads: ReadonlyArray<UnfinishedUpload>) {
  const pending = new Map(uploads.map((upload) => [upload.id, upload] as const))
  return {
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
}

function copyOf({ info, metadata }: Stored) {
  return { ...info, metadata: { ...metadata } }
}

function serviceOf(options: ObjectStorageMemoryOptions): ObjectStorage["Type"] {
  const given = Object.entries(options.objects ?? {})
  const objects = new Map(given.map(([key, bytes]) => [key, foreign(key, bytes)] as const))
  const begin = makeBegin(options)
  const memory: Memory = { objects, begin }
  return ObjectStorage.of({
    place: "memory",
    location: `memory:${options.prefix ?? ""}`,
    isDurable: false,
    check: begin("check"),
    list: Stream.unwrap(
      Effect.map(begin("list"), () => Stream.fromIterable([...objects.values()].map(copyOf)))
    ),
    head: (key) =>
      Effect.map(begin("head", key), () =>
        Option.map(Option.fromNullable(objects.get(key)), copyOf)
      ),
    get: (key) => read(memory, key),
    put: makePut(memory),
    remove: (key) =>
      Effect.map(begin("remove", key), () => {
        objects.delete(key)
      }),
    ...(options.uploads === undefined ? {} : { unfinished: unfinishedOf(memory, options.uploads) })
  })
}

/** An object store in memory, which refuses what a real one refuses. It ends with the process. */
export function make(
  options: ObjectStorageMemoryOptions = {}
): Effect.Effect<ObjectStorage["Type"]> {
  return Effect.sync(() => serviceOf(options))
}

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
