import { randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { readlinkSync } from "node:fs"
import { Clock, Duration, Effect, Option, type Scope } from "effect"
import { attempt, cleanUp, type FileFailure, hasCode, makeFolder, readFolder } from "./files.ts"

/**
 * How often a live run says so, and how long one may be silent that cannot be asked for, as of
 * another host.
 */
const HEARTBEAT = Duration.minutes(1)
const SILENCE = Duration.toMillis(Duration.minutes(30))

/** A run's own folder, on the file system of the files that it renames and links. */
export interface RunFolder {
  /**
   * A path in the folder that was never given before, for a file or a folder. The first call makes
   * the folder, and reclaims.
   */
  readonly fresh: Effect.Effect<string, FileFailure>
  /** The folders of runs that died with something left in them. */
  readonly dead: Effect.Effect<ReadonlyArray<string>, FileFailure>
  /**
   * Takes over the folders of dead runs, saves what is worth it and removes the rest. Warns of what
   * it may not touch.
   */
  readonly reclaim: Effect.Effect<void>
}

/** "0" where the system has no such thing, as anywhere but on Linux. */
function processNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return "0"
    throw cause
  }
}

/**
 * What runs are named by that may not ask where they are, as under Deno: of such a run no process
 * number tells anything.
 */
const HIDDEN = "hidden"

function findHost(): string {
  try {
    return `${hostname().replace(/[^\w.-]/g, "_")}.${processNamespace()}`
  } catch {
    return HIDDEN
  }
}

/**
 * The place in which a process number means one process: containers may share a host's name, but
 * not its numbers.
 */
export const host = findHost()

interface ProcessState {
  /** Since the system started, in ticks: tells a process from a later one of the same number. */
  readonly start: string
  readonly isRunning: boolean
}

/** `None` where the system does not say, as anywhere but on Linux. */
const readProcess = (pid: number): Effect.Effect<Option.Option<ProcessState>> =>
  attempt(() => fs.readFile(`/proc/${pid}/stat`, "utf8")).pipe(
    Effect.map((text) => {
      // The process's name, in parentheses, may hold spaces and parentheses of its own.
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ")
      return { start: fields[19] ?? "0", isRunning: !/^[ZX]/.test(fields[0] ?? "") }
    }),
    Effect.option
  )

/** Whether there is a process of this number; `None` where that may not be asked. */
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

/** Whether a folder of `runs` is a dead run's; `own` is the name of this run's. */
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
 * Gives this run its folder `<parent>/runs/<host>~<pid>~<start>~<random>`, removed with what is
 * left in it when the scope closes. `rescue` is run on a dead run's folder before it is removed; by
 * then no other run sees it.
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

  return { fresh, dead, reclaim }
})
