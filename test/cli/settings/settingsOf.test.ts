import assert from "node:assert/strict"
import { Either } from "effect"
import { describe, it } from "vitest"
import { resolveSettings } from "../../../src/cli/settings/resolve.ts"
import type { AskedSource, SettingsOf } from "../../../src/cli/settings/settingsOf.ts"
import { type CommandName, commands, requiredBy } from "../../../src/cli/settings/table.ts"

/** What must not compile; `tsc` fails where it does. */
export const refusals = {
  aSettingThatIsNotDeclared: (settings: SettingsOf<"sync">) => {
    // @ts-expect-error: sync asks nobody for windows
    return settings.lagHours
  },
  aStoreThatIsNotDeclared: (settings: SettingsOf<"setup iam">) => {
    // @ts-expect-error: setup iam knows a bucket only
    return settings.store
  },
  aPartOfTheStore: (settings: SettingsOf<"list">) => {
    // @ts-expect-error: whether there is a bucket, the store says
    return settings.bucket
  },
  devAfterResolving: (settings: SettingsOf<"all">) => {
    // @ts-expect-error: it is a local store by then
    return settings.dev
  },
  aDryRunThatAsks: (settings: SettingsOf<"fetch">): AskedSource => {
    // @ts-expect-error: a dry run has no keys to ask with
    return settings.source
  },
  aCommandThatReadsAnothers: (): { sync: (settings: SettingsOf<"sync">) => number } => ({
    // @ts-expect-error: sync does not declare it
    sync: ({ lagHours }) => lagHours
  })
}

/** What must. */
export const allowed = {
  aRequiredBucket: ({ bucket }: SettingsOf<"setup bucket" | "setup iam">): string => bucket,
  aSourceOfCheck: ({ source }: SettingsOf<"check">): AskedSource => source
}

describe("SettingsOf", () => {
  it("holds what a command declares, with related settings as one value", () => {
    const environment = {
      AMPLITUDE_LAKE_DATABASE_URL: "postgres://lake@localhost/lake",
      AMP_API_KEY: "key",
      AMP_SECRET_KEY: "secret",
      AWS_BUCKET_NAME: "lake",
      SNOWFLAKE_WAREHOUSE: "LOADING",
      SNOWFLAKE_DATABASE: "LAKE",
      SNOWFLAKE_SCHEMA: "AMPLITUDE",
      AMPLITUDE_LAKE_AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/reader"
    }
    for (const command of Object.keys(commands) as ReadonlyArray<CommandName>) {
      const found = resolveSettings(command, {
        flags: Object.fromEntries(
          [...requiredBy(command), "hour", ...(command === "setup snowflake" ? ["print"] : [])].map(
            (name) => [
              name,
              name === "keep"
                ? "store"
                : name === "print"
                  ? "true"
                  : name === "hour"
                    ? "1970-01-01T00"
                    : "1970-01-01"
            ]
          )
        ),
        environment,
        file: {},
        fileName: ".env",
        now: 0
      })
      const declared = new Set<string>(commands[command].settings)
      const parts = [
        "store",
        "target",
        "source",
        "bucket",
        "credentials",
        "simulation",
        "snowflake",
        "target",
        "configuration",
        "logDir"
      ]
      const { settings } = Either.getOrThrow(found)
      for (const name of Object.keys(settings)) {
        assert.ok(declared.has(name) || parts.includes(name), `${command}: ${name}`)
      }
      // A report needs a store only to build.
      assert.equal("store" in settings, declared.has("store") && command !== "report")
      assert.equal("source" in settings, declared.has("source") && command !== "config")
      assert.ok(!("dev" in settings) && !("apiKey" in settings))
    }
  })
})
