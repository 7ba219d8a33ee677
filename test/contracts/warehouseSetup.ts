import assert from "node:assert/strict"
import { it } from "@effect/vitest"
import { Effect, Either, Option, type Scope } from "effect"
import type { WarehouseSetup } from "../../src/services/WarehouseSetup.ts"

type Setup = WarehouseSetup["Type"]

const made = ({ parts, run }: Setup) =>
  Effect.forEach(parts, ({ create }) => run(create), { discard: true })

const isAsWanted = ({ parts }: Setup) =>
  Effect.forEach(parts, ({ name, read, wanted }) =>
    Effect.map(read, (found) => {
      assert.ok(Option.isSome(found), name)
      for (const [key, value] of Object.entries(wanted)) assert.equal(found.value[key], value, key)
    })
  )

/** What every `WarehouseSetup` layer must do, given a warehouse with nothing of a lake. */
export function warehouseSetupContract(
  name: string,
  make: Effect.Effect<Setup, never, Scope.Scope>
) {
  it.scopedLive(`${name} finds nothing at first, and makes each part as it is wanted`, () =>
    Effect.gen(function* () {
      const setup = yield* make
      const [first] = setup.parts
      assert.ok(first !== undefined && Option.isNone(yield* first.read))
      yield* made(setup)
      yield* isAsWanted(setup)
    })
  )

  it.scopedLive(`${name} makes the same again, and changes nothing by it`, () =>
    Effect.gen(function* () {
      const setup = yield* make
      yield* made(setup)
      yield* made(setup)
      yield* isAsWanted(setup)
    })
  )

  it.scopedLive(`${name} makes no part before those that it needs`, () =>
    Effect.gen(function* () {
      const { parts, run } = yield* make
      const last = parts.findLast(({ needs }) => needs.length > 0)
      const outcome = yield* Effect.either(run(last?.create ?? []))
      assert.equal(Either.isLeft(outcome) && outcome.left.reason, "NotFound")
    })
  )

  it.scopedLive(`${name} lists parts after those that they need, each name once`, () =>
    Effect.gen(function* () {
      const { parts } = yield* make
      const names = parts.map(({ name }) => name)
      assert.equal(new Set(names).size, names.length)
      for (const [index, { needs }] of parts.entries()) {
        for (const it of needs) assert.ok(names.slice(0, index).includes(it), it)
      }
    })
  )
}
