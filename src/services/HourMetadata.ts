/**
 * The metadata of an hour's object. The names are the same in every store.
 *
 * @module
 */
import { Option, Schema } from "effect"
import { Hour } from "./Hour.ts"

/** The metadata of a landed hour. */
export class HourMetadata extends Schema.Class<HourMetadata>("HourMetadata")({
  hour: Hour,
  /** Non-empty lines. */
  events: Schema.NonNegativeInt,
  /** Uncompressed bytes of the lines. */
  bytes: Schema.NonNegativeInt,
  lineset: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{12}$/)),
  malformed: Schema.NonNegativeInt,
  /** SHA-256 of the stored bytes, in hexadecimal, as `sha256sum` prints it. */
  sha256: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/)),
  /** Number of parts that Amplitude sent for the hour. */
  parts: Schema.NonNegativeInt,
  /** Amplitude's project; empty if an hour without events had no archive. */
  project: Schema.String,
  /** Version of this program that landed the hour. */
  version: Schema.String,
  /** Linesets of the versions that this object replaced, newest first. */
  replaces: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  /** Lines that were removed since, because they were about a person. */
  redacted: Schema.optionalWith(Schema.NonNegativeInt, { default: () => 0 })
}) {}

/** Stores hold little metadata. */
const MOST_REPLACED = 50
/** Of these, those that stay for ever. */
const OLDEST = 10

/**
 * The linesets in `replaces` of an object that replaces another. Where there are too many, those between the
 * newest and the oldest go: warehouses have loaded one of the newest, and Amplitude returns one of the oldest,
 * because an hour is not landed again once a person's events were removed from it.
 */
export function replacing(
  lineset: string,
  { replaces }: Pick<HourMetadata, "replaces">
): ReadonlyArray<string> {
  const all = [lineset, ...replaces]
  return all.length <= MOST_REPLACED
    ? all
    : [...all.slice(0, MOST_REPLACED - OLDEST), ...all.slice(-OLDEST)]
}

const Text = Schema.Struct({
  hour: Hour,
  events: Schema.NumberFromString,
  bytes: Schema.NumberFromString,
  lineset: Schema.String,
  malformed: Schema.optionalWith(Schema.NumberFromString, { default: () => 0 }),
  sha256: Schema.String,
  parts: Schema.NumberFromString,
  project: Schema.optionalWith(Schema.String, { default: () => "" }),
  version: Schema.String,
  replaces: Schema.optionalWith(Schema.split(","), { default: () => [] }),
  redacted: Schema.optionalWith(Schema.NumberFromString, { default: () => 0 })
}).pipe(Schema.compose(Schema.typeSchema(HourMetadata.pipe((self) => Schema.Struct(self.fields)))))

/** Metadata as stores keep it. Counts beside `events` and `bytes` are omitted if zero, the rest if empty. */
export function metadataToText(metadata: HourMetadata): Record<string, string> {
  const { malformed, project, redacted, replaces, ...rest } = metadata
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])),
    ...(malformed === 0 ? {} : { malformed: String(malformed) }),
    ...(project === "" ? {} : { project }),
    ...(replaces.length === 0 ? {} : { replaces: replaces.join(",") }),
    ...(redacted === 0 ? {} : { redacted: String(redacted) })
  }
}

/** `None` for an object of another program. */
export function metadataFromText(
  text: Readonly<Record<string, string>>
): Option.Option<HourMetadata> {
  return Option.map(Schema.decodeUnknownOption(Text)(text), (fields) => new HourMetadata(fields))
}
