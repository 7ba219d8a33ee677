/** A name as SQL has it: in quotes unless it is plain. */
export function identifier(name: string): string {
  return /^[A-Z_][A-Z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** A name with those of what it lies in. */
export function qualified(...names: ReadonlyArray<string>): string {
  return names.map(identifier).join(".")
}
