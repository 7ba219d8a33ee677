import { ContainerClient } from "@azure/storage-blob"
import { serve } from "../processes.mjs"
import { peaksOf } from "./_group.mjs"
import { assert, runProgram } from "./_runs.mjs"

/**
 * @typedef {import("./_group.mjs").Bench} Bench
 * @typedef {import("./_group.mjs").Claim} Claim
 * @typedef {import("./_group.mjs").Group} Group
 */

const CONTAINER = "bench"
/** Known to everyone: https://learn.microsoft.com/azure/storage/common/storage-use-azurite */
const ACCOUNT = "devstoreaccount1"
const KEY =
  "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

/**
 * Lands hours in an Azurite that is new, and looks at what their metadata say.
 *
 * @param {Bench} bench
 * @param {string} format
 */
async function landInAzurite(bench, format) {
  const azurite = await serve("servers/azurite.mjs", [])
  try {
    const connection = `DefaultEndpointsProtocol=http;AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${azurite.url}/${ACCOUNT};`
    const container = new ContainerClient(connection, CONTAINER)
    await container.create()
    const { first, hours } = bench.data.day
    const window = { first, last: first.replace(/T00$/, "T05") }
    const args = ["--store", "azure", "--container", CONTAINER, "--format", format]
    const env = { AZURE_STORAGE_CONNECTION_STRING: connection }
    const ended = await runProgram(bench, env, "all", window, args)
    let landed = 0
    for await (const { metadata = {}, name, properties } of container.listBlobsFlat({
      includeMetadata: true
    })) {
      if (name.endsWith("-probe")) continue
      const digest = hours[metadata["hour"] ?? ""]
      const isRight =
        digest !== undefined &&
        Number(metadata["events"]) === digest.events &&
        Number(metadata["bytes"]) === digest.bytes &&
        metadata["lineset"] === digest.lineset.toString(16).padStart(12, "0") &&
        (format !== "jsonl" || properties.contentLength === digest.bytes)
      assert(isRight, `${name} has other lines than Amplitude sent`)
      landed += 1
    }
    assert(landed === 6, `${landed} of 6 hours landed`)
    return ended
  } finally {
    azurite.close()
  }
}

/** @param {Bench} bench @returns {Group} */
export function azure(bench) {
  const formats = ["jsonl", "jsonl.gz"]
  return {
    name: "azure",
    title: "Six hours of the day into Azurite",
    cases: formats.map((format) => ({
      name: format,
      label: `\`all --store azure --format ${format}\``,
      run: () => landInAzurite(bench, format)
    })),
    claims: [
      /** @type {Claim} */ ({
        line: 4,
        text: "into Azurite: highest peak",
        unit: "bytes",
        limit: 250e6,
        of: formats,
        value: (samples) => ({
          median: Math.max(...formats.flatMap((format) => peaksOf(samples[format])))
        })
      })
    ]
  }
}
