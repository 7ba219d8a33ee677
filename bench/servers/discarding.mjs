// An S3 of one bucket that keeps an object's key, size and metadata, and drops its bytes: a store as large as need be that
// takes almost nothing of the machine. It believes what it is told; whether that is right is for the honest stores to say.
import { createServer } from "node:http"
import { announce } from "./_announce.mjs"

/** @typedef {{ size: number, headers: Record<string, string> }} Kept */

/** @type {Map<string, Kept>} */
const objects = new Map()
/** @type {Map<string, Kept>} */
const uploads = new Map()
/** @type {Record<string, number>} */
let calls = {}
/** @type {ReadonlyArray<string> | undefined} */
let sorted

const PAGE = 1000
const KEPT = /^(content-type|x-amz-meta-|x-amz-checksum-(?!algorithm|mode|type))/

/** @param {import("node:http").IncomingMessage} request */
function keptHeaders(request) {
  const pairs = Object.entries(request.headers).filter(([name]) => KEPT.test(name))
  return Object.fromEntries(pairs.map(([name, value]) => [name, String(value)]))
}

/** Reads and forgets. @param {import("node:http").IncomingMessage} request @returns {Promise<number>} bytes */
async function discard(request) {
  let size = 0
  for await (const chunk of request) size += chunk.length
  return Number(request.headers["x-amz-decoded-content-length"] ?? size)
}

/** @param {string} key @param {Kept} kept */
function keep(key, kept) {
  if (!objects.has(key)) sorted = undefined
  objects.set(key, kept)
}

/** @param {string} text */
const escape = (text) => text.replaceAll(/[<>&"]/g, (one) => `&#${one.charCodeAt(0)};`)

/** @param {URLSearchParams} query */
function listing(query) {
  sorted ??= [...objects.keys()].sort()
  const prefix = query.get("prefix") ?? ""
  const after = query.get("continuation-token") ?? query.get("start-after") ?? ""
  const most = Math.min(PAGE, Number(query.get("max-keys") ?? PAGE))
  const found = sorted.filter((key) => key.startsWith(prefix) && key > after)
  const page = found.slice(0, most)
  const contents = page.map((key) => {
    const size = objects.get(key)?.size
    return `<Contents><Key>${escape(key)}</Key><LastModified>2025-12-01T00:00:00.000Z</LastModified><ETag>&quot;${etag(key)}&quot;</ETag><Size>${size}</Size></Contents>`
  })
  const more = page.length < found.length
  const token = more ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ""
  return `<ListBucketResult><KeyCount>${page.length}</KeyCount><IsTruncated>${more}</IsTruncated>${token}${contents.join("")}</ListBucketResult>`
}

/** @param {string} key */
const etag = (key) => Buffer.from(key).toString("hex").padStart(32, "0").slice(-32)

/** @param {string} code */
const refusal = (code) => `<Error><Code>${code}</Code><Message>${code}</Message></Error>`

/** What is done for a request: a name for the count of calls, a status, headers, a body. */
async function perform(/** @type {import("node:http").IncomingMessage} */ request) {
  const url = new URL(request.url ?? "/", "http://s3")
  const { method } = request
  const [, key = ""] = /^\/[^/]*\/?(.*)$/s.exec(decodeURIComponent(url.pathname)) ?? []
  const upload = uploads.get(url.searchParams.get("uploadId") ?? "")
  const size = await discard(request)
  const found = objects.get(key)
  const quoted = { etag: `"${etag(key)}"` }
  if (key === "" && method === "GET") {
    return { call: "list", status: 200, body: listing(url.searchParams) }
  }
  if (key === "") return { call: "bucket", status: 200 }
  if (method === "HEAD") {
    const call = "head"
    if (found === undefined) return { call, status: 404 }
    const headers = { ...found.headers, ...quoted, "content-length": String(found.size) }
    return { call, status: 200, headers }
  }
  const exists = found !== undefined && request.headers["if-none-match"] === "*"
  if (method === "POST" && url.searchParams.has("uploads")) {
    const id = `upload-${uploads.size}`
    uploads.set(id, { size: 0, headers: keptHeaders(request) })
    const body = `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`
    return { call: "create upload", status: 200, body }
  }
  if (upload !== undefined && method === "PUT") {
    upload.size += size
    return { call: "put part", status: 200, headers: { ...keptHeaders(request), ...quoted } }
  }
  if (upload !== undefined && method === "POST") {
    if (exists) return { call: "complete", status: 412, body: refusal("PreconditionFailed") }
    const headers = { ...upload.headers, ...keptHeaders(request) }
    keep(key, { size: upload.size, headers })
    const body = `<CompleteMultipartUploadResult><ETag>&quot;${etag(key)}&quot;</ETag></CompleteMultipartUploadResult>`
    return { call: "complete", status: 200, body }
  }
  if (method === "PUT") {
    if (exists) return { call: "put", status: 412, body: refusal("PreconditionFailed") }
    keep(key, { size, headers: keptHeaders(request) })
    return { call: "put", status: 200, headers: { ...keptHeaders(request), ...quoted } }
  }
  return { call: "other", status: 501, body: refusal("NotImplemented") }
}

const server = createServer((request, response) => {
  perform(request).then(
    ({ call, status, headers = {}, body = "" }) => {
      calls[call] = (calls[call] ?? 0) + 1
      const type = body === "" ? {} : { "content-type": "application/xml" }
      const length = request.method === "HEAD" ? {} : { "content-length": Buffer.byteLength(body) }
      response.writeHead(status, { ...type, ...length, ...headers })
      response.end(request.method === "HEAD" ? undefined : body)
    },
    () => request.socket.destroy()
  )
})

announce(server, ({ empty, fill = [] }) => {
  const kept = [...objects].map(([key, { size, headers }]) => ({ key, size, headers }))
  const answer = { calls, objects: kept }
  calls = {}
  if (empty === true) objects.clear()
  for (const key of fill) objects.set(key, { size: 1000, headers: {} })
  uploads.clear()
  sorted = undefined
  return answer
})
