import { countGaps } from "../../programs/plan/gaps.ts"
import type { Plan } from "../../programs/plan/planRun.ts"
import { EXIT } from "../../programs/run/exitCode.ts"
import { addHours } from "../../services/Hour.ts"
import type { Window } from "../../services/Window.ts"
import { planText } from "../text/printed.ts"

/** What a run would do, as `--dry-run` shows it. */
export function planReport(found: Plan, shard?: string) {
  return {
    json: {
      dryRun: true as const,
      window: windowOf(found.window),
      ...(shard === undefined ? {} : { shard }),
      present: found.present,
      missing: found.missing,
      open: found.open,
      accepted: found.accepted,
      olderGaps: countGaps(found.lake.gaps({ last: addHours(found.window.first, -1) })),
      conflicts: found.lake.conflicts.map(({ hour, name }) => ({ hour, name })),
      requests: found.requests.map(windowOf)
    },
    text: () => planText(found, shard),
    exitCode: EXIT.done
  }
}

function windowOf({ first, last }: Window) {
  return { first, last }
}
