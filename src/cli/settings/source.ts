import { Either } from "effect"
import { parseSafeOrigin } from "../../services/SafeUrl.ts"
import { oneOf, type Parse, texts, wholeNumber } from "./parse.ts"
import { settingsUnder, TESTING } from "./setting.ts"

const { optional, value } = settingsUnder("Source:")
const { value: testValue } = settingsUnder(TESTING)
const { secret } = settingsUnder("Keys:")

const origin: Parse<string> = (text) =>
  Either.mapBoth(parseSafeOrigin(text), {
    onLeft: (why) => `an origin such as https://amplitude.com: it ${why}`,
    onRight: (url) => url.origin
  })

export const sourceSettings = {
  source: testValue({
    flag: "--source <source>",
    help: "where events come from: amplitude, or synthetic for made-up ones",
    parse: oneOf(["amplitude", "synthetic"]),
    fallback: "amplitude"
  }),
  region: value({
    flag: "--amplitude-region <region>",
    help: "data region of the Amplitude project: eu or us",
    parse: oneOf(["eu", "us"]),
    fallback: "eu",
    variables: ["AMPLITUDE_REGION"]
  }),
  amplitudeUrl: optional({
    flag: "--amplitude-url <origin>",
    help: "base URL of the Export API, without the path /api/2/export",
    parse: origin,
    variables: ["AMPLITUDE_URL"],
    isPrivate: true
  }),
  fromArchive: optional({
    flag: "--from-archive <file...>",
    acts: true,
    help: "take hours from these archives, kept or downloaded by hand, instead of requesting them from Amplitude; giving both dates asserts that the archives cover every hour between them",
    parse: texts
  }),
  seed: testValue({
    flag: "--seed <n>",
    help: "seed of the synthetic events: the same seed makes the same events",
    parse: wholeNumber(0, 2 ** 32 - 1),
    fallback: 1
  }),
  eventsPerHour: testValue({
    flag: "--events-per-hour <n>",
    help: "approximate number of synthetic events per hour",
    parse: wholeNumber(1, 10_000_000),
    fallback: 1000
  }),
  project: testValue({
    flag: "--project <id>",
    help: "project number in the synthetic events",
    parse: wholeNumber(1),
    fallback: 123456
  })
} as const

export const keySettings = {
  apiKey: secret({
    help: "Amplitude's API key",
    variables: ["AMP_API_KEY"],
    fileVariables: ["API_TOKEN"]
  }),
  secretKey: secret({
    help: "Amplitude's secret key",
    variables: ["AMP_SECRET_KEY"],
    fileVariables: ["SECRET_KEY"]
  })
} as const
