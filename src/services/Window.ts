/**
 * A range of hours, first and last included, as in the Export API.
 *
 * @module
 */
import { Schema } from "effect"
import { addHours, Hour, hoursBetween } from "./Hour.ts"

/** Never empty; a single hour has `first === last`. */
export class Window extends Schema.Class<Window>("Window")(
  Schema.Struct({ first: Hour, last: Hour }).pipe(
    Schema.filter(({ first, last }) => first <= last || "the last hour is before the first")
  )
) {
  /** Number of hours, at least one. */
  get length(): number {
    return hoursBetween(this.first, this.last) + 1
  }

  /** Its hours, oldest first. */
  get hours(): ReadonlyArray<Hour> {
    return Array.from({ length: this.length }, (_, index) => addHours(this.first, index))
  }

  includes(hour: Hour): boolean {
    return this.first <= hour && hour <= this.last
  }

  /** The older and the newer half. The window must have at least two hours. */
  get halves(): readonly [Window, Window] {
    const middle = addHours(this.first, Math.ceil(this.length / 2) - 1)
    return [
      new Window({ first: this.first, last: middle }),
      new Window({ first: addHours(middle, 1), last: this.last })
    ]
  }

  override toString(): string {
    return this.first === this.last ? this.first : `${this.first}..${this.last}`
  }
}
