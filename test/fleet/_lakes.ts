import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3"
import { Effect } from "effect"
import { S3Target } from "../fixtures/s3/s3Target.ts"

/** A lake as the commands are told of it, and what lies in it. */
export interface Lake {
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  /** The lines of each object that has any, by the name of its hour. */
  readonly lines: Effect.Effect<ReadonlyMap<string, string>>
}

type Texts = ReadonlyArray<readonly [name: string, text: string]>

function withLines(texts: Texts): ReadonlyMap<string, string> {
  return new Map(
    texts.filter(([, text]) => text !== "").toSorted(([one], [other]) => (one < other ? -1 : 1))
  )
}

/** The hours in a folder, as a lake or `simulate --dump` has them. */
export const linesIn = (folder: string) =>
  Effect.promise(async () => {
    const names = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"))
    const texts: Array<readonly [string, string]> = []
    for (const name of names) texts.push([name, await readFile(join(folder, name), "utf8")])
    return withLines(texts)
  })

/** A lake in a folder. */
export const folderLake = (folder: string): Lake => ({
  args: ["--store", "local", "--local-dir", folder],
  env: {},
  lines: linesIn(join(folder, "python-import"))
})

/** A lake in a bucket of the server that `S3_TEST_ENDPOINT` names. */
export const bucketLake = Effect.map(
  S3Target,
  ({ accessKeyId, bucket: Bucket, client, endpoint, secretAccessKey }): Lake => {
    const keys = async () => {
      const found: Array<string> = []
      let ContinuationToken: string | undefined
      do {
        const page = await client.send(new ListObjectsV2Command({ Bucket, ContinuationToken }))
        found.push(...(page.Contents ?? []).flatMap(({ Key = "" }) => Key))
        ContinuationToken = page.NextContinuationToken
      } while (ContinuationToken !== undefined)
      return found
    }
    const textOf = (Key: string) =>
      Effect.promise(async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }))
        const text = (await Body?.transformToString()) ?? ""
        return [Key.slice(Key.lastIndexOf("/") + 1), text] as const
      })
    return {
      args: [],
      env: {
        AWS_BUCKET_NAME: Bucket,
        AWS_ENDPOINT_URL_S3: endpoint,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: secretAccessKey,
        AWS_REGION: "us-east-1"
      },
      lines: Effect.promise(keys).pipe(
        Effect.flatMap((found) => Effect.forEach(found, textOf, { concurrency: 16 })),
        Effect.map(withLines)
      )
    }
  }
)
