/** Why a text cannot be a key that is sent in a header, or `undefined`. It never repeats the text. */
export function secretProblem(text: string): string | undefined {
  if (/^(["'`])[^]*\1$/.test(text)) {
    return "is in quotes, which docker and kubectl keep as part of the value: remove them"
  }
  if (/\p{Cc}/u.test(text)) return "holds a control character, such as a line break"
  if (/\s/.test(text)) return "holds a blank"
  if (/[^\u0021-\u007e]/.test(text))
    return "holds a character that is not ASCII, such as a curly quote"
  return undefined
}
