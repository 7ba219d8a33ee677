import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { readlinkSync } from "node:fs"
import { Clock, Duration, Effect, Option, type Scope } from "effect"
import { attempt, cleanUp, type FileFailure, hasCode, makeFolder, readFolder } from "./files.ts"

/**
 * How often a live run renews its mark, and how long a run that cannot be checked, such as on
 * another host, may be silent.
 */
const HEARTBEAT = Duration.minutes(1)
const SILENCE = Duration.toMillis(Duration.minutes(30))

/** A run's own folder, on the file system of the files that it renames and links. */
export interface RunFolder {
  /**
   * A new path in the folder, for a file or a folder. The first call creates the folder, and
   * reclaims.
   */
  readonly fresh: Effect.Effect<string, FileFailure>
  /** The folders of dead runs that left something in them. */
  readonly dead: Effect.Effect<ReadonlyArray<string>, FileFailure>
  /** How many other runs live. Of two runs that ask once they have their folders, one at least sees the other. */
  readonly others: Effect.Effect<number, FileFailure>
  /**
   * Takes over the folders of dead runs, rescues what is useful and removes the rest. Logs a
   * warning for what it may not touch.
   */
  readonly reclaim: Effect.Effect<void>
}

/** "0" if the system has no process namespaces, as on anything but Linux. */
function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "0"
    throw cause
  }
}

/**
 * Used in the name of a run that may not read its host's name, as under Deno. Its process number
 * proves nothing.
 */
const HIDDEN = "hidden"

function findHost(): string {
  try {
    return `${hostname().replace(/[^\w.-]/g, "_")}.${processNamespace()}`
  } catch {
    return HIDDEN
  }
}

/** Where a process number is unique: containers may share a host name, but not process numbers. */
export const host = findHost()

interface ProcessState {
  /** In ticks since boot: distinguishes a process from a later one with the same number. */
  readonly start: string
  readonly isRunning: boolean
}

/** `None` if the system does not tell, as on anything but Linux. */
const readProcess = (pid: number): Effect.Effect<Option.Option<ProcessState>> =>
  attempt(() => fs.readFile(`/proc/${pid}/stat`, "utf8")).pipe(
    Effect.map((text) => {
      // The process's name is in parentheses and may contain spaces and parentheses.
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
      return { start: fields[19] ?? "0", isRunning: !/^[ZX]/.test(fields[0] ?? "") }
    }),
    Effect.option
  )

/** Whether a process with this number exists; `None` if this program may not ask. */
function answers(pid: number): Option.Option<boolean> {
  try {
    return Option.some(process.kill(pid, 0))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    return code === "ESRCH" || code === "EPERM" ? Option.some(code === "EPERM") : Option.none()
  }
}

const isAlive = Effect.fnUntraced(function* (pid: number, start: string) {
  const found = answers(pid)
  if (Option.isNone(found) || !found.value) return found
  const state = yield* readProcess(pid)
  return Option.match(state, {
    onNone: () => found,
    onSome: (process) =>
      Option.some(process.isRunning && (start === "0" || process.start === start))
  })
})

const NAME = /^(?<host>[^~]+)~(?<pid>\d+)~(?<start>\d+)~[0-9a-f]+$/

/** Whether a folder in `runs` belongs to a dead run; `own` is the name of this run's folder. */
const isDead = Effect.fnUntraced(function* (runs: string, own: string, folder: string) {
  const groups = NAME.exec(folder)?.groups
  if (groups === undefined || folder === own) return false
  if (groups["host"] === host && host !== HIDDEN) {
    const lives = yield* isAlive(Number(groups["pid"]), groups["start"] ?? "0")
    if (Option.isSome(lives)) return !lives.value
  }
  const now = yield* Clock.currentTimeMillis
  return yield* attempt(() => fs.stat(join(runs, folder))).pipe(
    Effect.map(({ mtimeMs }) => now - mtimeMs > SILENCE),
    Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed(false))
  )
})

/**
 * Creates this run's folder `<parent>/runs/<host>~<pid>~<start>~<random>`, removed with its
 * contents when the scope closes. `rescue` runs on a dead run's folder before it is removed, when
 * no other run can see it.
 */
export const make: (
  parent: string,
  rescue?: (folder: string) => Effect.Effect<void, FileFailure>
) => Effect.Effect<RunFolder, never, Scope.Scope> = Effect.fnUntraced(function* (
  parent,
  rescue = () => Effect.void
) {
  const scope = yield* Effect.scope
  const runs = join(parent, "runs")
  const self = yield* readProcess(process.pid)
  const start = Option.match(self, { onNone: () => "0", onSome: (state) => state.start })
  const name = `${host}~${process.pid}~${start}~${randomBytes(6).toString("hex")}`
  const own = join(runs, name)
  const lock = yield* Effect.makeSemaphore(1)
  let isMade = false
  let given = 0

  yield* Effect.addFinalizer(() => (isMade ? cleanUp(own) : Effect.void))

  const beat = Effect.sleep(HEARTBEAT).pipe(
    Effect.zipRight(Clock.currentTimeMillis),
    Effect.flatMap((now) => attempt(() => fs.utimes(own, now / 1000, now / 1000))),
    Effect.catchAll(({ detail }) => Effect.logWarning(`Cannot show that this run lives: ${detail}`))
  )

  const open = Effect.suspend(() => {
    if (isMade) return Effect.void
    return Effect.zipRight(
      makeFolder(own),
      Effect.suspend(() => {
        isMade = true
        return Effect.forkIn(Effect.interruptible(Effect.forever(beat)), scope)
      })
    )
  }).pipe(Effect.uninterruptible, lock.withPermits(1))

  const next = Effect.suspend(() =>
    Effect.map(isMade ? Effect.void : open, () => join(own, String(given++)))
  )

  const dead = readFolder(runs).pipe(
    Effect.flatMap((entries) => Effect.filter(entries, (entry) => isDead(runs, name, entry.name))),
    Effect.map((entries) => entries.map((entry) => join(runs, entry.name)))
  )

  const others = readFolder(runs).pipe(
    Effect.map((entries) => entries.filter((it) => it.name !== name && NAME.test(it.name))),
    Effect.flatMap(
      Effect.filter((entry) => Effect.map(isDead(runs, name, entry.name), (isGone) => !isGone))
    ),
    Effect.map(({ length }) => length)
  )

  const takeOver = Effect.fnUntraced(function* (folder: string) {
    const taken = yield* next
    const isOurs = yield* attempt(() => fs.rename(folder, taken)).pipe(
      Effect.as(true),
      Effect.catchIf(hasCode("ENOENT"), () => Effect.succeed(false))
    )
    if (isOurs) yield* Effect.zipRight(rescue(taken), cleanUp(taken))
  }, Effect.uninterruptible)

  const warn = Effect.catchAll(({ detail }: FileFailure) =>
    Effect.logWarning(`Cannot take over what a dead run left: ${detail}`)
  )
  const reclaim = dead.pipe(
    Effect.flatMap(Effect.forEach((folder) => warn(takeOver(folder)), { discard: true })),
    warn
  )

  let isFirst = true
  const fresh = Effect.suspend(() => {
    if (!isFirst) return next
    isFirst = false
    return Effect.zipRight(reclaim, next)
  })

  return { fresh, dead, others, reclaim }
})
