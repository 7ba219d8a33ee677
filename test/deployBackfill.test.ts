import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { describe, it } from "@effect/vitest"
import { Either } from "effect"
import { parse } from "yaml"
import { shard } from "../src/cli/settings/parse.ts"

interface Job {
  readonly spec: {
    readonly completions: number
    readonly parallelism: number
    readonly template: {
      readonly spec: {
        readonly containers: ReadonlyArray<{
          readonly args: ReadonlyArray<string>
          readonly env: ReadonlyArray<{ readonly name: string; readonly value?: string }>
        }>
      }
    }
  }
}

interface Workflow {
  readonly jobs: {
    readonly land: {
      readonly strategy: {
        readonly "max-parallel": number
        readonly matrix: { readonly shard: ReadonlyArray<number> }
      }
      readonly steps: ReadonlyArray<{ readonly run?: string }>
    }
  }
}

const yaml = async (path: string) => parse(await readFile(`deploy/${path}`, "utf8")) as unknown

/** The shards that these texts mean, as text, in order. */
const shardsOf = (texts: ReadonlyArray<string>) =>
  texts.map((it) => String(Either.getOrThrow(shard(it, 0)))).sort()
const all = (shards: number) => Array.from({ length: shards }, (_, at) => `${at + 1}/${shards}`)

/** Amplitude allows five concurrent requests for a project, and the hourly run makes one. */
const AT_ONCE = 4

describe("a backlog that is divided by days", () => {
  it("is landed whole by the pods of an Indexed Job", async () => {
    const { spec } = (await yaml("kubernetes/amplitude-lake-backfill.yaml")) as Job
    const [container] = spec.template.spec.containers
    const text = container?.env.find(({ name }) => name === "AMPLITUDE_LAKE_SHARD")?.value ?? ""
    const indexes = Array.from({ length: spec.completions }, (_, index) => index)
    assert.deepEqual(
      shardsOf(indexes.map((it) => text.replace("$(INDEX)", String(it)))),
      all(spec.completions).sort()
    )
    assert.ok(spec.parallelism <= AT_ONCE)
    assert.equal(container?.args[0], "all")
  })

  it("is landed whole by the jobs of a matrix", async () => {
    const { jobs } = (await yaml("github-actions/amplitude-lake-backfill.yml")) as Workflow
    const { matrix, "max-parallel": parallel } = jobs.land.strategy
    const run = jobs.land.steps.at(-1)?.run ?? ""
    const [, text = ""] = /^node dist\/main\.js all --shard "(\S+)" /.exec(run) ?? []
    assert.deepEqual(
      shardsOf(matrix.shard.map((it) => text.replace("$SHARD", String(it)))),
      all(matrix.shard.length).sort()
    )
    assert.ok(parallel <= AT_ONCE)
  })
})
