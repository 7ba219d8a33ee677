/**
 * A share of the days. Machines that have nothing else in common divide a backlog by it.
 *
 * @module
 */
import { Schema } from "effect"
import { DAY, type Hour, hourStart } from "../../services/Hour.ts"

/**
 * Every UTC day belongs to exactly one of `shards` shards, from 1 to `shards`. Neighbouring days
 * belong to different ones, so that all of them take about as long.
 */
export class Shard extends Schema.Class<Shard>("Shard")(
  Schema.Struct({ shard: Schema.Int.pipe(Schema.positive()), shards: Schema.Int }).pipe(
    Schema.filter(({ shard, shards }) => shard <= shards || "the shard is beyond the last one")
  )
) {
  has(hour: Hour): boolean {
    return Math.floor(hourStart(hour) / DAY) % this.shards === this.shard - 1
  }

  override toString(): string {
    return `${this.shard}/${this.shards}`
  }
}

/** Whether an hour is in the shard; where there is none, it is. */
export function inShard(shard: Shard | undefined): (hour: Hour) => boolean {
  return (hour) => shard?.has(hour) ?? true
}
