// What is made of the samples. Nothing here knows what they are of.

/** The middle one, or the mean of the middle two; NaN of none. @param {ReadonlyArray<number>} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const upper = sorted[Math.floor(middle)] ?? NaN
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? NaN) + upper) / 2 : upper
}

/** @param {ReadonlyArray<number>} values */
export function spread(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) }
}

/**
 * How many times the other these are: by the medians, and round by round for the spread, since what slows a machine slows
 * neighbours alike.
 *
 * @param {ReadonlyArray<number>} values
 * @param {ReadonlyArray<number>} others of the same rounds
 */
export function ratio(values, others) {
  const { least, most } = spread(values.map((value, round) => value / (others[round] ?? NaN)))
  return { median: median(values) / median(others), least, most }
}

/** How much larger the largest is than the smallest: 0.15 for 115 and 100. @param {ReadonlyArray<number>} values */
export function gap(values) {
  return Math.max(...values) / Math.min(...values) - 1
}

/**
 * Time of one hour landed in a run of many over time of one in a run of few; what a run takes that lands nothing is in
 * neither.
 *
 * @param {{ readonly seconds: number, readonly hours: number }} many
 * @param {{ readonly seconds: number, readonly hours: number }} few
 * @param {number} idle seconds of a run that lands nothing
 */
export function growth(many, few, idle) {
  const each = (/** @type {typeof many} */ { seconds, hours }) => (seconds - idle) / hours
  return each(many) / each(few)
}
