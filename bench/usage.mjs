// Loaded into the program by `node --import`: at its end, what it has used goes to the file that BENCH_USAGE names.
import { readFileSync, writeFileSync } from "node:fs"
import { isMainThread } from "node:worker_threads"

const file = process.env.BENCH_USAGE

/** In bytes. What `resourceUsage` calls maxRSS counts the process that started this one, too. */
function peak() {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024
}

if (isMainThread && file !== undefined) {
  process.on("exit", () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage()
    const cpu = (userCPUTime + systemCPUTime) / 1e6
    writeFileSync(file, JSON.stringify({ peak: peak(), cpu }))
  })
}
