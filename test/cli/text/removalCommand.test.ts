import assert from "node:assert/strict"
import { Option } from "effect"
import { describe, it } from "vitest"
import { removalCommand } from "../../../src/cli/text/removalCommand.ts"

const prefix = "events/"
const KEY = "2025-11-10_21.jsonl"

describe("removalCommand()", () => {
  it("can be pasted, for every store", () => {
    const s3 = {
      _tag: "S3",
      bucket: "lake",
      prefix,
      sse: undefined,
      sseKmsKeyId: undefined,
      credentials: Option.none()
    } as const
    const azure = {
      _tag: "Azure",
      container: "lake",
      prefix,
      account: "acme",
      endpoint: undefined,
      credentials: undefined
    } as const
    const local = { _tag: "Local", folder: "s3_dev", prefix } as const
    assert.deepEqual(
      [s3, azure, local, { _tag: "Memory", prefix } as const].map((it) => removalCommand(it, KEY)),
      [
        "aws s3 rm s3://lake/events/2025-11-10_21.jsonl",
        "az storage blob delete --account-name acme --container-name lake --name events/2025-11-10_21.jsonl",
        "rm s3_dev/events/2025-11-10_21.jsonl",
        ""
      ]
    )
  })

  it("quotes what a shell would take apart", () => {
    const local = { _tag: "Local", folder: "my lake", prefix } as const
    assert.equal(
      removalCommand(local, "it's#0.json"),
      String.raw`rm 'my lake/events/it'\''s#0.json'`
    )
  })
})
