/**
 * A first and a last hour, both included, as the Export API has it.
 *
 * @module
 */
import { Schema } from "effect"
import { addHours, Hour, hoursBetween } from "./Hour.ts"

/** Never empty and never half-open: one hour is `first === last`. */
export class Window extends Schema.Class<Window>("Window")(
  Schema.Struct({ first: Hour, last: Hour }).pipe(
    Schema.filter(({ first, last }) => first <= last || "the last hour lies before the first")
  )
) {
  /** How many hours it has, one at least. */
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

  /** The older and the newer half of a window of two hours or more. */
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
