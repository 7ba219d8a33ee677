/**
 * The local store where `fetch` puts hours until `sync` moves them: an `ObjectStorage` under a
 * second tag.
 *
 * @module
 */
import { Context } from "effect"
import type { ObjectStorage } from "./ObjectStorage.ts"

export class Staging extends Context.Tag("amplitude-lake/Staging")<
  Staging,
  ObjectStorage["Type"]
>() {}
