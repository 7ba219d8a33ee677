import { idProblem } from "../../../programs/redact/People.ts"
import { Either } from "effect"
import { type Parse, text, texts } from "../parse.ts"
import { settingsUnder } from "../setting.ts"

const { optional, toggle } = settingsUnder("Whom:")

const amplitudeIds: Parse<ReadonlyArray<string>> = (value, now) =>
  Either.flatMap(texts(value, now), (ids) =>
    ids.some((id) => idProblem("amplitudeIds", id) !== undefined)
      ? Either.left("a whole number of at most 16 digits")
      : Either.right(ids)
  )

export const redactSettings = {
  userIds: optional({
    flag: "--user-id <id...>",
    acts: true,
    isPrivate: true,
    help: "events with this user_id",
    parse: texts
  }),
  amplitudeIds: optional({
    flag: "--amplitude-id <id...>",
    acts: true,
    isPrivate: true,
    help: "events with this amplitude_id, or that merge it into another one",
    parse: amplitudeIds
  }),
  deviceIds: optional({
    flag: "--device-id <id...>",
    acts: true,
    isPrivate: true,
    help: "events with this device_id",
    parse: texts
  }),
  peopleFile: optional({
    flag: "--file <file>",
    acts: true,
    help: "file of ids, one a line: user_id=ID, amplitude_id=ID or device_id=ID",
    parse: text
  }),
  yes: toggle({
    flag: "--yes",
    acts: true,
    help: "remove what was found; without it, lines are only counted"
  })
} as const
