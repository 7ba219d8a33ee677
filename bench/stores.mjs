// Where things land: a Ceph gateway or the tests' own S3, looked into after each run, and one that discards.
import { createHash } from "node:crypto"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Readable } from "node:stream"
import { createGunzip } from "node:zlib"
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  paginateListObjectsV2,
  S3Client
} from "@aws-sdk/client-s3"
import { ROOT, run, serve } from "./processes.mjs"

export const BUCKET = "bench"
export const PREFIX = "python-import/"

const CEPH = join(ROOT, "scripts", "ceph.sh")
const CEPH_FOLDER = process.env.CEPH_TEST_DIR ?? "/var/tmp/amplitude-lake-ceph"

/** @param {string} url @param {string} accessKeyId @param {string} secretAccessKey */
const environmentOf = (url, accessKeyId, secretAccessKey) => ({
  AWS_ENDPOINT_URL_S3: url,
  AWS_ACCESS_KEY_ID: accessKeyId,
  AWS_SECRET_ACCESS_KEY: secretAccessKey,
  AWS_DEFAULT_REGION: "us-east-1",
  AWS_REGION: "us-east-1"
})

/**
 * @typedef {object} Store
 * @property {string} name
 * @property {Record<string, string>} env how to reach it
 * @property {() => Promise<ReadonlyArray<{ readonly key: string, readonly size: number }>>} list
 * @property {(key: string) => Promise<{ readonly bytes: number, readonly sha256: string }>} digest of an object's lines,
 *   inflated if its name ends in `.gz`
 * @property {() => Promise<void>} empty
 * @property {() => void} close
 */

/** The digest of the lines in a stream of an object or file. @param {string} name @param {Readable} body */
export async function digestLines(name, body) {
  const hash = createHash("sha256")
  let bytes = 0
  for await (const chunk of name.endsWith(".gz") ? body.pipe(createGunzip()) : body) {
    bytes += chunk.length
    hash.update(chunk)
  }
  return { bytes, sha256: hash.digest("hex") }
}

/** @param {string} name @param {Record<string, string>} env @param {() => Promise<void>} collect @param {() => void} close */
function storeOf(name, env, collect, close) {
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true"
  const client = new S3Client({
    endpoint: env.AWS_ENDPOINT_URL_S3 ?? "",
    region: "us-east-1",
    forcePathStyle: true,
    credentials: {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? ""
    }
  })
  const Bucket = BUCKET
  const list = async () => {
    const objects = []
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket })) {
      for (const { Key = "", Size = 0 } of Contents) objects.push({ key: Key, size: Size })
    }
    return objects
  }
  return {
    client,
    /** @type {Store} */
    store: {
      name,
      env,
      list,
      digest: async (key) => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: key }))
        if (!(Body instanceof Readable)) throw new Error(`${key} has no body`)
        return digestLines(key, Body)
      },
      empty: async () => {
        const objects = await list()
        await Promise.all(
          objects.map(({ key }) => client.send(new DeleteObjectCommand({ Bucket, Key: key })))
        )
        await collect()
      },
      close: () => {
        client.destroy()
        close()
      }
    }
  }
}

/** Ceph's gateway, started unless it runs, and stopped if it was started. */
async function ceph() {
  const wasRunning = (await run(CEPH, ["status"], { cwd: ROOT, env: own() })).code === 0
  const close = () => {
    if (!wasRunning) execFileSync(CEPH, ["stop"], { stdio: "ignore" })
  }
  try {
    const { code, stdout, stderr } = await run(CEPH, ["start"], { cwd: ROOT, env: own() })
    if (code !== 0) throw new Error(stderr.trim().split("\n").at(-1))
    const { S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY } = Object.fromEntries(
      stdout
        .trim()
        .split("\n")
        .map((line) => line.split("=", 2))
    )
    const env = environmentOf(S3_TEST_ENDPOINT, S3_TEST_ACCESS_KEY, S3_TEST_SECRET_KEY)
    const name = (await fetch(S3_TEST_ENDPOINT)).headers.get("server") ?? "Ceph"
    // What is removed stays in Ceph's memory, which is no larger than two days of lines, until it is collected.
    const collect = async () => {
      const { code, stderr } = await run(CEPH, ["collect"], { cwd: ROOT, env: own() })
      if (code !== 0) throw new Error(`Ceph kept what was removed: ${stderr}`)
    }
    const { client, store } = storeOf(name, env, collect, close)
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }))
    await store.empty()
    return store
  } catch (error) {
    close()
    throw error
  }
}

/** What `scripts/ceph.sh` may be told. */
function own() {
  const told = Object.entries(process.env).filter(([name]) =>
    /^CEPH_TEST_|^HOME$|_proxy$/.test(name)
  )
  return /** @type {Record<string, string>} */ (Object.fromEntries(told))
}

/** @param {string} folder for what it is built into */
async function honest(folder) {
  const server = await serve("servers/honest.mjs", [folder, BUCKET])
  const env = environmentOf(server.url, "AKTEST", "SKTEST")
  return storeOf("the tests' own S3", env, async () => {}, server.close).store
}

/**
 * Ceph, or the tests' own S3 if Ceph cannot be installed or BENCH_STORE is `honest`; `isHasty` skips its installation.
 *
 * @param {{ readonly folder: string, readonly isHasty: boolean, readonly say: (text: string) => void }} options
 * @returns {Promise<Store>}
 */
export async function openStore({ folder, isHasty, say }) {
  const isInstalled = existsSync(join(CEPH_FOLDER, "installed"))
  const reason =
    process.env.BENCH_STORE === "honest"
      ? "BENCH_STORE says so"
      : isHasty && !isInstalled
        ? "Ceph is not installed (scripts/ceph.sh start)"
        : undefined
  if (reason === undefined) {
    try {
      return await ceph()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      say(`the store is the tests' own S3, in memory: Ceph does not start: ${error.message}`)
      return honest(folder)
    }
  }
  say(`the store is the tests' own S3, in memory: ${reason}`)
  return honest(folder)
}

/** A store that keeps keys, sizes and metadata, counts calls, and uses almost no CPU or memory. */
export async function openDiscarding() {
  const server = await serve("servers/discarding.mjs", [])
  return {
    env: environmentOf(server.url, "any", "any"),
    /**
     * Replaces its objects by these keys; returns the previous objects, and the calls since the last replacement.
     *
     * @param {ReadonlyArray<string>} [fill]
     * @returns {Promise<{
     *   readonly calls: Record<string, number>,
     *   readonly objects: ReadonlyArray<{ key: string, size: number, headers: Record<string, string> }>
     * }>}
     */
    renew: (fill = []) => server.ask({ empty: true, fill }),
    close: server.close
  }
}
