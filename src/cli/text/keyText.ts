/** A key on one line. Keys of other pipelines may contain any character. */
export function keyText(key: string): string {
  return key.replaceAll(/\p{Cc}/gu, "?")
}

/** A text as one word of a shell, in quotes if it needs them. */
export function shellWord(text: string): string {
  const shown = keyText(text)
  return /^[\w./:=@%+,-]+$/.test(shown) ? shown : `'${shown.replaceAll("'", String.raw`'\''`)}'`
}
