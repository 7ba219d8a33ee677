import assert from "node:assert/strict"
import { exitCodes } from "../../../src/programs/run/exitCode.ts"
import { describe, it } from "@effect/vitest"
import { type CommandLine, readCommandLine } from "../../../src/cli/settings/commandLine.ts"
import { SEPARATOR } from "../../../src/cli/settings/parse.ts"
import {
  type CommandName,
  commands,
  type SettingName,
  settings
} from "../../../src/cli/settings/table.ts"
import { version } from "../../../src/programs/run/version.ts"

const names = Object.keys(commands) as ReadonlyArray<CommandName>

/** The words that must follow a command, and what is read of them. */
function argumentsOf(name: CommandName): Readonly<Record<string, string>> {
  const words = commands[name].settings.filter((it) => "argument" in settings[it])
  return Object.fromEntries(words.map((word) => [word, "word"]))
}

/** A command as it is typed. */
function typed(name: CommandName): ReadonlyArray<string> {
  return [...name.split(" "), ...Object.values(argumentsOf(name))]
}

interface Answer {
  readonly line: CommandLine | number
  readonly out: string
  readonly err: string
}

function answer(...argv: ReadonlyArray<string>): Answer {
  const [out, err]: [Array<string>, Array<string>] = [[], []]
  const line = readCommandLine(argv, {
    writeOut: (text) => out.push(text),
    writeErr: (text) => err.push(text)
  })
  return { line, out: out.join(""), err: err.join("") }
}

function isMisuse({ line, out, err }: Answer, says: RegExp): void {
  assert.equal(line, 2)
  assert.equal(out, "")
  assert.match(err, says)
  assert.equal(err.match(/^error:/gm)?.length, 1, err)
}

describe("readCommandLine()", () => {
  it("reads a command and its flags, and prints nothing", () => {
    assert.deepEqual(
      answer("all", "--dev", "--start-date", "2025-11-10", "--prefix=/", "--lag-hours", "0"),
      {
        line: {
          command: "all",
          flags: { dev: true, startDate: "2025-11-10", prefix: "/", lagHours: "0" }
        },
        out: "",
        err: ""
      }
    )
    for (const name of names)
      assert.deepEqual(answer(...typed(name)).line, { command: name, flags: argumentsOf(name) })
  })

  it("reads every flag of every command under the name of its setting", () => {
    for (const name of names) {
      for (const setting of commands[name].settings) {
        const { flag } = settings[setting] as { readonly flag?: string }
        if (flag === undefined) continue
        const [long = "", value] = flag.split(" ")
        const { line } = answer(...typed(name), long, ...(value === undefined ? [] : ["7"]))
        const flags = { [setting]: value === undefined ? true : "7", ...argumentsOf(name) }
        assert.deepEqual(line, { command: name, flags }, `${name} ${flag}`)
      }
    }
  })

  it("takes several archives after one flag, up to the next one", () => {
    const { line } = answer("all", "--from-archive", "a,b.zip", "c d.zip", "--dev")
    const flags = { fromArchive: `a,b.zip${SEPARATOR}c d.zip`, dev: true }
    assert.deepEqual(line, { command: "all", flags })
    isMisuse(answer("all", "--from-archive", "--dev"), /looks like a flag/)
  })

  it("takes negative numbers as values, to be refused later", () => {
    const { line } = answer("fetch", "--retries", "-1")
    assert.deepEqual(line, { command: "fetch", flags: { retries: "-1" } })
  })

  it("takes a relative date as a value", () => {
    for (const argv of [["--start-date", "-3d"], ["--start-date=-3d"]]) {
      const { line } = answer("fetch", ...argv, "--end-date", "yesterday")
      const flags = { startDate: "-3d", endDate: "yesterday" }
      assert.deepEqual(line, { command: "fetch", flags })
    }
  })

  it("refuses a blank value, which an unset variable of a shell leaves", () => {
    for (const [setting, { flag = "" }] of Object.entries(settings) as ReadonlyArray<
      readonly [SettingName, { readonly flag?: string }]
    >) {
      const [long = "", value] = flag.split(" ")
      if (value === undefined) continue
      const name = names.find((it) => commands[it].settings.includes(setting as never))
      assert.ok(name !== undefined, flag)
      isMisuse(answer(...typed(name), long, ""), new RegExp(`'${long} [<[].*It is blank`))
    }
    isMisuse(answer("fetch", "--prefix= \t"), /It is blank/)
    isMisuse(answer("all", "--from-archive", "a.zip", " "), /It is blank/)
    isMisuse(answer("resolve", " ", "--keep", "store"), /It is blank/)
  })

  it("refuses an unknown command or flag, and suggests the one that was meant", () => {
    isMisuse(answer("fecth"), /unknown command 'fecth'[^]*Did you mean fetch\?/)
    isMisuse(answer("fetch", "--devv"), /unknown option '--devv'[^]*Did you mean --dev\?/)
    isMisuse(answer("--dev"), /unknown option '--dev'/)
    isMisuse(answer("list", "--yesterday"), /unknown option '--yesterday'/)
    isMisuse(answer("fetch", "--dev=1"), /unknown option '--dev'/)
  })

  it("refuses arguments that no command has", () => {
    for (const name of names) isMisuse(answer(...typed(name), "extra"), /too many arguments/)
    isMisuse(answer("fetch", "--dev", "--", "--json"), /too many arguments/)
  })

  it("refuses a flag without its value, even if another flag follows", () => {
    for (const name of names)
      isMisuse(answer(...typed(name), "--log-level"), /'--log-level <level>' argument missing/)
    isMisuse(answer("fetch", "--local-dir", "--json"), /'--local-dir <folder>'.*value is missing/)
    isMisuse(answer("simulate", "--dump", "--seed", "1"), /'--dump <folder>'.*value is missing/)
  })

  it("has no flag for a secret, and repeats no secret", () => {
    for (const flag of ["--api-key", "--secret-key", "--token"]) {
      for (const argv of [
        [`${flag}=gehe'im`],
        [`${flag}=a\ngeheim`],
        [flag, "geheim"],
        ["--prefix", `${flag}=geheim`]
      ]) {
        const refused = answer("fetch", ...argv)
        isMisuse(refused, new RegExp(`'${flag}'`))
        assert.doesNotMatch(refused.err, /gehe/)
      }
    }
  })

  it("explains itself if there is no command, or half of one", () => {
    for (const argv of [[], ["setup"]]) {
      const { line, out, err } = answer(...argv)
      assert.equal(line, 2)
      assert.equal(out, "")
      assert.equal(err.match(/Usage: amplitude-lake/g)?.length, 1)
    }
  })

  it("prints help and version on stdout, and nothing else", () => {
    assert.deepEqual(answer("--version"), { line: 0, out: `${version}\n`, err: "" })
    for (const argv of [
      ["--help"],
      ["-h"],
      ["help"],
      ["help", "all"],
      ["all", "--help"],
      ["all", "-h"],
      ["setup", "--help"],
      ["setup", "bucket", "--help"]
    ]) {
      const { line, out, err } = answer(...argv)
      assert.equal(line, 0, argv.join(" "))
      assert.match(out, /^Usage: amplitude-lake/)
      assert.equal(err, "")
    }
    assert.equal(answer("help", "all").out, answer("all", "--help").out)
  })
})

function helpOf(name: CommandName): string {
  return answer(...typed(name), "--help").out
}

describe("The help", () => {
  it("is plain text of 80 columns", () => {
    for (const help of [answer("--help").out, ...names.map(helpOf)]) {
      assert.doesNotMatch(help, /[^\n\x20-\x7e]/)
      for (const line of help.split("\n")) assert.ok(line.length <= 80, line)
    }
  })

  it("names every command and every exit code", () => {
    const { out } = answer("--help")
    for (const name of names) assert.match(out, new RegExp(`^  ${typed(name)[0]} `, "m"))
    for (const [code, meaning] of Object.entries(exitCodes)) {
      assert.match(out, new RegExp(`^  ${code} +${meaning}$`, "m"))
    }
  })

  it("names every flag of a command once, with its default and its variables", () => {
    for (const name of names) {
      const help = helpOf(name)
      const flat = help.replaceAll(/\s+/g, " ")
      for (const setting of commands[name].settings) {
        const {
          flag,
          variables,
          shown,
          help: usual
        } = settings[setting] as {
          readonly flag?: string
          readonly variables: ReadonlyArray<string>
          readonly shown: string
          readonly help: string
        }
        const { helps = {} } = commands[name] as { helps?: Partial<Record<SettingName, string>> }
        const meaning = helps[setting] ?? usual
        if (flag !== undefined)
          assert.equal(help.split(`\n  ${flag} `).length, 2, `${name} ${flag}`)
        assert.ok(flat.includes(meaning), `${name} ${setting}`)
        if (shown !== "") assert.ok(flat.includes(`${meaning} (default: ${shown}`), setting)
        for (const older of flag === undefined ? variables : variables.slice(1)) {
          assert.ok(flat.includes(flag === undefined ? older : `${older} (`), `${name} ${older}`)
        }
      }
    }
  })

  it("says once how a flag's variable is called, and which flags have none", () => {
    for (const name of names) {
      const [, text = ""] = helpOf(name).split("\nVariables:\n")
      const flat = (text.split(/\n\w/)[0] ?? "").replaceAll(/\s+/g, " ")
      assert.match(flat, /Each flag has a variable, AMPLITUDE_LAKE_\w+ for --[a-z-]+, which counts/)
      assert.match(flat, /Precedence: flag, environment, env file\./)
      const [, only = ""] = /can only be typed: ([^.]*)\./.exec(flat) ?? []
      const flags = commands[name].settings.flatMap((it) => {
        const {
          flag,
          variables
        }: { readonly flag?: string; readonly variables: ReadonlyArray<string> } = settings[it]
        return flag !== undefined && variables.length === 0 ? [flag.split(" ")[0]] : []
      })
      assert.equal(only, flags.join(", "), name)
    }
  })

  it("lists the flags for tests last, under a heading of their own", () => {
    const [usual = "", tests = ""] = helpOf("all").split("\nTesting:\n")
    for (const flag of ["--source", "--seed", "--events-per-hour", "--project", "--now"]) {
      assert.ok(!usual.includes(`\n  ${flag} `) && tests.includes(`  ${flag} `), flag)
    }
    assert.doesNotMatch(tests, /^[A-Z]\w+:\n(?=  --)/m)
  })

  it("is true for the command that shows it", () => {
    for (const [name, entry] of Object.entries(commands)) {
      for (const setting of Object.keys("helps" in entry ? entry.helps : {})) {
        assert.ok(
          entry.settings.some((it) => it === setting),
          `${name} has no ${setting}`
        )
      }
    }
    for (const name of ["status", "gaps", "list"] as const) {
      assert.doesNotMatch(helpOf(name), /--sse/, `${name} puts nothing`)
    }
    assert.match(helpOf("check").replaceAll(/\s+/g, " "), /--webhook <url> URL that --test-webhook/)
  })

  it("says where the keys are read from, for the commands that need them and no others", () => {
    for (const name of names) {
      const [, keys] = helpOf(name).split("\nKeys:\n")
      assert.equal(
        keys !== undefined,
        [
          "fetch",
          "all",
          "backfill",
          "worker",
          "resolve",
          "reland",
          "snapshot",
          "check",
          "simulate",
          "config"
        ].includes(name),
        name
      )
      if (keys === undefined) continue
      for (const variable of ["AMP_API_KEY", "AMP_SECRET_KEY", "API_TOKEN", "SECRET_KEY"]) {
        assert.match(keys, new RegExp(`\\b${variable}\\b`))
      }
      assert.match(keys, /environment or the env file\. Secrets have no flag\./)
    }
  })
})
