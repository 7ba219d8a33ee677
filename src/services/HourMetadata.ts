/**
 * What an object says of the hour that it holds. The names are the same in every store.
 *
 * @module
 */
import { Option, Schema } from "effect"
import { Hour } from "./Hour.ts"

/** The metadata of a landed hour. */
export class HourMetadata extends Schema.Class<HourMetadata>("HourMetadata")({
  hour: Hour,
  /** Lines that are not empty. */
  events: Schema.NonNegativeInt,
  /** Bytes of the lines, uncompressed. */
  bytes: Schema.NonNegativeInt,
  lineset: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{12}$/)),
  malformed: Schema.NonNegativeInt,
  /** SHA-256 of the object's own bytes, in hexadecimal: what `sha256sum` of a download prints. */
  sha256: Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/)),
  /** Parts that Amplitude sent for the hour. */
  parts: Schema.NonNegativeInt,
  /** Amplitude's project; empty where an hour without events was answered without an archive. */
  project: Schema.String,
  /** Version of this program that landed the hour. */
  version: Schema.String
}) {}

const Text = Schema.Struct({
  hour: Hour,
  events: Schema.NumberFromString,
  bytes: Schema.NumberFromString,
  lineset: Schema.String,
  malformed: Schema.optionalWith(Schema.NumberFromString, { default: () => 0 }),
  sha256: Schema.String,
  parts: Schema.NumberFromString,
  project: Schema.optionalWith(Schema.String, { default: () => "" }),
  version: Schema.String
}).pipe(Schema.compose(Schema.typeSchema(HourMetadata.pipe((self) => Schema.Struct(self.fields)))))

/** Metadata as stores keep it: text by name; `malformed` and `project` only where there is something to say. */
export function metadataToText(metadata: HourMetadata): Record<string, string> {
  const { malformed, project, ...rest } = metadata
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, String(value)])),
    ...(malformed === 0 ? {} : { malformed: String(malformed) }),
    ...(project === "" ? {} : { project })
  }
}

/** `None` when the object was landed by another program. */
export function metadataFromText(
  text: Readonly<Record<string, string>>
): Option.Option<HourMetadata> {
  return Option.map(Schema.decodeUnknownOption(Text)(text), (fields) => new HourMetadata(fields))
}
