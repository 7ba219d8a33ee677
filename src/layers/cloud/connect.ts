import { Effect, type Scope } from "effect"
import type { StoreAttempt, StoreFailure } from "./failure.ts"

/** Makes one attempt at a call. Interrupting it closes the connection. */
export type Call<Connection> = <A>(
  attempt: StoreAttempt,
  run: (connection: Connection, abortSignal: AbortSignal) => Promise<A>
) => Effect.Effect<A, StoreFailure>

export interface Connecting<Connection> {
  readonly open: (abortSignal: AbortSignal) => Promise<Connection>
  readonly close: (connection: Connection) => void
  /** Converts what opening or a call threw. */
  readonly toFailure: (attempt: StoreAttempt, cause: unknown) => StoreFailure
}

/** Connects on the first call, and closes with the scope. */
export const connectOnce = Effect.fnUntraced(function* <Connection>({
  close,
  open,
  toFailure
}: Connecting<Connection>): Effect.fn.Return<Call<Connection>, never, Scope.Scope> {
  const one = yield* Effect.makeSemaphore(1)
  let opened: Connection | undefined
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => (opened === undefined ? undefined : close(opened)))
  )

  const once = <A>(attempt: StoreAttempt, run: (abortSignal: AbortSignal) => Promise<A>) =>
    Effect.tryPromise({
      try: (abortSignal) => run(abortSignal),
      catch: (cause) => toFailure(attempt, cause)
    })
  const connect = (attempt: StoreAttempt) =>
    Effect.suspend(() =>
      opened === undefined
        ? Effect.tap(once(attempt, open), (made) => Effect.sync(() => (opened = made)))
        : Effect.succeed(opened)
    ).pipe(one.withPermits(1))
  return (attempt, run) =>
    Effect.flatMap(connect(attempt), (connection) =>
      once(attempt, (abortSignal) => run(connection, abortSignal))
    )
})
