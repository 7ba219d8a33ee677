// Azurite, in memory, in its own process, like the other servers.
import { spawn } from "node:child_process"
import { createRequire } from "node:module"

const main = createRequire(new URL("../../tools/azurite/package.json", import.meta.url)).resolve(
  "azurite/dist/src/blob/main.js"
)
const settings = ["--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"]
const child = spawn(process.execPath, [main, "--blobPort", "0", "--silent", ...settings], {
  stdio: ["ignore", "pipe", "inherit"]
})
let said = ""
child.stdout.on("data", (text) => {
  said += text
  const url = /successfully listens on (\S+)/.exec(said)?.[1]
  if (url !== undefined) process.send?.({ url })
})
process.once("disconnect", () => {
  child.kill("SIGKILL")
  process.exit()
})
