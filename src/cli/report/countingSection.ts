import type { Report } from "../../programs/report/Report.ts"
import { type Html, html } from "./html.ts"
import { table } from "./table.ts"
import { hourText, number, plural } from "./words.ts"

/** What became of the lines, and what the words mean. */
export function countingPart({ counting }: Report): Html {
  const rows = [
    ["Lines loaded", counting.lines, "of all hours in the warehouse"],
    ["Events", counting.modelled, "well-formed lines"],
    ["Malformed", counting.malformed, "lines that are no JSON object; counted here alone"],
    [
      "Duplicates",
      counting.duplicates,
      "the same uuid, or insert id and device, within 168 hours; kept, and counted nowhere above"
    ],
    [
      "Late",
      counting.late,
      "received more than 24 hours after they happened; counted on the day they happened"
    ],
    ["Future", counting.future, "dated more than an hour after their own upload, by a wrong clock"],
    ["Redacted", counting.redacted, "lines that were removed at a person's request"]
  ] as const
  const span =
    counting.firstLoaded === null || counting.lastLoaded === null
      ? "No hour is loaded."
      : html`${plural(counting.loadedHours, "hour")} ${counting.loadedHours === 1 ? "is" : "are"}
        loaded, from ${hourText(counting.firstLoaded)} to ${hourText(counting.lastLoaded)} UTC.`
  return html`<p>
      ${span}${
        counting.behindHours === 0
          ? ""
          : ` ${plural(counting.behindHours, "hour")} changed since the models were built, and ${counting.behindHours === 1 ? "is" : "are"} not in the answers yet: run model.`
      }
    </p>
    ${table(
      "What became of the lines",
      [
        { head: "Lines", cell: ([what]) => what },
        { head: "How many", isNumber: true, cell: ([, count]) => number(count) },
        { head: "What they are", cell: ([, , says]) => says }
      ],
      rows
    )}
    <dl>
      ${WORDS.map(
        ([word, says]) =>
          html`<dt>${word}</dt>
            <dd>${says}</dd> `
      )}
    </dl> `
}

const WORDS: ReadonlyArray<readonly [string, string]> = [
  [
    "Session",
    "a device, or an Amplitude id where there is none, with a session id, and at least one event of its own."
  ],
  [
    "Page",
    "the path, without query and trailing slashes, and with :id for numbers and UUIDs. Neighbours that are the same page count once."
  ],
  [
    "Three clicks within a second",
    "on one element of one page view, the last at most a second after the first."
  ],
  [
    "Chose again, went back or searched",
    "chose another item of the menu or came back to the page of the click within ten seconds, or searched within thirty."
  ],
  [
    "Bursts",
    "at least two clicks on one element of one page view, each at most a second after the one before."
  ],
  [
    "SDK: rage, dead",
    "clicks that Amplitude's own SDK reports as repeated, or as without any effect."
  ],
  [
    "95% interval",
    "the shares that fit what was counted, by Wilson's method. It is wide where there are few sessions."
  ],
  ["Group", "a customer that your own code names with each event."],
  ["Network", "whoever holds the address range; not necessarily the visitor's company."]
]
