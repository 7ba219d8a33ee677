/**
 * What a lake needs in a warehouse that others run: its places, tables, roles and their rights.
 *
 * @module
 */
import { Context, type Effect, type Either, type Option, Schema } from "effect"
import type { WarehouseError } from "./Warehouse.ts"

/** Each property of a part with its value, as people read them. */
export type Properties = Readonly<Record<string, string>>

/** A part of a warehouse: what it has to be, and the statements that make it so. */
export interface WarehousePart {
  /** Such as `stage LAKE`. */
  readonly name: string
  /** Parts without which it cannot be made. */
  readonly needs: ReadonlyArray<string>
  readonly wanted: Properties
  /** `None` if it does not exist. May hold more properties than are wanted. */
  readonly read: Effect.Effect<Option.Option<Properties>, WarehouseError>
  /** Makes it where it does not exist. None of these statements replaces anything. */
  readonly create: ReadonlyArray<string>
  /** Statements that add what differs; where others chose what is there, what a person has to do. */
  readonly alter: (
    differing: ReadonlyArray<string>,
    found: Properties
  ) => Either.Either<ReadonlyArray<string>, string>
}

/** As whom a warehouse comes to read a store, and where it hears of new objects. */
export const StoreAccess = Schema.Struct({
  /** What holds this in the warehouse. */
  integration: Schema.String,
  /** S3: the principal that assumes the reader's role, and the external ID that it presents. */
  trustedArn: Schema.NullOr(Schema.String),
  externalId: Schema.NullOr(Schema.String),
  /** Azure: where an administrator lets the application in, and what it is called. */
  consentUrl: Schema.NullOr(Schema.String),
  application: Schema.NullOr(Schema.String),
  /** S3: the queue that takes notifications of new objects; only if there is a pipe. */
  queue: Schema.NullOr(Schema.String)
})
export type StoreAccess = typeof StoreAccess.Type

export class WarehouseSetup extends Context.Tag("amplitude-lake/WarehouseSetup")<
  WarehouseSetup,
  {
    /** The warehouse, for messages. */
    readonly place: string

    /** In the order in which they are made. */
    readonly parts: ReadonlyArray<WarehousePart>

    /** Runs statements of a part, one after the other. Running them twice does no harm. */
    readonly run: (statements: ReadonlyArray<string>) => Effect.Effect<void, WarehouseError>

    /** Fails with `NotFound` before the part that holds it is made. */
    readonly access: Effect.Effect<StoreAccess, WarehouseError>
  }
>() {}
