// Every group of cases, with its peers and what must hold between them; files that begin with `_` are what they share.
import { azure } from "./groups/azure.mjs"
import { day } from "./groups/day.mjs"
import { folder } from "./groups/folder.mjs"
import { growth } from "./groups/growth.mjs"
import { load } from "./groups/load.mjs"
import { memory } from "./groups/memory.mjs"
import { models } from "./groups/models.mjs"
import { peers } from "./groups/peers.mjs"
import { plan } from "./groups/plan.mjs"
import { redact } from "./groups/redact.mjs"
import { start } from "./groups/start.mjs"
import { unpack } from "./groups/unpack.mjs"

const GROUPS = {
  day,
  folder,
  unpack,
  load,
  redact,
  models,
  peers,
  memory,
  plan,
  start,
  growth,
  azure
}

/** @param {import("./groups/_group.mjs").Bench} bench */
export const groupsOf = (bench) => Object.values(GROUPS).map((of) => of(bench))

/** What `--only` may say. */
export const GROUP_NAMES = Object.keys(GROUPS)
