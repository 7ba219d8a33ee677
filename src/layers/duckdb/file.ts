import type { Stats } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { isMainThread } from "node:worker_threads"
import { Effect, type Scope } from "effect"
import { WarehouseError, type WarehouseHealth } from "../../services/Warehouse.ts"
import { text } from "../cloud/failure.ts"
import { loadSdk } from "../cloud/sdk.ts"
import { type Connection, connectionOf, PACKAGE, toWarehouseError } from "./connection.ts"
import { LIST_TABLES, SCHEMA_VERSION, TABLES } from "./tables.ts"

/** The warehouse's name in DuckDB. */
export const CATALOG = "lake"

/** Files with events are readable by their owner only. */
const FILE_MODE = 0o600
/** The rights of everybody else. */
const OTHERS = 0o007

/** Files that this process has open. The system's locks do not keep a process from its own files. */
const held = new Set<string>()

export interface FileOptions {
  readonly path: string
  readonly memoryLimit: string
  readonly threads: number
  /** The only folder that statements may write to and read from. */
  readonly exportsTo?: string | undefined
}

const failed = (reason: WarehouseError["reason"], path: string, detail: string) =>
  new WarehouseError({ reason, method: "open", path, detail })

const exists = (path: string) =>
  Effect.tryPromise({
    try: () =>
      fs.stat(path).then(
        () => true,
        (cause) => {
          if (text(cause, "code") === "ENOENT") return false
          throw cause
        }
      ),
    catch: (cause) => toWarehouseError("open", path, cause)
  })

const onDisk = <A>(path: string, run: () => Promise<A>) =>
  Effect.uninterruptible(
    Effect.tryPromise({ try: run, catch: (cause) => toWarehouseError("open", path, cause) })
  )

/** Openings of files at this moment, and the umask that applied before the first of them. */
const openings = { count: 0, umask: 0 }

/** Has DuckDB make its own files, the log and what it spills to disk, for their owner alone. */
const forOwnerAlone = Effect.acquireRelease(
  Effect.sync(() => {
    openings.count += 1
    // A worker thread may not set it.
    if (isMainThread && openings.count === 1) openings.umask = process.umask(0o077)
  }),
  () =>
    Effect.sync(() => {
      openings.count -= 1
      if (isMainThread && openings.count === 0) process.umask(openings.umask)
    })
)

/** A connection to DuckDB without extensions and files; they are attached one by one. */
const connect = Effect.fnUntraced(function* ({ memoryLimit, path, threads }: FileOptions) {
  const { DuckDBInstance } = yield* Effect.tryPromise({
    try: () => loadSdk(PACKAGE, () => import("@duckdb/node-api")),
    catch: (cause) =>
      text(cause, "code") === "ERR_MODULE_NOT_FOUND"
        ? failed("Misconfigured", path, text(cause, "message") ?? "")
        : toWarehouseError("open", path, cause)
  })
  const instance = yield* Effect.acquireRelease(
    onDisk(path, () =>
      DuckDBInstance.create(":memory:", {
        memory_limit: memoryLimit,
        threads: String(threads),
        temp_directory: `${path}.tmp`,
        autoinstall_known_extensions: "false",
        autoload_known_extensions: "false"
      })
    ),
    (it) => Effect.sync(() => it.closeSync())
  )
  const connection = yield* Effect.acquireRelease(
    onDisk(path, () => instance.connect()),
    (it) => Effect.sync(() => it.closeSync())
  )
  return connectionOf(connection, path, CATALOG)
})

// Large row groups would need 20 times the memory of a load. They do not stay with the file.
const LOAD = "storage_version 'v1.5.0', row_group_size 8192"

const OPTIONS = {
  read: "read_only",
  load: LOAD,
  // Stays with the file. Each row group ends with a block, so large ones would leave a fifth of it empty.
  make: `${LOAD}, block_size 65536`
} as const

/** Attaches a file. The type keeps DuckDB from guessing one that needs an extension. */
function attach({ run }: Connection, path: string, to: keyof typeof OPTIONS) {
  const file = path.replaceAll("'", "''")
  return run("open", `attach '${file}' as ${CATALOG} (type duckdb, ${OPTIONS[to]}); use ${CATALOG}`)
}

const removeUnfinished = (path: string) =>
  onDisk(path, async () => {
    await fs.rm(`${path}.new`, { force: true })
    await fs.rm(`${path}.new.wal`, { force: true })
  })

/** Makes a file with the lake's tables, which appears whole under its name. */
const makeFile = Effect.fnUntraced(function* (options: FileOptions) {
  const { path } = options
  if (yield* exists(`${path}.wal`)) {
    const detail = `"${path}.wal" is left of a database that is gone: remove it first`
    return yield* failed("NotADatabase", path, detail)
  }
  const unfinished = `${path}.new`
  const make = Effect.scoped(
    Effect.gen(function* () {
      const connection = yield* connect({ ...options, path: unfinished })
      yield* attach(connection, unfinished, "make")
      yield* onDisk(unfinished, () => fs.chmod(unfinished, FILE_MODE))
      yield* connection.run("open", `begin; ${TABLES} commit; checkpoint`)
    })
  )
  const remove = removeUnfinished(path)
  // If the name is taken by now, another run was faster.
  const name = onDisk(unfinished, () =>
    fs.link(unfinished, path).catch((cause) => {
      if (text(cause, "code") !== "EEXIST") throw cause
    })
  )
  yield* make.pipe(
    // A run that was killed may have left half of it. One that lives holds its lock.
    Effect.catchIf(
      ({ reason }) => reason === "NotADatabase",
      () => Effect.zipRight(remove, make)
    ),
    Effect.zipRight(name),
    // Another run has given it its name, and removed this one.
    Effect.catchIf(
      ({ reason }) => reason === "NotFound",
      () => failed("Busy", path, "another run is making it")
    )
  )
  yield* remove
})

/** Fails unless the file holds the lake's tables in the version of this program. */
const checkTables = Effect.fnUntraced(function* ({ rows }: Connection, path: string) {
  const found = yield* rows(
    "open",
    `select count(*) as tables from information_schema.tables where table_catalog = '${CATALOG}' and table_schema = 'amplitude' and table_name = 'about'`
  )
  if (Number(found[0]?.["tables"]) !== 1) {
    const detail = "it is a database without the tables of amplitude-lake: choose another file"
    return yield* failed("Foreign", path, detail)
  }
  const [about] = yield* rows("open", "select value from amplitude.about where name = 'schema'")
  const version = Number(about?.["value"])
  if (version === SCHEMA_VERSION) return
  const detail = `its tables have version ${version}, and this program's have ${SCHEMA_VERSION}`
  return yield* failed(version > SCHEMA_VERSION ? "TooNew" : "TooOld", path, detail)
})

/**
 * Opens a warehouse file until the scope closes. Looks at it first without writing, so that what is
 * refused stays as it is.
 */
export const openFile = Effect.fn("WarehouseDuckDb.open")(function* (
  options: FileOptions,
  to: "load" | "read"
): Effect.fn.Return<Connection, WarehouseError, Scope.Scope> {
  const path = resolve(options.path)
  const own = { ...options, path }
  yield* holdFile(path)
  yield* forOwnerAlone
  if (to === "load" && !(yield* exists(path))) yield* makeFile(own)
  const connection = yield* connect(own)
  yield* attach(connection, path, "read")
  yield* checkTables(connection, path)
  if (to === "load") {
    yield* connection.run("open", `use memory; detach ${CATALOG}`)
    yield* attach(connection, path, to)
    yield* connection.run("open", LIST_TABLES)
    // A run that was killed once it had named the file left its other name.
    yield* removeUnfinished(path)
  }
  if (own.exportsTo !== undefined) {
    const folder = resolve(own.exportsTo).replaceAll("'", "''")
    yield* connection.run("open", `set allowed_directories = ['${folder}']`)
  }
  // From now on, queries reach no other file and no network.
  yield* connection.run("open", "set TimeZone = 'UTC'; set enable_external_access = false")
  if (to === "read") return connection
  yield* Effect.addFinalizer(() =>
    // Otherwise the write-ahead log would stay beside the file.
    Effect.catchAll(connection.run("load", "checkpoint"), ({ message }) =>
      Effect.logWarning(message)
    )
  )
  return connection
})

/** Looks at a file's place without opening it. */
export const healthOf = Effect.fn("WarehouseDuckDb.health")(function* (
  file: string
): Effect.fn.Return<WarehouseHealth, WarehouseError> {
  const path = resolve(file)
  return yield* onDisk(path, async () => {
    const { bavail, bsize } = await fs.statfs(dirname(path))
    const free = bavail * bsize
    const stats = await fs.stat(path).catch((cause) => {
      if (text(cause, "code") !== "ENOENT") throw cause
    })
    return stats === undefined
      ? { isThere: false, free, exposure: "" }
      : { isThere: true, free, exposure: exposureOf(path, stats) }
  })
})

/** Files with events are for their owner, and for a group that the owner has chosen. */
function exposureOf(path: string, { mode, uid }: Pick<Stats, "mode" | "uid">): string {
  const own = process.getuid?.()
  if (own !== undefined && uid !== own && own !== 0) return `it belongs to another user (${uid})`
  // Windows has other rights.
  return own !== undefined && (mode & OTHERS) !== 0
    ? `every user of this machine can ${(mode & 0o004) === 0 ? "write to" : (mode & 0o002) === 0 ? "read" : "read and write"} it: chmod o-rwx "${path}"`
    : ""
}

/** Keeps the file for this scope alone, by whatever name it is opened. */
const holdFile = Effect.fnUntraced(function* (path: string) {
  if (!(yield* exists(dirname(path)))) {
    const detail = `there is no folder "${dirname(path)}": make it first`
    return yield* failed("Misconfigured", path, detail)
  }
  const name = yield* onDisk(path, () =>
    fs.realpath(path).catch(async () => join(await fs.realpath(dirname(path)), basename(path)))
  )
  yield* Effect.acquireRelease(
    Effect.suspend(() =>
      held.has(name)
        ? Effect.fail(failed("Busy", path, "this process has it open already"))
        : Effect.sync(() => held.add(name))
    ),
    () => Effect.sync(() => held.delete(name))
  )
})
