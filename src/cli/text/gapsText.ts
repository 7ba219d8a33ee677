import type { GapList } from "../../programs/inspect/listGaps.ts"
import type { AcceptedGaps } from "../../programs/resolve/acceptGaps.ts"
import type { WithdrawnGaps } from "../../programs/resolve/withdrawGaps.ts"
import { gapCommands, plural, windowText } from "./printed.ts"

/** The gaps of a lake with the commands that end them, then what was accepted, why and by whom. */
export function gapsText({ acceptances, gaps }: GapList, place: string): string {
  return [
    `where     ${place}`,
    ...gaps.map(
      (gap) => `gap       ${windowText(gap)}, ${plural(gap.hours, "hour")}: ${gapCommands(gap)}`
    ),
    ...(gaps.length === 0 ? ["gap       none"] : []),
    ...acceptances.map(({ name, reason, time, user, ...window }) => {
      const why = [reason, user === undefined ? undefined : `by ${user}`, time]
      const about = why.filter((it) => it !== undefined).join(", ")
      return `accepted  ${windowText(window)}, ${plural(window.hours, "hour")}: ${about}; amplitude-lake gaps withdraw ${name} takes it back`
    })
  ].join("\n")
}

/** What was accepted, and what was left alone. */
export function acceptedText({ accepted, left }: AcceptedGaps): string {
  const others = [
    [left.landed, "landed"],
    [left.accepted, "accepted before"],
    [left.unsettled, "not settled"],
    [left.before, "before the lake's first hour"]
  ] as const
  const leftAlone = others.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`)
  return [
    ...accepted.map((gap) => `accepted  ${windowText(gap)}, ${plural(gap.hours, "hour")}`),
    ...(leftAlone.length === 0 ? [] : [`left      ${leftAlone.join(", ")}`])
  ].join("\n")
}

export function withdrawnText(withdrawn: WithdrawnGaps): string {
  const hours = plural(withdrawn.hours, "hour")
  return `withdrawn ${windowText(withdrawn)}, ${hours}: what is still missing of them is a gap again`
}
