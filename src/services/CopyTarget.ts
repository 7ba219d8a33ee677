/**
 * The store that a lake is copied to, or compared with.
 *
 * @module
 */
import { Context } from "effect"
import type { ObjectStorage } from "./ObjectStorage.ts"

export class CopyTarget extends Context.Tag("amplitude-lake/CopyTarget")<
  CopyTarget,
  ObjectStorage["Type"]
>() {}
