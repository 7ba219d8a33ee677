import assert from "node:assert/strict"
import { execFileSync, spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { afterAll, describe, it } from "vitest"
import { completionScript, shells } from "../../../src/cli/settings/completion.ts"
import type { Setting } from "../../../src/cli/settings/setting.ts"
import { commands, settings } from "../../../src/cli/settings/table.ts"

const folder = mkdtempSync(join(tmpdir(), "amplitude-lake-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
mkdirSync(join(folder, "a folder"))
writeFileSync(join(folder, "a file"), "")
for (const shell of shells)
  writeFileSync(join(folder, `completion.${shell}`), completionScript(shell))

const names = [
  ...Object.keys(commands).map((name) => name.split(" ")[0] ?? ""),
  "completion",
  "help"
]
const flagsOf = (name: keyof typeof commands) =>
  commands[name].settings.flatMap((it) => {
    const { flag } = settings[it] as Setting<unknown>
    return flag === undefined ? [] : [flag.split(" ")[0] ?? ""]
  })

const env = { PATH: process.env["PATH"] ?? "", HOME: folder, LC_ALL: "C.UTF-8" }
const has = (shell: string) => spawnSync(shell, ["--version"], { env }).status === 0
const ask = (shell: string, args: ReadonlyArray<string>) =>
  execFileSync(shell, args, { cwd: folder, env, encoding: "utf8", timeout: 30_000 })

/** What bash offers for the words of a line, split as bash does; the last one is completed. */
function inBash(...words: ReadonlyArray<string>): ReadonlyArray<string> {
  const quoted = ["amplitude-lake", ...words].map((word) => `'${word}'`).join(" ")
  const script = `source ./completion.bash
    [[ $(complete -p amplitude-lake) == *_amplitude_lake* ]] || exit 9
    COMP_WORDS=(${quoted}); COMP_CWORD=${words.length}; _amplitude_lake; printf '%s\\n' "\${COMPREPLY[@]}"`
  return ask("bash", ["--norc", "-c", script])
    .split("\n")
    .filter((line) => line !== "")
}

/** What each shell offers for a line that is being typed. */
const offers: Readonly<Record<string, (line: string) => ReadonlyArray<string>>> = {
  bash: (line) => inBash(...line.split(" ").slice(1)),
  fish: (line) =>
    ask("fish", ["--no-config", "-c", `source completion.fish; complete -C '${line}'`])
      .split("\n")
      .map((it) => it.split("\t")[0] ?? "")
      .filter((it) => it !== ""),
  zsh: (line) => {
    const script = `
      zmodload zsh/zpty
      zpty it zsh -f -i
      zpty -w it 'PS1=; cd ${folder}; autoload -U compinit; compinit -u -D; source ./completion.zsh; LISTMAX=9999; zstyle ":completion:*" list-prompt ""; print re""ady'
      zpty -r it line '*ready*'
      zpty -w -n it '${line}'$'\\t\\t'
      sleep 0.7
      zpty -r -t it line; print -r -- "$line"
      while zpty -r -t it line; do print -r -- "$line"; done`
    return ask("zsh", ["-f", "-c", script]).replaceAll("\u0007", " ").split(/\s+/)
  }
}

describe("completionScript()", () => {
  for (const shell of ["bash", "fish", "zsh"] as const) {
    it.skipIf(!has(shell))(
      `completes commands, flags and values in ${shell}`,
      { timeout: 60_000 },
      () => {
        const offered = offers[shell] ?? (() => [])
        const offersAll = (line: string, all: ReadonlyArray<string>) => {
          const found = offered(line)
          for (const one of all) assert.ok(found.includes(one), `${line}${one}: ${found.join(" ")}`)
          return found
        }
        offersAll("amplitude-lake ", names)
        const found = offersAll("amplitude-lake list --", [...flagsOf("list"), "--help"])
        assert.ok(!found.includes("--port"))
        offersAll("amplitude-lake all --store ", ["s3", "local", "memory"])
        offersAll("amplitude-lake completion ", shells)
      }
    )
  }

  it.skipIf(!has("bash"))("offers in bash every flag of every command, and nothing else", () => {
    for (const name of Object.keys(commands) as Array<keyof typeof commands>) {
      const [first = name, second] = name.split(" ")
      const isFamily = Object.keys(commands).some((it) => it.startsWith(`${name} `))
      if (second === undefined && !isFamily) {
        assert.deepEqual(inBash(name, "--"), [...flagsOf(name), "--help"], name)
        continue
      }
      if (second !== undefined) assert.ok(inBash(first, "").includes(second))
      const found = second === undefined ? inBash(first, "--") : inBash(first, second, "--")
      for (const flag of flagsOf(name)) assert.ok(found.includes(flag), `${name} ${flag}`)
      assert.equal(new Set(found).size, found.length)
    }
    assert.deepEqual(inBash("sy"), ["sync"])
    assert.deepEqual(inBash("help", "st"), ["status"])
    assert.deepEqual(inBash("--v"), ["--version"])
  })

  it.skipIf(!has("bash"))(
    "offers in bash the values of a flag: words, even after an equals sign, folders, files, or nothing",
    () => {
      assert.deepEqual(inBash("all", "--log-level", "d"), ["debug"])
      assert.deepEqual(inBash("all", "--log-format", "=", "j"), ["json"])
      assert.deepEqual(inBash("all", "--notify", "="), ["failure", "always"])
      assert.deepEqual(inBash("all", "--data-dir", "a"), ["a folder"])
      assert.deepEqual([...inBash("all", "--env-file", "a")].sort(), ["a file", "a folder"])
      assert.deepEqual([...inBash("all", "--from-archive", "a")].sort(), ["a file", "a folder"])
      assert.deepEqual(inBash("all", "--bucket", ""), [])
      assert.deepEqual(inBash("all", "--dev", "--form"), ["--format"])
    }
  )

  it("is printed by the program, in each shell's syntax", () => {
    for (const shell of shells) {
      const printed = execFileSync(
        process.execPath,
        [resolve("dist/main.js"), "completion", shell],
        {
          cwd: folder,
          encoding: "utf8"
        }
      )
      assert.equal(printed, completionScript(shell))
    }
    const { status, stderr, stdout } = spawnSync(
      process.execPath,
      [resolve("dist/main.js"), "completion", "csh"],
      { cwd: folder, encoding: "utf8" }
    )
    assert.deepEqual([status, stdout], [2, ""])
    assert.match(stderr, /'csh' is invalid .*bash, zsh, fish/)
  })
})
