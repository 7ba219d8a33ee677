// Tests the tests: removes one safeguard at a time, each in a copy of the tree, and runs the tests named for it. One of them
// has to fail because of what the program then did: an assertion, an unexpected error, or a missing one. Code that does not
// load, or a test that times out, proves nothing.
//
//   node scripts/mutate.mjs [WORD]     only the safeguards whose names contain the word
//   node scripts/mutate.mjs --write    all of them; writes the table into docs/reliability.md if every removal was noticed
import { spawn } from "node:child_process"
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const ROOT = fileURLToPath(new URL("..", import.meta.url))
const COPIED = ["schemas", "src", "test", "package.json", "tsconfig.json", "vitest.config.ts"]
const PAGE = join(ROOT, "docs/reliability.md")
const LONGEST = 300_000

const [SPOOL, DISK] = [
  "test/layers/disk/SpoolFileSystem",
  "test/layers/disk/ObjectStorageFileSystem"
]
const [ZIP, S3] = ["test/layers/unpack/UnpackerZip", "test/layers/s3/ObjectStorageS3.test.ts"]
const AZURE = "test/layers/azure/ObjectStorageAzure.test.ts"
const [RUN, COMPARED] = ["test/programs/runPipeline", "test/faults/compared"]

const SNOWFLAKE_SETUP = "test/layers/snowflake/WarehouseSetupSnowflake"
const REDACT = "test/programs/redact/redactPeople"
const RELAND = "test/programs/reland/relandHours"
const EXPORT = "test/programs/export/exportTables"
const EXPORT_FOLDER = "src/layers/disk/ExportFolderFileSystem.ts"
const ADOPT = "test/programs/land/adoptForeign"
const SNAPSHOT = "test/programs/snapshot/takeSnapshot"
const LISTS = "test/programs/load/loadLists"
const DOUBLED = "test/programs/resolve/doubledHours"

const MUTATIONS = [
  {
    name: "fsync of an archive in the spool",
    file: "src/layers/disk/SpoolFileSystem.ts",
    find: "attempt(() => handle.sync())",
    put: "Effect.void",
    tests: SPOOL,
    named: "makes an archive durable before it is called whole"
  },
  {
    name: "flushing an archive before its hours land",
    file: "src/programs/fetch/askForWindow.ts",
    find: "spool.flush(spooled)",
    put: "Effect.void",
    tests: RUN,
    named: "an archive that cannot be flushed lands none of its hours"
  },
  {
    name: "waiting for the flush of an archive",
    file: "src/programs/fetch/askForWindow.ts",
    find: "spool.flush(spooled)",
    put: "Effect.forkScoped(spool.flush(spooled))",
    tests: RUN,
    named: "an archive that is being flushed lands none of its hours"
  },
  {
    name: "flushing an archive before it goes back",
    file: "src/layers/disk/spoolHeld.ts",
    find: "Effect.zipRight(own.flush, release(root, own.path))",
    put: "release(root, own.path)",
    tests: SPOOL,
    named: "flushes an archive before it goes back, if nobody has"
  },
  {
    name: "remembering a failed flush",
    file: "src/layers/disk/spoolHeld.ts",
    find: "ended ?? Effect.onExit(effect, remember)",
    put: "Effect.onExit(effect, remember)",
    tests: SPOOL,
    named: "leaves nothing of an archive that the disk has lost"
  },
  {
    name: "verifying an archive while it is flushed",
    file: "src/programs/fetch/askForWindow.ts",
    find: "concurrent: true",
    put: "concurrent: false",
    tests: RUN,
    named: "is verified while it is flushed"
  },
  {
    name: "fsync of a kept archive",
    file: "src/layers/disk/ArchiveFolderFileSystem.ts",
    find: ".then(() => handle.sync())",
    put: "",
    tests: "test/layers/disk/ArchiveFolderFileSystem",
    named: "makes a kept archive durable before it has its name"
  },
  {
    name: "fsync of an object in a folder",
    file: "src/layers/disk/storePut.ts",
    find: "attempt(() => handle.sync())",
    put: "Effect.void",
    tests: DISK,
    named: "makes bytes and metadata durable before the object is seen"
  },
  {
    name: "fsync of an hour that is written while it is verified",
    file: "src/layers/unpack/digestToDraft.ts",
    find: "attempt(() => handle.sync())",
    put: "Effect.void",
    tests: "test/layers/unpack/digestToDraft",
    named: "flushes them to disk once"
  },
  {
    name: "writing on after a write that took some of the bytes",
    file: "src/layers/unpack/hourDigest.ts",
    find: "      at += count\n",
    put: "      at = bytes.length\n",
    tests: "test/layers/unpack/digestToDraft",
    named: "flushes them to disk once"
  },
  {
    name: "giving up a draft of which a write failed",
    file: "src/layers/unpack/hourDigest.ts",
    find: "failure ??= String(error)",
    put: "String(error)",
    tests: "test/layers/unpack/digestToDraft",
    named: "cannot be written or flushed"
  },
  {
    name: "freeing the space of a draft that was given up",
    file: "src/layers/unpack/digestToDraft.ts",
    find: "handle.truncate(0)",
    put: "handle.stat()",
    tests: "test/layers/unpack/digestToDraft",
    named: "cannot be written or flushed"
  },
  {
    name: "removing the drafts of a refused archive",
    file: "src/layers/unpack/makeUnpacker.ts",
    find: "Scope.close(drafts, Exit.void)",
    put: "Effect.void",
    tests: "test/layers/unpack/digestToDraft",
    named: "before an archive is refused"
  },
  {
    name: "comparing the size of a draft with what was announced",
    file: "src/layers/disk/storePut.ts",
    find: "Option.exists(file, (it) => it.size === size)",
    put: "Option.isSome(file)",
    tests: DISK,
    named: "its size is not the announced one"
  },
  {
    name: "ignoring a file that is no draft of this store",
    file: "src/layers/disk/storePut.ts",
    find: "draft === undefined || !store.drafts.has(draft)",
    put: "draft === undefined",
    tests: DISK,
    named: "another store's"
  },
  {
    name: "reading ahead into other memory than what is in use",
    file: "src/layers/unpack/reader.ts",
    find: "const rooms = [new Uint8Array(0), new Uint8Array(0)]",
    put: "const rooms = [new Uint8Array(0)]",
    tests: "test/layers/unpack/UnpackerZip",
    named: "several pieces"
  },
  {
    name: "keeping a copy of an upload's last byte",
    file: "src/layers/cloud/body.ts",
    find: "Uint8Array.from(bytes.subarray(-1))",
    put: "bytes.subarray(-1)",
    tests: "test/layers/cloud/body",
    named: "reads them before they change"
  },
  {
    name: "waiting until a request is done with a piece of its body",
    file: "src/layers/cloud/body.ts",
    find: "write(piece, () => resume(Effect.void))",
    put: "write(piece, () => {})\n          resume(Effect.void)",
    tests: "test/layers/cloud/body",
    named: "pulls a piece only when"
  },
  {
    name: "holding back the last byte of an upload until its hash is right",
    file: "src/layers/cloud/body.ts",
    find: "Effect.succeed(bytes.subarray(0, -1))",
    put: "Effect.as(Effect.sync(() => (last = new Uint8Array(0))), bytes)",
    tests: "test/layers/cloud/body",
    named: "holds the last byte back"
  },
  {
    name: "writing ahead only those hours that are to land",
    file: "src/programs/land/landMissing.ts",
    find: "isMissing(hour) ? Effect.option(draft) : Effect.succeedNone",
    put: "Effect.option(draft)",
    tests: "test/programs/land/drafts",
    named: "from an archive file"
  },
  {
    name: "fsync of a folder",
    file: "src/layers/disk/files.ts",
    find: "(handle) => attempt(() => handle.sync())",
    put: "(handle) => attempt(() => handle.stat())",
    tests: SPOOL,
    named: "makes an archive durable before it is called whole"
  },
  {
    name: "creating an object in a folder only if it is absent",
    file: "src/layers/disk/store.ts",
    find: "attempt(() => fs.link(from, to))",
    put: "attempt(() => fs.copyFile(from, to))",
    tests: DISK,
    named: "loses to an object that was put while its body was sent"
  },
  {
    name: "CRC-32 of a gzip member",
    file: "src/layers/unpack/gzip/gunzipHere.ts",
    find: "if (rest.readUInt32LE(0) !== crc) throw",
    put: "if (rest.readUInt32LE(0) === -1) throw",
    tests: "test/layers/unpack/inflater.test.ts",
    named: "inflateHere"
  },
  {
    name: "size of a gzip member",
    file: "src/layers/unpack/gzip/gunzipHere.ts",
    find: "if (rest.readUInt32LE(4) !== size % 2 ** 32) throw",
    put: "if (rest.readUInt32LE(4) === -1) throw",
    tests: "test/layers/unpack/inflater.test.ts",
    named: "inflateHere"
  },
  {
    name: "CRC-32 of a zip's entry",
    file: "src/layers/unpack/zipPart.ts",
    find: "if (crc !== part.crc32) throw",
    put: "if (crc === -1) throw",
    tests: ZIP,
    named: "refuses "
  },
  {
    name: "size of a zip's entry",
    file: "src/layers/unpack/zipPart.ts",
    find: "if (size !== part.size) throw",
    put: "if (size === -1) throw",
    tests: ZIP,
    named: "refuses "
  },
  {
    name: "bytes after the end of a gzip file (bytesWritten)",
    file: "src/layers/unpack/gzip/inflater.ts",
    find: "if (engine.bytesWritten === fed || failure !== undefined) return",
    put: "if (engine.bytesWritten >= 0 || failure !== undefined) return",
    tests: "test/layers/unpack/inflater.test.ts",
    named: "inflateHere"
  },
  {
    name: "gzip trailer, in memory",
    file: "src/layers/unpack/gzip/gunzipMemory.ts",
    find: "if (members.readUInt32LE(at - 8) !== crc32(bytes)) {",
    put: "if (at < 0) {",
    tests: "test/layers/memory/UnpackerMemory",
    named: "refuses "
  },
  {
    name: "compare after the put",
    file: "src/programs/land/landObject.ts",
    find: '(it) => it.size === size && it.metadata["sha256"] === metadata.sha256',
    put: "() => true",
    tests: COMPARED,
    named: "compares what it put"
  },
  {
    name: "412 means that the object exists",
    file: "src/layers/s3/bucket.ts",
    find: "if (status === 412 || ",
    put: "if (",
    tests: S3,
    named: "finds its own object if the answer was lost|yields to an object"
  },
  {
    name: "an existing object is compared",
    file: "src/programs/land/landObject.ts",
    find: "|| hasSameLines(landed.value, metadata)) return false",
    put: "|| Either.isRight(landed.value)) return false",
    tests: COMPARED,
    named: "is a conflict"
  },
  {
    name: "a file moves to failed_uploads completely",
    file: "src/programs/land/refuseAsConflict.ts",
    find: "if (isWhole) return copy",
    put: "if (isWhole || !isWhole) return copy",
    tests: COMPARED,
    named: "keeps its own copy beside one that was changed"
  },
  {
    name: "an existing object may be the same hour",
    file: "src/programs/land/landObject.ts",
    find: "|| hasSameLines(landed.value, metadata)) return false",
    put: ") return false",
    tests: RUN,
    named: "accepts an hour that is already there if it is the same"
  },
  {
    name: "settle rule",
    file: "src/programs/land/landMissing.ts",
    find: "if (Option.isNone(unpacked) && !settled) {",
    put: "if (Option.isNone(unpacked) && hour.length === 0) {",
    tests: RUN,
    named: "marks a settled hour that its archive lacks as empty, and leaves a younger one"
  },
  {
    name: "second 404",
    file: "src/programs/fetch/exportHours.ts",
    find: "if (!isDoubtful) return",
    put: "if (!isDoubtful || window.length > 0) return",
    tests: RUN,
    named: "accepts a 404 for settled hours only if a second request confirms it"
  },
  {
    name: "retry of temporary failures",
    file: "src/programs/run/retryPolicy.ts",
    find: "Schedule.recurs(retries)",
    put: "Schedule.recurs(0)",
    tests: RUN,
    named: "retries transient failures"
  },
  {
    name: "new request after a broken archive",
    file: "src/programs/fetch/askForWindow.ts",
    find: "broken < tries",
    put: "broken < 1",
    tests: RUN,
    named: "requests a broken archive three times"
  },
  {
    name: "older gaps fail a run",
    file: "src/programs/run/Summary.ts",
    find: "lake.olderGaps !== null",
    put: "lake.olderGaps === undefined",
    tests: "test/programs/olderGaps",
    named: "are counted and fail every run"
  },
  {
    name: "an open conflict fails every run",
    file: "src/programs/run/Summary.ts",
    find: "lake.conflicts.length > 0",
    put: "lake.conflicts.length < 0",
    tests: "test/programs/run/Summary",
    named: "is 8 for: an open conflict"
  },
  {
    name: "an hour in several versions is a conflict",
    file: "src/programs/plan/inventory.ts",
    find: '...judged.filter((it) => it._tag === "Doubled")',
    put: "...[]",
    tests: DOUBLED,
    named: "fails every command"
  },
  {
    name: "a run looks for doubled hours after its last put",
    file: "src/programs/plan/lakeFindings.ts",
    find: 'outcomes.some(({ _tag }) => _tag === "Landed" || _tag === "Empty")',
    put: "outcomes.some(() => false)",
    tests: DOUBLED,
    named: "is named by the run that put the second"
  },
  {
    name: "a choice between objects is about exactly these",
    file: "src/programs/plan/fingerprint.ts",
    find: ".map(({ etag, key }) => `${key}\\n${etag}\\n`)",
    put: '.map(() => "")',
    tests: DOUBLED,
    named: "opens again"
  },
  {
    name: "a staged hour waits until a version of its hour is chosen",
    file: "src/programs/land/refuseDoubled.ts",
    find: "if (!isDoubled(objects)) return Effect.void",
    put: "if (objects.length > 0) return Effect.void",
    tests: DOUBLED,
    named: "compares a staged hour"
  },
  {
    name: "another lake's copy of a refused hour stays",
    file: "src/programs/resolve/ourVersion.ts",
    find: ".filter(({ metadata }) => originOf(metadata).lake === location)",
    put: "",
    tests: "test/programs/resolve/resolveConflict",
    named: "leaves the copy of another lake"
  },
  {
    name: "an hour stays staged until its conflict is recorded",
    file: "src/programs/land/landMissing.ts",
    find: "!isStaging && isUnrecorded(error) ? stageConflict(target) : Effect.void",
    put: "isUnrecorded(error) ? Effect.void : Effect.void",
    tests: "test/programs/resolve/resolveConflict",
    named: "stays staged until"
  },
  {
    name: "the writer's role may not replace an object",
    file: "src/programs/setup/iamPolicies.ts",
    find: '{ Null: { "s3:if-match": "false" } }',
    put: '{ Null: { "s3:if-match": "false", "s3:if-none-match": "false" } }',
    tests: "test/programs/setup/iamPolicies",
    named: "which the writer may not"
  },
  {
    name: "a lake's project is found in its older keys",
    file: "src/programs/plan/findProject.ts",
    find: "if (keyed !== undefined) return keyed.project",
    put: "",
    tests: RUN,
    named: "finds the project in an old key"
  },
  {
    name: "an object names the version that it replaces",
    file: "src/programs/resolve/replaceObject.ts",
    find: "replaces: replacing(kept.lineset, { replaces })",
    put: "replaces",
    tests: RUN,
    named: "names what it replaces"
  },
  {
    name: "an hour staged after the sync of a run is uploaded by it",
    file: "src/programs/runPipeline.ts",
    find: "isFetch ? new Set(present) : moved)",
    put: "new Set(present))",
    tests: RUN,
    named: "lands what another process has staged"
  },
  {
    name: "a withdrawn acceptance no longer counts",
    file: "src/programs/plan/inventory.ts",
    find: ".filter((name) => !marks[counterpart].has(name))",
    put: "",
    tests: "test/programs/resolve/acceptGaps",
    named: "makes gaps of what is still missing"
  },
  {
    name: "an hour whose part was refused is not taken for empty",
    file: "src/programs/fetch/handOver.ts",
    find: "unpacked.broken.get(hour)",
    put: "unpacked.broken.get(hour) && undefined",
    tests: RUN,
    named: "lands the other hours of an archive"
  },
  {
    name: "a staged hour of another lake stays",
    file: "src/programs/plan/stagedHours.ts",
    find: "if (isOurs(origin, looking)) {",
    put: "if (isOurs(origin, looking) || object.size >= 0) {",
    tests: "test/programs/severalLakes",
    named: "stay apart in every order"
  },
  {
    name: "proof that a store verifies checksums",
    file: "src/layers/s3/put.ts",
    find: "onSuccess: () => false, onFailure: ({ error })",
    put: "onSuccess: () => true, onFailure: ({ error })",
    tests: S3,
    named: "refuses a body with a wrong hash"
  },
  {
    name: "If-None-Match of a put",
    file: "src/layers/s3/put.ts",
    find: '{ IfNoneMatch: "*" }',
    put: "{}",
    tests: S3,
    named: "needs nothing beyond its policy, and never overwrites"
  },
  {
    name: "If-None-Match of a multipart upload",
    file: "src/layers/s3/multipart.ts",
    find: "      IfNoneMatch,\n      MultipartUpload",
    put: "      MultipartUpload",
    tests: S3,
    named: "needs nothing beyond its policy, and never overwrites"
  },
  {
    name: "If-None-Match of a put to Azure",
    file: "src/layers/azure/put.ts",
    find: '{ ifNoneMatch: "*" }',
    put: "{}",
    tests: AZURE,
    named: "needs only permission to read and write blobs, and never overwrites"
  },
  {
    name: "unique names of Azure's blocks",
    file: "src/layers/azure/blocks.ts",
    find: 'randomBytes(19).toString("hex")',
    put: '"0".repeat(38 + 0 * randomBytes(1).length)',
    tests: AZURE,
    named: "keeps its blocks apart from those of a second upload"
  },
  {
    name: "MD5 of uploads to Azure",
    file: "src/layers/azure/put.ts",
    find: "{ ...options, transactionalContentMD5: md5Of(bytes) }",
    put: "{ ...options, transactionalContentMD5: md5Of(bytes).subarray(16) }",
    tests: AZURE,
    named: "refuses bytes that changed on their way"
  },
  {
    name: "check of Azure's object after a refused put",
    file: "src/layers/cloud/store.ts",
    find: "=== replacing ? yield* failure.error : false",
    put: "=== replacing ? yield* failure.error : yield* failure.error",
    tests: AZURE,
    named: "makes one object if the answer to a list of blocks was lost"
  },
  {
    name: "closed by Amplitude's clock, too",
    file: "src/programs/fetch/askForWindow.ts",
    find: "onSome: (date) => Math.min(asked, date - Math.max(0, answered - sent))",
    put: "onSome: () => asked",
    tests: RUN,
    named: "leaves hours open that are not closed by Amplitude's own clock"
  },
  {
    name: "an archive is kept until all its hours have landed",
    file: "src/programs/fetch/exportHours.ts",
    find: "outcomes.every(isDoneWith) && hoursOf",
    put: "outcomes.length >= 0 && hoursOf",
    tests: RUN,
    named: "one hour's failing put stops no other, and the next run starts from the spool"
  },
  {
    name: "a staged file is kept until the store has its hour",
    file: "src/programs/land/syncStaged.ts",
    find: "const isNew = yield* confirm(store, target, standing)",
    put: "yield* removeStaged\n      const isNew = yield* confirm(store, target, standing)",
    tests: RUN,
    named: "lose nothing while the store is down"
  },
  {
    name: "a staged file is compared with its metadata",
    file: "src/programs/land/syncStaged.ts",
    find: "it.sha256 === read.sha256 && sameLines(it, read)",
    put: "it.events >= 0",
    tests: COMPARED,
    named: "moves no staged file that was changed"
  },
  {
    name: "the last line of an adopted file is judged, too",
    file: "src/programs/land/adoptForeign.ts",
    find: "if (problem !== undefined) return yield* refused(problem)",
    put: "",
    tests: ADOPT,
    named: "half a line at the end"
  },
  {
    name: "an adopted file has events of its hour alone",
    file: "src/programs/land/foreignLines.ts",
    find: 'time.slice(0, 13).replace(" ", "T") !== hour',
    put: 'time === ""',
    tests: ADOPT,
    named: "another hour's event"
  },
  {
    name: "no file is adopted while its hour lasts",
    file: "src/programs/land/adoptForeign.ts",
    find: "if (!isOverSince(hour, 0, now))",
    put: "if (now < 0)",
    tests: ADOPT,
    named: "leaves a file whose hour is not over"
  },
  {
    name: "an adopted hour comes with the decision that it counts",
    file: "src/programs/land/adoptForeign.ts",
    find: "  yield* decide(target.metadata, keys, user)\n",
    put: "",
    tests: ADOPT,
    named: "uploads files of others"
  },
  {
    name: "an adopted file is kept until the store has its lines",
    file: "src/programs/land/adoptForeign.ts",
    find: "  const isNew = standing.length === 0 &&",
    put: "  yield* staging.remove(key)\n  const isNew = standing.length === 0 &&",
    tests: ADOPT,
    named: "goes on after a failure at any write"
  },
  {
    name: "an adopted file that changed meanwhile stays",
    file: "src/programs/land/adoptForeign.ts",
    find: "if (head.value.etag === etag) return",
    put: 'if (etag !== "") return',
    tests: ADOPT,
    named: "written to while it was read"
  },
  {
    name: "a day has each list once",
    file: "src/programs/snapshot/takeSnapshot.ts",
    find: "    Option.isSome(head)\n        ?",
    put: "    Option.isSome(head) && now < 0\n        ?",
    tests: SNAPSHOT,
    named: "stores each list of a day once"
  },
  {
    name: "only JSON with a list is stored as one",
    file: "src/programs/snapshot/takeSnapshot.ts",
    find: "referenceStreams[stream].field)?.length",
    put: "referenceStreams[stream].field)?.length ?? 0",
    tests: SNAPSHOT,
    named: "JSON without the list"
  },
  {
    name: "a list that fails stops no other",
    file: "src/programs/snapshot/takeSnapshot.ts",
    find: "return Effect.as(Effect.logError(message), failed)",
    put: "return Effect.die(failed)",
    tests: SNAPSHOT,
    named: "stores the other lists if one is refused"
  },
  {
    name: "a list that is not what its metadata say is not loaded",
    file: "src/programs/load/loadLists.ts",
    find: "if (sha256 !== expected)",
    put: 'if (sha256 === "")',
    tests: LISTS,
    named: "loads nothing of a list whose bytes are others"
  },
  {
    name: "a list with another number of entries is not loaded",
    file: "src/programs/load/loadLists.ts",
    find: "if (String(entries.length) !== records)",
    put: 'if (records === "")',
    tests: LISTS,
    named: "loads nothing of a list with another number of entries"
  },
  {
    name: "a list is loaded only beside hours of its lake",
    file: "src/programs/load/loadLists.ts",
    find: " || inventory.size === 0",
    put: "",
    tests: LISTS,
    named: "loads no list of a store without hours"
  },
  {
    name: "Snowflake's ledger names no list of which entries are missing",
    file: "src/layers/snowflake/listStatements.ts",
    find: "WHERE E.ENTRIES <> ${entries} OR E.LAST <> ${entries}",
    put: "WHERE E.ENTRIES < 0",
    tests: "test/layers/snowflake/WarehouseSnowflake",
    named: "writes no ledger row of a list that another run has changed"
  },
  {
    name: "an hour that another run uploaded right after staging counts as landed",
    file: "src/programs/land/landObject.ts",
    find: "if (isWhole || (Option.isNone(head) && (yield* isMoved(store, metadata)))) return true",
    put: "if (isWhole) return true",
    tests: COMPARED,
    named: "counts an hour as landed if another run moved it"
  },
  {
    name: "an hour that other runs staged and uploaded is not a failure",
    file: "src/programs/land/landObject.ts",
    find: "moved ? Effect.succeedNone : Effect.fail(error)",
    put: "moved ? Effect.fail(error) : Effect.fail(error)",
    tests: COMPARED,
    named: "skips an hour that others staged and moved"
  },
  {
    name: "an hour that another run uploads during sync is not a failure",
    file: "src/programs/land/syncStaged.ts",
    find: "if (!isMoved) return yield* error",
    put: "if (isGone) return yield* error",
    tests: COMPARED,
    named: "skips a staged file that another run moved"
  },
  {
    name: "a published field of the JSON keeps its name",
    file: "src/programs/clean/Leftover.ts",
    find: "  detail: Schema.String,",
    put: "  details: Schema.String,",
    tests: "test/cli/json/jsonSchemas",
    named: "keep what the last release published"
  },
  {
    name: "metadata that a dead run left is removed with its file",
    file: "src/layers/disk/sidecar.ts",
    find: "if (inodes.has(sidecar.inode)) yield*",
    put: "if (inodes.size < 0) yield*",
    tests: DISK,
    named: "removes the metadata that a dead run left without an object"
  },
  {
    name: "a blank value of a flag is refused",
    file: "src/cli/settings/commandLine.ts",
    find: 'if (text.trim() !== "") return text',
    put: 'if (text.trim() !== "never") return text',
    tests: "test/cli/settings/commandLine",
    named: "refuses a blank value"
  },
  {
    name: "an unknown variable in the env file is refused",
    file: "src/cli/settings/resolve.ts",
    find: "    ...unknownInFile(sources),\n",
    put: "    ...unknownInFile({ ...sources, file: {} }),\n",
    tests: "test/cli/settings/table",
    named: "is an error in the env file"
  },
  {
    name: "a new and an older variable that differ are refused",
    file: "src/cli/settings/readSettings.ts",
    find: "place === newest.place && text !== newest.text",
    put: "place === newest.place && text === undefined",
    tests: "test/cli/settings/table",
    named: "is still set by its older names"
  },
  {
    name: "a flag that acts has no variable",
    file: "src/cli/settings/setting.ts",
    find: "return acts ? variables :",
    put: "return acts && flag === undefined ? variables :",
    tests: "test/cli/settings/table",
    named: "has the variable that the rule makes of its flag"
  },
  {
    name: "config masks secrets",
    file: "src/cli/settings/commands/config.ts",
    find: "return isSecret ? MASK : text",
    put: "return isSecret ? `${text.slice(0, 9)}…` : text",
    tests: "test/cli/settings/config",
    named: "shows no part of a secret"
  },
  {
    name: "an absolute date makes an open hour a failure",
    file: "src/programs/plan/planWindow.ts",
    find: "return isDated(options) && options.isRelative !== true",
    put: "return isDated(options) && options.isRelative === undefined",
    tests: "test/programs/relativeDates",
    named: "is one where the last hour was named by an absolute date"
  },
  {
    name: "warehouse: commits only the lines that were announced",
    file: "src/layers/duckdb/openWarehouse.ts",
    find: "if (!isSame) {",
    put: "if (stored.events < 0) {",
    tests: "test/layers/duckdb/WarehouseDuckDb",
    named: "leaves nothing of an hour whose lines are not those"
  },
  {
    name: "warehouse: rolls back what failed",
    file: "src/layers/duckdb/inTransaction.ts",
    find: 'run("load", "rollback")',
    put: 'run("load", "commit")',
    tests: "test/layers/duckdb/WarehouseDuckDb",
    named: "keeps a load whose replacement fails"
  },
  {
    name: "warehouse: replaces only the load that is named",
    file: "src/layers/duckdb/openWarehouse.ts",
    find: "if (standing !== replaces) {",
    put: "if (standing === null) {",
    tests: "test/layers/duckdb/WarehouseDuckDb",
    named: "replaces no load but the one"
  },
  {
    name: "warehouse: the key of the ledger",
    file: "src/layers/duckdb/tables.ts",
    find: "hour timestamp primary key",
    put: "hour timestamp not null",
    tests: "test/layers/duckdb/WarehouseDuckDb",
    named: "has a ledger that takes an hour once"
  },
  {
    name: "warehouse: removes lines without a ledger row before a load",
    file: "src/layers/duckdb/openWarehouse.ts",
    find: 'yield* run("load", "delete from amplitude.events_raw where hour = $1", [at])',
    put: "",
    tests: "test/layers/duckdb/WarehouseDuckDb",
    named: "leaves no lines of an hour that were there without a ledger row"
  },
  {
    name: "warehouse: a query is one that only reads",
    file: "src/layers/duckdb/connection.ts",
    find: "if (!READING.has(prepared.statementType)) {",
    put: "if (READING.size === 0) {",
    tests: "test/layers/duckdb/WarehouseDuckDb",
    named: "refuses create temp table"
  },
  {
    name: "warehouse: the digest of stored lines against the ledger",
    file: "src/programs/inspect/verifyWarehouse.ts",
    find: "lineset === row.storedLineset",
    put: "lineset.length === 12",
    tests: "test/programs/inspect/verifyWarehouse",
    named: "names the hour of an altered line"
  },
  {
    name: "warehouse: hours with lines and without a ledger row",
    file: "src/programs/inspect/verifyWarehouse.ts",
    find: "...(yield* open.storedHours)",
    put: "",
    tests: "test/programs/inspect/verifyWarehouse",
    named: "names lines without a ledger row"
  },
  {
    name: "warehouse: the ledger against the lines in the store",
    file: "src/programs/inspect/verifyWarehouse.ts",
    find: " || sameLines(row, digest)",
    put: " || row.events > 0",
    tests: "test/programs/inspect/verifyWarehouse",
    named: "compares the ledger with the lines that it reads"
  },
  {
    name: "snowflake: a transaction fails before its COMMIT if the number of lines differs",
    file: "src/layers/snowflake/statements.ts",
    find: '    "COUNT(R.KEY) <> L.EVENTS",\n',
    put: "",
    tests: "test/layers/snowflake/piped",
    named: "writes no ledger row if lines are there twice"
  },
  {
    name: "snowflake: a transaction fails if the ledger is not as it was",
    file: "src/layers/snowflake/statements.ts",
    find: "WHERE COALESCE(L.LOAD_ID, '') <> E.LOAD_ID AND NOT",
    put: "WHERE L.LOAD_ID <> L.LOAD_ID AND NOT",
    tests: "test/layers/snowflake/piped",
    named: "writes no ledger row that another has written"
  },
  {
    name: "snowflake: a request whose answer was lost keeps its ID",
    file: "src/layers/snowflake/client.ts",
    find: "      uncertain.set(statement, requestId)\n",
    put: "",
    tests: "test/layers/snowflake/faults",
    named: "sends what may have been carried out with the same request ID"
  },
  {
    name: "snowflake: a token that has expired is replaced",
    file: "src/layers/snowflake/client.ts",
    find: "if (answer.status === 401 && authorization.renew !== undefined) {",
    put: "if (answer.status === 0 && authorization.renew !== undefined) {",
    tests: "test/layers/snowflake/faults",
    named: "makes another token if the last one has expired"
  },
  {
    name: "snowflake: the statement of an interrupted load is cancelled",
    file: "src/layers/snowflake/client.ts",
    find: "Cause.isInterruptedOnly(cause) ? stopped(method, submission) : Effect.failCause(cause)",
    put: "Effect.failCause(cause)",
    tests: "test/layers/snowflake/faults",
    named: "cancels the statement of an interrupted load"
  },
  {
    name: "snowflake: no token in a message",
    file: "src/layers/snowflake/client.ts",
    find: "const hide = hider(yield* authorization.secrets)",
    put: "const hide = (text: string) => text",
    tests: "test/layers/snowflake/credentials",
    named: "appear in no message"
  },
  {
    name: "snowpipe: an hour agrees only if each of its lines is there once",
    file: "src/programs/load/decidePiped.ts",
    find: "const isWhole = counts.every((it) => it.key === from && it.numbers === it.lines)",
    put: "const isWhole = counts.length >= 0",
    tests: "test/programs/load/decidePiped",
    named: "decides: a line twice|decides: as many lines, under another key"
  },
  {
    name: "models: each in one transaction",
    file: "src/layers/duckdb/buildModel.ts",
    find: "inTransaction(connection, replaceModel(connection, model))",
    put: "replaceModel(connection, model)",
    tests: "test/layers/duckdb/buildModel",
    named: "leaves what stood before where a model fails"
  },
  {
    name: "models: nothing changes for a wrong line of a file",
    file: "src/programs/answer/userTables.ts",
    find: "if (wrong.length === 0) return",
    put: "if (wrong.length >= 0) return",
    tests: "test/layers/duckdb/buildModel",
    named: "changes nothing for a wrong line"
  },
  {
    name: "warehouse: one opening of a file at a time within a process",
    file: "src/layers/duckdb/file.ts",
    find: "held.has(name)",
    put: 'held.has("")',
    tests: "test/layers/duckdb/WarehouseDuckDb",
    named: "is busy while it is open"
  },
  {
    name: "warehouse: an object's digests against its metadata",
    file: "src/programs/load/readObjects.ts",
    find: "if (problems.length === 0) return",
    put: "if (problems.length >= 0) return",
    tests: "test/programs/load/loadHours",
    named: "loads nothing of an object that is not what its metadata say"
  },
  {
    name: "warehouse: the bytes of an object whose ETag changed",
    file: "src/programs/load/loadHour.ts",
    find: "if (problems.length > 0) return yield* endAsConflict(looked, options, problems)",
    put: "",
    tests: "test/programs/load/loadHours",
    named: "does not take the metadata's word"
  },
  {
    name: "warehouse: only what says that it replaces an hour replaces it",
    file: "src/programs/load/decideLoad.ts",
    find: 'return isNewer ? "replace" : "conflict"',
    put: 'return "replace"',
    tests: "test/programs/load/decideLoad",
    named: "landed, anything else"
  },
  {
    name: "warehouse: neither of two objects is loaded",
    file: "src/programs/load/decideLoad.ts",
    find: 'if (store._tag === "Several") return "conflict"',
    put: "",
    tests: "test/programs/load/decideLoad",
    named: "two objects"
  },
  {
    name: "warehouse: another pipeline's hours are loaded on request only",
    file: "src/programs/load/decideLoad.ts",
    find: ' || unverified || replace ? "load" : "leave"',
    put: ' || unverified || replace ? "load" : "load"',
    tests: "test/programs/load/decideLoad",
    named: "unverified . nothing"
  },
  {
    name: "warehouse: an erasure that left an hour empty is followed",
    file: "src/programs/load/decideLoad.ts",
    find: "if (metadata.events === 0 && metadata.redacted === 0)",
    put: "if (metadata.events === 0)",
    tests: "test/programs/load",
    named: "emptied by redaction"
  },
  {
    name: "a slow address has seconds to connect",
    file: "src/network/connecting.ts",
    find: "autoSelectFamilyAttemptTimeout: 3000",
    put: "autoSelectFamilyAttemptTimeout: 250",
    tests: "test/network/connecting",
    named: "is reached by the"
  },
  {
    name: "a backfill: no more requests at once than its lanes",
    file: "src/programs/run/Run.ts",
    find: "makeRequestGate(lanes)",
    put: "makeRequestGate(lanes + 1)",
    tests: "test/programs/fleet/backfillHours",
    named: "as many requests at once as it has lanes"
  },
  {
    name: "a backfill: gaps of any age",
    file: "src/programs/fleet/backfillHours.ts",
    find: ", healDays: WHOLE_LAKE_DAYS",
    put: "",
    tests: "test/programs/fleet/backfillHours",
    named: "lands every gap of the lake"
  },
  {
    name: "a fleet: the store says what has landed, not the database",
    file: "src/programs/fleet/judgeBackfill.ts",
    find: 'told?._tag === "Failed" || told?._tag === "Pending" ? told : undefined',
    put: "told",
    tests: "test/programs/fleet/backfillByFleet",
    named: "believes the store of what has landed"
  },
  {
    name: "a fleet: what one machine has staged is missing to the others",
    file: "src/programs/fleet/backfillByFleet.ts",
    find: "...staging, list: Stream.empty",
    put: "...staging",
    tests: "test/programs/fleet/backfillByFleet",
    named: "staged on the machine that watches alone"
  },
  {
    name: "a fleet: a worker without its lane stops landing",
    file: "src/programs/fleet/workFleet.ts",
    find: "Effect.raceFirst(land(lakes, taken), lane.lost)",
    put: "land(lakes, taken)",
    tests: "test/programs/fleet/workFleet",
    named: "when its lane is lost"
  },
  {
    name: "a fleet: refused keys stop a backfill",
    file: "src/programs/fleet/workFleet.ts",
    find: "lane.finish(taken, encodeResult(outcomes), isRefused)",
    put: "lane.finish(taken, encodeResult(outcomes), false)",
    tests: "test/programs/fleet/workFleet",
    named: "whose keys are refused"
  },
  {
    name: "a fleet: a signal hands the window over",
    file: "src/programs/fleet/workFleet.ts",
    find: "Effect.onInterrupt(() => handedOver(lane, taken.value)),",
    put: "",
    tests: "test/programs/fleet/workFleet",
    named: "hands over what it was landing"
  },
  {
    name: "a shard: only its hours",
    file: "src/programs/plan/planRun.ts",
    find: "window.hours.filter(isInShard)",
    put: "window.hours",
    tests: "test/programs/plan/Shard",
    named: "requests and lands the days of its shard"
  },
  {
    name: "a shard: every other day is another's",
    file: "src/programs/plan/Shard.ts",
    find: "% this.shards === this.shard - 1",
    put: "% this.shards === this.shard",
    tests: "test/programs/plan/Shard",
    named: "have every hour of any window once"
  },
  {
    name: "Snowflake: a pipe is never replaced",
    file: "src/layers/snowflake/setupStatements.ts",
    find: "CREATE PIPE IF NOT EXISTS",
    put: "CREATE OR REPLACE PIPE",
    tests: SNOWFLAKE_SETUP,
    named: "replaces and drops nothing"
  },
  {
    name: "Snowflake: a pipe takes hours alone",
    file: "src/layers/snowflake/setupStatements.ts",
    find: "PATTERN = ${literal(HOUR_NAMES)}",
    put: "PATTERN = '.*[.]jsonl.*'",
    tests: SNOWFLAKE_SETUP,
    named: "lets the pipe take hours"
  },
  {
    name: "Snowflake: the locations of others in an integration",
    file: "src/layers/snowflake/setupStorage.ts",
    find: '[...listOf(found["reads"]), url]',
    put: "[url]",
    tests: SNOWFLAKE_SETUP,
    named: "adds a location"
  },
  {
    name: "Snowflake: what was made is read back",
    file: "src/programs/setup/setupWarehouse.ts",
    find: "Option.exists((it) => Object.keys(wanted)",
    put: "() => true || Option.exists((it) => Object.keys(wanted)",
    tests: "test/programs/setup/setupWarehouse",
    named: "believes no change"
  },
  {
    name: "Snowflake: a key of one account goes to no other",
    file: "src/cli/settings/env/snowflake.ts",
    find: "isOther || (isProven",
    put: "(isProven",
    tests: "test/cli/settings/env/connections",
    named: "sends what it has of one account"
  },
  {
    name: "a copy is compared with its metadata",
    file: "src/programs/copy/copyHour.ts",
    find: "if (problems.length > 0) return",
    put: "if (problems.length > 99) return",
    tests: "test/programs/copy/copyLake",
    named: "copies no object that is not what its metadata say"
  },
  {
    name: "an hour in the target of a copy is compared",
    file: "src/programs/copy/copyHour.ts",
    find: "if (sameLines(ours, theirs)) return skipped",
    put: "if (ours !== theirs) return skipped",
    tests: "test/programs/copy/copyLake",
    named: "names an hour that the target has with other lines"
  },
  {
    name: "hours that a person's events were removed from are not relanded",
    file: "src/programs/reland/relandHour.ts",
    find: "if (isRedacted(head)) {",
    put: "if (isRedacted(head) && dryRun) {",
    tests: RELAND,
    named: "refuses an hour that a person's events were removed from"
  },
  {
    name: "an hour that another run replaces while it is relanded is compared again",
    file: "src/programs/reland/relandHour.ts",
    find: "now.etag === before.etag ? Effect.fail(error) : attempt(now)",
    put: "now.etag === before.etag ? attempt(now) : Effect.fail(error)",
    tests: RELAND,
    named: "meets another one, and a run"
  },
  {
    name: "an hour that Amplitude returns nothing for any more is named",
    file: "src/programs/reland/relandHour.ts",
    find: "if (Option.isNone(exported.unpacked) || ours.events === 0) {",
    put: 'if (Option.isNone(exported.unpacked)) return { _tag: "Same" }\n  if (ours.events < 0) {',
    tests: RELAND,
    named: "refuses to empty an hour"
  },
  {
    name: "a recheck brings nobody's removed events back",
    file: "src/programs/land/recheckHours.ts",
    find: " && Option.isNone(redacted)",
    put: "",
    tests: RELAND,
    named: "as a recheck does"
  },
  {
    name: "a redaction goes by parsed fields, not by text",
    file: "src/programs/redact/lines.ts",
    find: "else if (isAbout(people, event)) {",
    put: "else if ([...people.userIds].some((id) => decoder.decode(line).includes(id))) {",
    tests: "test/programs/redact/lines",
    named: "leaves "
  },
  {
    name: "a line that lies across two windows is searched by itself",
    file: "src/programs/redact/lines.ts",
    find: "if (isObject && !isFirst && !isPossible) return",
    put: "if (isObject && !isPossible) return",
    tests: "test/programs/redact/lines",
    named: "wherever the bytes are split"
  },
  {
    name: "what a redaction has compressed is counted again before it replaces anything",
    file: "src/programs/redact/redactObject.ts",
    find: "if (!isCut) return undefined",
    put: "",
    tests: REDACT,
    named: "puts nothing that has other lines than it should"
  },
  {
    name: "a rewritten object has the bytes of the lines that stay",
    file: "src/programs/redact/redactObject.ts",
    find: "digest.bytes === read.bytes - found.bytes",
    put: "digest.bytes > -1",
    tests: REDACT,
    named: "puts nothing that is not what was read without the lines that were found"
  },
  {
    name: "a thread that ended says nothing against an object",
    file: "src/programs/inspect/verifyObject.ts",
    find: 'error.reason === "Unreadable"',
    put: 'error.reason === "NotZip"',
    tests: "test/programs/inspect/verifyHours",
    named: "says nothing against an object whose thread ended"
  },
  {
    name: "a redaction overwrites nothing that changed",
    file: "src/programs/redact/redactObject.ts",
    find: "store.put(put, { replacing: head.etag })",
    put: "Effect.flatMap(store.head(key), (it) => store.put(put, { replacing: Option.getOrThrow(it).etag }))",
    tests: REDACT,
    named: "overwrites no object that somebody changes meanwhile"
  },
  {
    name: "an object that is not what its metadata say is not rewritten",
    file: "src/programs/redact/redactObject.ts",
    find: 'if (problems.length > 0 && place !== "replaced") {',
    put: 'if (problems.length > 99 && place !== "replaced") {',
    tests: REDACT,
    named: "rewrites no object that is not what its metadata say"
  },
  {
    name: "a warehouse follows a redaction by its earlier linesets",
    file: "src/programs/redact/redactObject.ts",
    find: "replaces: replacing(own.lineset, own),",
    put: "replaces: [own.lineset],",
    tests: REDACT,
    named: "also twice, and after a replacement"
  },
  {
    name: "a redaction lists the store again",
    file: "src/programs/redact/redactStore.ts",
    find: "round <= (isApplied ? ROUNDS : 1)",
    put: "round <= 1",
    tests: REDACT,
    named: "lands or replaces meanwhile"
  },
  {
    name: "decisions follow the objects that a redaction rewrites",
    file: "src/programs/redact/redactStore.ts",
    find: "if (isRewritten) yield* carryDecisions(lake, hour)",
    put: "if (isRewritten && objects.length > 9) yield* carryDecisions(lake, hour)",
    tests: REDACT,
    named: "keeps what people decided"
  },
  {
    name: "an exported file is compared with its table",
    file: "src/programs/export/exportTables.ts",
    find: "if (read.rows !== rows || read.digest !== digest) {",
    put: "if (read.rows < 0) {",
    tests: EXPORT,
    named: "puts no file in place where one was not read back as its table"
  },
  {
    name: "an export goes by what rows say, not by their count",
    file: "src/programs/export/exportTables.ts",
    find: "file?.rows === rows && file.digest === digest",
    put: "file?.rows === rows",
    tests: EXPORT,
    named: "ends up as an export of everything does"
  },
  {
    name: "an export removes the files of dates that are gone",
    file: EXPORT_FOLDER,
    find: "fs.rm(join(root, path), { force: true })",
    put: "fs.stat(join(root, path))",
    tests: EXPORT,
    named: "touches only what has changed"
  },
  {
    name: "an export has its folder alone",
    file: EXPORT_FOLDER,
    find: "if ((yield* run.others) > 0) {",
    put: "if ((yield* run.others) > 99) {",
    tests: EXPORT,
    named: "waits for another export"
  },
  {
    name: "an export that was killed is put in place before the next one",
    file: EXPORT_FOLDER,
    find: "yield* publishBegun(root)\n  const standing",
    put: "const standing",
    tests: EXPORT,
    named: "goes on where it was stopped"
  },
  {
    name: "an export leaves a folder with files of others",
    file: EXPORT_FOLDER,
    find: "if (foreign.length > 0 &&",
    put: "if (foreign.length > 99 &&",
    tests: EXPORT,
    named: "leaves a folder as it is that holds files of others"
  },
  {
    name: "fsync of an exported file",
    file: EXPORT_FOLDER,
    find: "yield* attempt(() => handle.sync())\n      const hash",
    put: "const hash",
    tests: EXPORT,
    named: "makes files durable before they are seen"
  },
  {
    name: "hours that were loaded after the models were built are named",
    file: "src/programs/export/exportTables.ts",
    find: "isIncomplete: behind > 0",
    put: "isIncomplete: false",
    tests: EXPORT,
    named: "exits 3 where hours were loaded"
  },
  {
    name: "two lakes are compared by their lines",
    file: "src/programs/inspect/compareLakes.ts",
    find: "if (sameLines(one.digest, two.digest)) return",
    put: "if (one.digest.events === two.digest.events) return",
    tests: "test/programs/inspect/compareLakes",
    named: "names hours that differ"
  },
  {
    name: "two lakes are read, and not their metadata alone",
    file: "src/programs/inspect/compareLakes.ts",
    find: "if (problems.length > 0) return",
    put: "if (problems.length > 99) return",
    tests: "test/programs/inspect/compareLakes",
    named: "reads both, and believes no metadata"
  },
  {
    name: "a listed file agrees with its sidecar",
    file: "src/layers/disk/storeFiles.ts",
    find: "if (sidecar.size !== size || sidecar.inode !== String(stats.ino)) return undefined",
    put: "if (size < 0) return undefined",
    tests: DISK,
    named: "lists a file that was edited, or is of another program"
  }
]

/** Runs vitest in a copy, in the long form if `seconds` is not 0, and returns the tests that passed and those that failed. */
async function vitest(copy, tests, named, seconds) {
  const report = join(copy, "report.json")
  await rm(report, { force: true })
  const child = spawn(
    process.execPath,
    [
      join(copy, "node_modules", "vitest", "vitest.mjs"),
      "run",
      tests,
      "-t",
      named,
      "--testTimeout=240000",
      "--reporter=json",
      `--outputFile=${report}`
    ],
    {
      cwd: copy,
      env: { ...process.env, FAULTS_SECONDS: String(seconds) },
      stdio: "ignore",
      timeout: LONGEST,
      killSignal: "SIGKILL"
    }
  )
  await new Promise((resolve) => child.once("close", resolve))
  const text = await readFile(report, "utf8").catch(() => undefined)
  if (text === undefined) return { passed: [], failed: [] }
  const results = JSON.parse(text).testResults.flatMap((file) => file.assertionResults)
  return {
    passed: results.filter(({ status }) => status === "passed"),
    failed: results.filter(({ status }) => status === "failed")
  }
}

function isByOutcome({ failureMessages }) {
  return failureMessages.some(
    (message) =>
      !/^(Syntax|Type|Reference)Error|timed out in|Failed to (load|resolve)/.test(message)
  )
}

const anyOf = (mutations) => mutations.map(({ named }) => `(?:${named})`).join("|")

/** How many tests named for a mutation passed and failed. */
const countsOf = ({ failed, passed }, { named }) => {
  const isNamed = ({ fullName }) => new RegExp(named).test(fullName)
  return { failed: failed.filter(isNamed).length, passed: passed.filter(isNamed).length }
}

/** What the tests named for each mutation do before anything is removed, and in which form they run. All are of the same files. */
async function untouched(copy, mutations) {
  const [{ tests } = {}] = mutations
  const short = await vitest(copy, tests, anyOf(mutations), 0)
  const isAbsent = (mutation) => {
    const { failed, passed } = countsOf(short, mutation)
    return failed + passed === 0
  }
  // The short form leaves those tests to the long one.
  const absent = mutations.filter(isAbsent)
  const long = absent.length === 0 ? short : await vitest(copy, tests, anyOf(absent), 1)
  return mutations.map((mutation) =>
    absent.includes(mutation)
      ? { ...mutation, seconds: 1, before: countsOf(long, mutation) }
      : { ...mutation, seconds: 0, before: countsOf(short, mutation) }
  )
}

/** The name of a test that noticed, or the problem. */
async function caught(copy, { before, file, find, name, named, put, seconds, tests }) {
  const path = join(copy, file)
  const source = await readFile(path, "utf8")
  if (source.split(find).length !== 2) {
    return { name, problem: `the text to remove must occur exactly once in ${file}: ${find}` }
  }
  if (before.failed > 0 || before.passed === 0) {
    return {
      name,
      problem: `before the removal, ${before.failed} tests fail and ${before.passed} pass`
    }
  }
  await writeFile(
    path,
    source.replace(find, () => put)
  )
  const { failed } = await vitest(copy, tests, named, seconds)
  await writeFile(path, source)
  const [noticed] = failed.filter(isByOutcome)
  if (noticed === undefined) return { name, problem: `no test of ${tests} noticed` }
  return { name, test: noticed.fullName.trim(), count: failed.length }
}

async function makeCopy() {
  const copy = await mkdtemp(join(tmpdir(), "amplitude-lake-mutate-"))
  for (const part of COPIED) await cp(join(ROOT, part), join(copy, part), { recursive: true })
  for (const part of ["node_modules", "tools"]) await symlink(join(ROOT, part), join(copy, part))
  return copy
}

const [argument = ""] = process.argv.slice(2)
const isWritten = argument === "--write"
const word = isWritten ? "" : argument
const chosen = MUTATIONS.filter(({ name }) => name.includes(word))
const results = new Map()
const begun = Date.now()

/** Works through a list by as many copies as there are cores. */
async function inCopies(list, work) {
  const left = [...list]
  const done = []
  const workers = Array.from({ length: Math.min(4, availableParallelism()) }, async () => {
    const copy = await makeCopy()
    try {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        done.push(await work(copy, next))
      }
    } finally {
      await rm(copy, { recursive: true, force: true })
    }
  })
  await Promise.all(workers)
  return done
}

const sameFiles = [...new Set(chosen.map(({ tests }) => tests))].map((files) =>
  chosen.filter(({ tests }) => tests === files)
)
const tried = (await inCopies(sameFiles, untouched)).flat()
await inCopies(tried, async (copy, next) => results.set(next.name, await caught(copy, next)))

const rows = MUTATIONS.flatMap(({ name }) => {
  const result = results.get(name)
  if (result === undefined) return []
  const more = result.count > 1 ? ` and ${result.count - 1} more` : ""
  return `| ${name} | ${result.problem ?? `"${result.test}"${more}`} |`
})
const table = ["| removed | noticed by |", "| --- | --- |", ...rows].join("\n")
console.log(table)

const missed = [...results.values()].filter(({ problem }) => problem !== undefined)
const isWhole = missed.length === 0 && results.size > 0
if (isWritten && isWhole) {
  const page = await readFile(PAGE, "utf8")
  const written = page.replace(
    /(<!-- mutations -->\n).*?(<!-- \/mutations -->)/s,
    (_, start, end) => `${start}${table}\n${end}`
  )
  await writeFile(PAGE, written)
}
const seconds = Math.round((Date.now() - begun) / 1000)
console.error(
  `${results.size - missed.length} of ${results.size} removals were noticed, in ${seconds} s`
)
process.exitCode = isWhole ? 0 : 1
