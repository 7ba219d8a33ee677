import { Effect, ExecutionStrategy, Exit, Scope } from "effect"

/** Releases what was acquired at once if the rest fails, so that it can be tried again in one scope. */
export const allOrNothing = <A, E>(
  self: Effect.Effect<A, E, Scope.Scope>
): Effect.Effect<A, E, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const own = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
      return yield* restore(Scope.extend(self, own)).pipe(
        Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
      )
    })
  )
