import { assert, describe, it } from "vitest"
import { gap, growth, median, ratio, spread } from "../../bench/statistics.mjs"

describe("statistics", () => {
  it("takes the middle value, or the mean of the middle two, in any order", () => {
    assert.equal(median([10, 1, 2]), 2)
    assert.equal(median([10, 1, 2, 4]), 3)
    assert.equal(median([9, 10]), 9.5)
    assert.deepStrictEqual(spread([10, 1, 2]), { median: 2, least: 1, most: 10 })
  })

  it("is not a number without values", () => {
    assert.isNaN(median([]))
    assert.isNaN(ratio([], []).median)
  })

  it("divides medians, and spreads by the rounds", () => {
    assert.deepStrictEqual(ratio([1, 3, 2], [2, 3, 8]), { median: 2 / 3, least: 0.25, most: 1 })
  })

  it("tells how much larger the largest is than the smallest", () => {
    assert.closeTo(gap([115, 100, 110]), 0.15, 1e-12)
    assert.equal(gap([7]), 0)
  })

  it("compares hours without the fixed time of a run", () => {
    assert.equal(growth({ seconds: 7.5, hours: 700 }, { seconds: 0.75, hours: 25 }, 0.5), 1)
    assert.equal(growth({ seconds: 14.5, hours: 700 }, { seconds: 0.75, hours: 25 }, 0.5), 2)
  })
})
