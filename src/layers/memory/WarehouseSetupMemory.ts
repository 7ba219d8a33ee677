import { Effect, Either, Layer, Option, Ref } from "effect"
import { WarehouseError } from "../../services/Warehouse.ts"
import {
  type Properties,
  type StoreAccess,
  type WarehousePart,
  WarehouseSetup
} from "../../services/WarehouseSetup.ts"

/** A part in memory. */
export interface MemoryPart {
  readonly name: string
  readonly needs?: ReadonlyArray<string> | undefined
  readonly wanted?: Properties | undefined
  /** Absent if it does not exist. */
  readonly found?: Properties | undefined
  /** The properties that can be added to what is there; others are somebody's choice. */
  readonly additions?: ReadonlyArray<string> | undefined
}

export interface WarehouseSetupMemoryOptions {
  readonly parts: ReadonlyArray<MemoryPart>
  readonly access?: StoreAccess | undefined
  /** Errors by operation and part. */
  readonly failing?: Readonly<Record<`${"read" | "make"} ${string}`, WarehouseError>> | undefined
  /** Parts whose changes are accepted but not stored. */
  readonly forgets?: ReadonlyArray<string> | undefined
}

const PATH = "memory:warehouse"

/** The parts of a warehouse in memory, for tests. A statement is `make` or `alter` with the part's name. */
export const make = Effect.fnUntraced(function* ({
  access,
  failing = {},
  forgets = [],
  parts
}: WarehouseSetupMemoryOptions): Effect.fn.Return<WarehouseSetup["Type"]> {
  const kept = yield* Ref.make(
    new Map(parts.flatMap(({ found, name }) => (found === undefined ? [] : [[name, found]])))
  )
  const missing = new WarehouseError({
    reason: "NotFound",
    method: "set up",
    path: PATH,
    detail: "there is no such part"
  })

  const toPart = ({
    additions = [],
    name,
    needs = [],
    wanted = {}
  }: MemoryPart): WarehousePart => ({
    name,
    needs,
    wanted,
    read: Effect.suspend(() => {
      const error = failing[`read ${name}`]
      return error ?? Effect.map(Ref.get(kept), (it) => Option.fromNullable(it.get(name)))
    }),
    create: [`make ${name}`],
    alter: (differing) =>
      differing.every((it) => additions.includes(it))
        ? Either.right([`alter ${name}`])
        : Either.left("somebody made it otherwise")
  })

  const runOne = Effect.fnUntraced(function* (statement: string) {
    const [, verb, name = ""] = /^(make|alter) (.*)$/.exec(statement) ?? []
    const error = failing[`make ${name}`]
    if (error !== undefined) return yield* error
    const part = parts.find((it) => it.name === name)
    const before = yield* Ref.get(kept)
    const isReady = (part?.needs ?? []).every((it) => before.has(it))
    if (part === undefined || !isReady) return yield* missing
    if (forgets.includes(name)) return
    // What exists stays as it is.
    if (verb === "make" && before.has(name)) return
    yield* Ref.set(kept, new Map([...before, [name, { ...before.get(name), ...part.wanted }]]))
  })

  return WarehouseSetup.of({
    place: PATH,
    parts: parts.map(toPart),
    run: (statements) => Effect.forEach(statements, runOne, { discard: true }),
    access: access === undefined ? Effect.fail(missing) : Effect.succeed(access)
  })
})

/**
 * @example
 * ```ts
 * import * as WarehouseSetupMemory from "amplitude-lake/layers/WarehouseSetupMemory"
 *
 * export const setup = WarehouseSetupMemory.layer({
 *   parts: [{ name: "schema LAKE" }, { name: "table LOADS", needs: ["schema LAKE"] }]
 * })
 * ```
 */
export function layer(options: WarehouseSetupMemoryOptions): Layer.Layer<WarehouseSetup> {
  return Layer.effect(WarehouseSetup, make(options))
}
