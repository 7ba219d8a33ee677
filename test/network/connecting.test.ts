import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import * as ObjectStorageAzure from "../../src/layers/azure/ObjectStorageAzure.ts"
import * as AmplitudeHttp from "../../src/layers/http/AmplitudeHttp.ts"
import * as WarehouseSnowflake from "../../src/layers/snowflake/WarehouseSnowflake.ts"
import * as ObjectStorageS3 from "../../src/layers/s3/ObjectStorageS3.ts"
import { Hour } from "../../src/services/Hour.ts"
import { Window } from "../../src/services/Window.ts"
import * as AzureServer from "../fixtures/servers/azureServer.ts"
import { slowHost } from "../fixtures/servers/slowHost.ts"

const secret = Redacted.make("secret")
const hour = Hour.make("2025-11-10T00")

describe.skipIf(process.platform !== "linux")(
  "A host whose IPv4 address is slow to connect and whose IPv6 address is unreachable",
  () => {
    it.scopedLive("is reached by the Amplitude client", () =>
      Effect.gen(function* () {
        const origin = `http://localhost:${yield* slowHost}`
        const amplitude = yield* AmplitudeHttp.make({ origin, apiKey: secret, secretKey: secret })
        const window = new Window({ first: hour, last: hour })
        const error = yield* Effect.flip(Effect.scoped(amplitude.export(window)))
        assert.strictEqual(error.reason, "Forbidden")
      })
    )

    it.scopedLive("is reached by the S3 client", () =>
      Effect.gen(function* () {
        const store = yield* ObjectStorageS3.make({
          bucket: "lake",
          region: "us-east-1",
          endpoint: `http://localhost:${yield* slowHost}`,
          forcePathStyle: true,
          credentials: { accessKeyId: "AKTEST", secretAccessKey: secret }
        })
        const error = yield* Effect.flip(store.head("2025-11-10_00.jsonl"))
        assert.strictEqual(error.reason, "AccessDenied")
      })
    )

    it.scopedLive("is reached by the Snowflake client", () =>
      Effect.gen(function* () {
        const warehouse = yield* WarehouseSnowflake.make({
          account: "myorg-lake",
          credentials: { token: secret },
          warehouse: "LOADING",
          database: "LAKE",
          schema: "AMPLITUDE",
          origin: `http://localhost:${yield* slowHost}`
        })
        const error = yield* Effect.flip(Effect.scoped(warehouse.open("read")))
        assert.strictEqual(error.reason, "AccessDenied")
      })
    )

    it.scopedLive("is reached by the Azure client", () =>
      Effect.gen(function* () {
        const store = yield* ObjectStorageAzure.make({
          account: AzureServer.ACCOUNT,
          container: "lake",
          endpoint: `http://localhost:${yield* slowHost}/${AzureServer.ACCOUNT}`,
          credentials: { accountKey: Redacted.make(AzureServer.ACCOUNT_KEY) }
        })
        const error = yield* Effect.flip(store.head("2025-11-10_00.jsonl"))
        assert.strictEqual(error.reason, "AccessDenied")
      })
    )
  }
)
