/**
 * The people whose events are removed, by the ids that Amplitude knows them by.
 *
 * @module
 */

/** Ids, each as text. */
export interface People {
  readonly userIds: ReadonlySet<string>
  readonly amplitudeIds: ReadonlySet<string>
  readonly deviceIds: ReadonlySet<string>
}

export const nobody: People = {
  userIds: new Set(),
  amplitudeIds: new Set(),
  deviceIds: new Set()
}

export function countIds({ amplitudeIds, deviceIds, userIds }: People): number {
  return userIds.size + amplitudeIds.size + deviceIds.size
}

/** An id as text; `undefined` for what is no id, such as a number that JavaScript cannot hold. */
function idOf(value: unknown): string | undefined {
  if (typeof value === "string") return value
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : undefined
}

function has(ids: ReadonlySet<string>, value: unknown): boolean {
  const id = ids.size === 0 ? undefined : idOf(value)
  return id !== undefined && ids.has(id)
}

/** Whether a parsed event is about one of these people, by its own ids or one that it merges. */
export function isAbout(people: People, event: Readonly<Record<string, unknown>>): boolean {
  if (has(people.userIds, event["user_id"])) return true
  if (has(people.deviceIds, event["device_id"])) return true
  if (has(people.amplitudeIds, event["amplitude_id"])) return true
  const data = event["data"]
  return (
    typeof data === "object" &&
    data !== null &&
    has(people.amplitudeIds, (data as Readonly<Record<string, unknown>>)["merged_amplitude_id"])
  )
}

const NAMES: Readonly<Record<string, keyof People>> = {
  user_id: "userIds",
  amplitude_id: "amplitudeIds",
  device_id: "deviceIds"
}

/** Ids that JavaScript cannot tell from their neighbours. */
export function idProblem(kind: keyof People, id: string): string | undefined {
  if (id === "") return "it is empty"
  if (kind !== "amplitudeIds") return undefined
  return /^\d+$/.test(id) && Number.isSafeInteger(Number(id))
    ? undefined
    : "an Amplitude id is a whole number of at most 16 digits"
}

/**
 * Reads ids from a text: one a line, such as `user_id=ada@example.com`. Lines that are empty or
 * begin with `#` do not count. No message repeats an id.
 */
export function readPeople(text: string): People | { readonly problems: ReadonlyArray<string> } {
  const found = {
    userIds: new Set<string>(),
    amplitudeIds: new Set<string>(),
    deviceIds: new Set<string>()
  }
  const problems: Array<string> = []
  for (const [at, whole] of text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    const line = whole.replace(/\r$/, "")
    if (line.trim() === "" || line.startsWith("#")) continue
    const [, name = "", id = ""] = /^([a-z_-]+)=(.*)$/.exec(line) ?? []
    const kind = NAMES[name.replaceAll("-", "_")]
    const problem =
      kind === undefined
        ? "it does not begin with user_id=, amplitude_id= or device_id="
        : idProblem(kind, id)
    if (problem !== undefined) problems.push(`line ${at + 1}: ${problem}`)
    else if (kind !== undefined) found[kind].add(id)
  }
  return problems.length === 0 ? found : { problems }
}
