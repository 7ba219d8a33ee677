const FORBIDDEN = /^[0-9]|_(?=x)|[^a-z0-9_]/g
const ESCAPED = /_x([0-9a-f]{4})_/g

/**
 * Metadata with names that Azure accepts: C# identifiers, returned in lower case. Other characters
 * are written as `_x002d_`, like .NET in XML.
 */
export function toAzureMetadata(
  metadata: Readonly<Record<string, string>>
): Record<string, string> {
  return rename(metadata, (name) =>
    name.replace(FORBIDDEN, (it) => `_x${it.charCodeAt(0).toString(16).padStart(4, "0")}_`)
  )
}

/** Metadata under its original names. */
export function fromAzureMetadata(
  metadata: Readonly<Record<string, string>> = {}
): Record<string, string> {
  return rename(metadata, (name) =>
    name
      .toLowerCase()
      .replace(ESCAPED, (_, code: string) => String.fromCharCode(parseInt(code, 16)))
  )
}

function rename(
  metadata: Readonly<Record<string, string>>,
  change: (name: string) => string
): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [change(name), value]))
}
