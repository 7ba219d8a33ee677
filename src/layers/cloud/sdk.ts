import { text } from "./failure.ts"

/**
 * Loads an SDK, which is an optional peer dependency. `wanted` is its name and version for npm. The
 * error message is replaced because the original contains paths of the app.
 */
export async function loadSdk<A>(wanted: string, load: () => Promise<A>): Promise<A> {
  try {
    return await load()
  } catch (cause) {
    const code = text(cause, "code")
    if (code !== "ERR_MODULE_NOT_FOUND") throw cause
    const name = wanted.slice(0, wanted.lastIndexOf("@"))
    const message = `The package "${name}" is not installed: npm install ${wanted}`
    throw Object.assign(new Error(message), { code })
  }
}
