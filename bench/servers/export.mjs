// Amplitude's Export API over archives that lie in a folder, named by window: `20251110T00-20251110T23.zip`. Like the real
// one it refuses whoever lacks the keys, and does not say how long an archive is.
import { createReadStream, existsSync } from "node:fs"
import { createServer } from "node:http"
import { join } from "node:path"
import { announce } from "./_announce.mjs"

const [folder = ".", apiKey, secretKey] = process.argv.slice(2)
const authorization = `Basic ${Buffer.from(`${apiKey}:${secretKey}`).toString("base64")}`
let requests = 0

const server = createServer((request, response) => {
  requests += 1
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://export")
  const window = `${searchParams.get("start")}-${searchParams.get("end")}`
  const file = join(folder, `${window}.zip`)
  if (request.headers.authorization !== authorization) response.writeHead(401).end()
  else if (pathname !== "/api/2/export") response.writeHead(404).end()
  else if (!/^\d{8}T\d\d-\d{8}T\d\d$/.test(window)) response.writeHead(400).end()
  else if (!existsSync(file)) response.writeHead(404).end()
  else {
    response.writeHead(200, { "content-type": "application/zip" })
    createReadStream(file, { highWaterMark: 1024 * 1024 }).pipe(response)
  }
})

announce(server, () => {
  const answer = { requests }
  requests = 0
  return answer
})
