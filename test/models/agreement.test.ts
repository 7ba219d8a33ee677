import { assert, describe, it as test } from "vitest"
import fc from "fast-check"
import { isLong, SECONDS } from "../fixtures/long.ts"
import { differencesOf } from "./compare.ts"
import type { World } from "./reference/lines/world.ts"
import { tablesOf } from "./reference/tables/reference.ts"
import { inWarehouse } from "./warehouse.ts"
import { menuWorlds, worlds } from "./worlds/worlds.ts"

const { FAULTS_PATH, FAULTS_SEED } = process.env
const timeout = SECONDS * 1000 + 180_000

async function agree(world: World): Promise<void> {
  const reference = tablesOf(world)
  const found = await inWarehouse(world, (read) => differencesOf(read, reference))
  assert.deepStrictEqual(found.slice(0, 20), [])
}

/** The same worlds each time, unless a number of seconds is set. A failure names seed and path. */
async function agreeOn(all: fc.Arbitrary<World>, numRuns: number): Promise<void> {
  const property = fc.asyncProperty(all, agree)
  const options = { numRuns, endOnFailure: true }
  if (FAULTS_SEED !== undefined) {
    const path = FAULTS_PATH === undefined ? {} : { path: FAULTS_PATH }
    return await fc.assert(property, { ...options, seed: Number(FAULTS_SEED), ...path })
  }
  const until = Date.now() + SECONDS * 1000
  let seed = isLong ? Date.now() % 2 ** 30 : 20251110
  do await fc.assert(property, { ...options, seed: seed++ })
  while (Date.now() < until)
}

describe("the compiled models", () => {
  test("make the tables that their definitions say", { timeout }, () => agreeOn(worlds(60), 3))

  test.runIf(isLong)("compare the items of menus as their definitions say", { timeout }, () =>
    agreeOn(menuWorlds(250), 1)
  )
})
